"""Python's collector of cycles while our own cases run: they leave none, and it would walk their reports over and over,
for a quarter of their time."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Any

import pytest

from compliance.garbage import KeptObjects, leave_the_rest_to_the_end
from compliance.plugin.alone import is_alone
from compliance.plugin.cases import Case


class CollectorOfCases:
    """Off from a case of ours on, and on again for everybody else's test and at the end, however that comes. Where
    somebody else switched it off, it stays off."""

    def __init__(self, kept: KeptObjects) -> None:
        self._kept = kept
        self._is_off_by_us = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        try:
            return (yield)
        finally:
            self._restore()
            if gc.isenabled():
                gc.collect()  # what others left; the reports stay to the end, and pytest would walk them five times
                self._kept.freeze()
            if is_alone(session):
                leave_the_rest_to_the_end()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        if not isinstance(item, Case):
            self._restore()
        elif gc.isenabled():
            gc.disable()
            self._is_off_by_us = True

    def _restore(self) -> None:
        if self._is_off_by_us:
            gc.enable()
            self._is_off_by_us = False
