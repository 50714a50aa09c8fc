"""Python's collector of cycles while our own cases run: they leave none, and it would walk their reports over and over,
for a quarter of their time."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Any

import pytest

from compliance.plugin.cases import Case


class CollectorOfCases:
    """Off from a case of ours on, and as it was for everybody else's test and at the end, however that comes."""

    def __init__(self) -> None:
        self._was_on = gc.isenabled()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, Any, Any]:
        self._was_on = gc.isenabled()
        try:
            return (yield)
        finally:
            self._restore()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        if isinstance(item, Case):
            gc.disable()
        else:
            self._restore()

    def _restore(self) -> None:
        if self._was_on:
            gc.enable()
