"""Which right is named for which refusal, and commands that mean what they say."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.commands.doctor.examination import GrantBasis
from compliance.commands.doctor.grants import for_denied, for_hidden, for_login, for_scheme, is_local
from compliance.errors import Why
from compliance.model import Unread
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.fault import Fault


def endpoint(**changes: Any) -> Endpoint:
    values: dict[str, Any] = {"address": "hv01.dr.example", "username": "DR\\audit", **changes}
    return Endpoint(**values)


def refused(**fault: Any) -> dict[str, Unread]:
    """What the wire's own fault says, as a reading keeps it."""
    error = Fault(why=Why.NOT_PERMITTED, **fault)
    return {"root/virtualization/v2": Unread(str(error), error.why)}


WINRM, WMI = ["remote-management-users", "wmi-plug-in"], ["namespace"]
REFUSALS: list[tuple[dict[str, Any], list[str]]] = [
    ({"code": 5}, WINRM),
    ({"code": 0x80070005}, WINRM),
    ({"code": 5, "provider": "WMI Provider"}, ["wmi-plug-in", *WMI]),
    ({"code": 0x80041003}, WMI),
    ({"code": 2150859012}, ["wmi-plug-in", *WMI]),
    ({"code": 2150859013}, ["wmi-plug-in", *WMI]),
    ({"code": 4711}, WINRM + WMI),
    ({}, WINRM + WMI),
    ({"code": 5, "text": "fault 2147749891 (0x80041003)] is what I say"}, WINRM),
]


@pytest.mark.parametrize(("fault", "keys"), REFUSALS)
def test_who_refuses_is_known_by_the_number(fault: dict[str, Any], keys: list[str]) -> None:
    assert [grant.key for grant in for_denied(endpoint(), "10.0.20348", refused(**fault))] == keys


def test_a_local_account_has_one_right_less() -> None:
    keys = [grant.key for grant in for_denied(endpoint(username="audit"), None, refused(code=5))]
    assert keys == [*WINRM, "local-account"]


@pytest.mark.parametrize(
    ("username", "local"),
    [
        ("audit", True),
        (".\\audit", True),
        ("DR\\audit", False),
        ("audit@dr.example", False),
        ("", False),
    ],
)
def test_which_accounts_are_local(username: str, local: bool) -> None:
    assert is_local(username) is local


@pytest.mark.parametrize(
    ("username", "version", "command"),
    [
        (
            "DR\\audit",
            "10.0.20348",
            "Add-LocalGroupMember -SID S-1-5-32-578 -Member 'DR\\audit'  # Hyper-V Administrators",
        ),
        ("DR\\audit", "6.3.9600", "net localgroup \"Hyper-V Administrators\" 'DR\\audit' /add"),
        (".\\audit", None, "Add-LocalGroupMember -SID S-1-5-32-578 -Member 'audit'  # Hyper-V Administrators"),
        (
            "O'Hara $(x)",
            None,
            "Add-LocalGroupMember -SID S-1-5-32-578 -Member 'O''Hara $(x)'  # Hyper-V Administrators",
        ),
        ("", None, "Add-LocalGroupMember -SID S-1-5-32-578 -Member 'DOMAIN\\account'  # Hyper-V Administrators"),
    ],
)
def test_a_group_is_joined_by_what_the_version_has(username: str, version: str | None, command: str) -> None:
    (grant,) = for_hidden(endpoint(username=username), version)
    assert grant.commands == (command,)


def test_the_older_group_is_named_where_it_exists() -> None:
    new, old = (for_denied(endpoint(), version, refused(code=5))[0] for version in ("10.0.20348", "6.2.9200"))
    assert not any("WinRMRemoteWMIUsers__" in command for command in new.commands)
    assert old.commands[-1] == "net localgroup WinRMRemoteWMIUsers__ 'DR\\audit' /add"


def test_every_namespace_gets_its_own_lines() -> None:
    denied = {**refused(code=0x80041003), "root/cimv2": Unread(str(Fault(why=Why.NOT_PERMITTED, code=0x80041003)))}
    (grant,) = for_denied(endpoint(), None, denied)
    assert grant.missing.endswith("on root/cimv2 and root/virtualization/v2")
    for namespace in denied:
        assert sum(f"-Namespace {namespace} " in line for line in grant.commands) == 2
    assert "0x21" in " ".join(grant.commands)  # Enable Account and Remote Enable, and no more


def test_after_a_refused_login() -> None:
    def keys(**changes: Any) -> list[str]:
        return [grant.key for grant in for_login(endpoint(**changes), Why.LOGIN_REFUSED)]

    assert keys() == ["remote-management-users", "channel-binding"]
    assert keys(scheme="http") == ["remote-management-users"]
    assert keys(username="audit", transport="basic") == ["remote-management-users", "local-account"]
    assert keys(transport="certificate") == ["certificate-mapping"]
    assert for_login(endpoint(), Why.TIMED_OUT) == ()
    assert [one.key for one in for_login(endpoint(scheme="http", cleartext=True), Why.BROKEN)] == ["encryption"]


@pytest.mark.parametrize(
    ("transport", "keys"), [("basic", ["basic-login"]), ("ntlm", ["negotiate-login"]), ("credssp", [])]
)
def test_what_would_offer_a_scheme(transport: str, keys: list[str]) -> None:
    assert [grant.key for grant in for_scheme(transport)] == keys


def test_what_no_page_says_in_one_piece_is_marked() -> None:
    by_key = {
        grant.key: grant.basis
        for grant in (
            *for_denied(endpoint(username="audit"), None, refused()),
            *for_hidden(endpoint(), None),
            *for_login(endpoint(), Why.LOGIN_REFUSED),
        )
    }
    inferred = {key for key, basis in by_key.items() if basis is GrantBasis.INFERRED}
    assert inferred == {"namespace", "remote-management-users", "channel-binding"}
