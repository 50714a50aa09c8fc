"""Files that come with the program: demo estates, the example inventory, schemas. In the repository they stand in
`inventories/`; a wheel carries the same files as `compliance/data/` (see pyproject.toml), so that none is kept twice.
"""

from __future__ import annotations

from pathlib import Path

import compliance

_PACKAGE = Path(compliance.__file__).parent


def packaged_file(name: str) -> Path:
    """Return the path of a file of `inventories/`, wherever the program runs. FileNotFoundError for no such one."""
    installed = _PACKAGE / "data" / name
    path = installed if installed.is_file() else _PACKAGE.parent / "inventories" / name
    if not path.is_file():
        raise FileNotFoundError(path)
    return path
