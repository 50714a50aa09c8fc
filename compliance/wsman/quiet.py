"""No warning and no token of the libraries below us reaches a terminal or a log."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# These log tokens at level DEBUG: a Kerberos ticket, or an NTLM answer from which a password can be guessed.
_TALKATIVE = [logging.getLogger(name) for name in ("requests_credssp", "requests_ntlm", "spnego", "winrm")]


class _Silence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()
        self._levels: list[int] = []

    def begin(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
                self._levels = [logger.level for logger in _TALKATIVE]
                for logger in _TALKATIVE:
                    logger.setLevel(logging.CRITICAL + 1)

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)
                for logger, level in zip(_TALKATIVE, self._levels, strict=True):
                    logger.setLevel(level)


_silence = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """Let no warning of a library below us be shown, or raised where warnings are errors: verdicts don't hang on them.
    Nor do those of the logins log what they send and receive, whatever level pytest's options ask for.

    ``catch_warnings`` alone isn't for threads: two that overlap restore each other's filters. So the first one in
    silences and the last one out restores. It also takes back what pywinrm's constructor does to the filters.
    """
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
