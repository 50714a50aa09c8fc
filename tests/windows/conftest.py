"""These are of Windows alone: elsewhere none is collected, where a skip would mean a missing program."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.name == "nt" else ["test_*.py"]
