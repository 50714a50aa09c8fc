from __future__ import annotations

from pathlib import Path

import pytest

from tests.guests.trees import base


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base(tmp_path_factory.mktemp("tools") / "root")
