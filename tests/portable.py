"""What a test needs of the system that it runs on, and Windows, an unprivileged user there or Wine has not got."""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path

import pytest


def _is_wine() -> bool:
    """Return whether it is Windows' Python, and Wine behind it."""
    return os.name == "nt" and hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


def _makes_links() -> bool:
    """Return whether a link to a file can be made: on Windows by administrators alone, and Wine makes none."""
    with tempfile.TemporaryDirectory() as name:
        link = Path(name) / "link"
        (Path(name) / "file").touch()
        try:
            link.symlink_to("file")
        except OSError:
            return False
        return link.is_file()


posix = pytest.mark.skipif(os.name != "posix", reason="POSIX alone has signals, sessions, modes, pipes and limits")
shell = pytest.mark.skipif(os.name != "posix", reason="a script of sh")
links = pytest.mark.skipif(os.name != "posix" and not _makes_links(), reason="no symbolic link can be made here")
numpy = pytest.mark.skipif(_is_wine(), reason="Wine: its C runtime lacks what numpy calls, which sarif-tools loads")
sspi = pytest.mark.skipif(_is_wine(), reason="Wine: it has no SSPI that could accept CredSSP")
