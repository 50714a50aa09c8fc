"""Nobody else than the inventory names is logged in: what a login says of itself is held against it."""

from __future__ import annotations

import pytest

login = pytest.importorskip("compliance.wsman.kerberos_login", reason="no Kerberos libraries here")


@pytest.mark.parametrize(
    ("principal", "user", "is_same"),
    [
        ("", "whoever@LAB.EXAMPLE", True),
        ("reader@LAB.EXAMPLE", "reader@LAB.EXAMPLE", True),
        ("reader", "reader@LAB.EXAMPLE", True),
        ("reader@LAB.EXAMPLE", "reader@OTHER.EXAMPLE", False),
        ("reader@LAB.EXAMPLE", "other@LAB.EXAMPLE", False),
        ("reader", "other@LAB.EXAMPLE", False),
        ("reader", "reader", False),
        ("reader@LAB.EXAMPLE", "LAB\\reader", False),
        ("reader@LAB.EXAMPLE", "", False),
    ],
)
def test_a_principal_is_whoever_logged_in_and_nobody_else(principal: str, user: str, is_same: bool) -> None:
    assert login.is_same(principal, user) is is_same
