from __future__ import annotations

from pathlib import Path

import pytest

from tests.wsman.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Where a test writes its inventory."""
    return tmp_path / "site.yaml"
