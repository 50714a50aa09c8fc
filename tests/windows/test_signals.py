"""What Windows' agents send after Ctrl-C. Wine sends no Ctrl-Break to another process, so it is raised here."""

from __future__ import annotations

import signal

import pytest

from compliance.plugin.interrupt import interrupted_once


def test_ctrl_break_ends_what_goes_on_as_ctrl_c_does() -> None:
    before = signal.getsignal(signal.SIGBREAK)
    with pytest.raises(KeyboardInterrupt), interrupted_once():
        signal.raise_signal(signal.SIGBREAK)
    assert signal.getsignal(signal.SIGBREAK) == before
