"""What a test needs of the system that it runs on, and Windows or an unprivileged user there has not got."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest


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
links = pytest.mark.skipif(os.name != "posix" and not _makes_links(), reason="no symbolic link can be made here")
shell = pytest.mark.skipif(os.name != "posix", reason="a script of sh")
