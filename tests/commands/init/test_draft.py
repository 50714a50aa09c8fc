"""What answers come to: an inventory that is read again, with nothing in it that is usual anyway, and no password."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compliance.commands.init.draft import Draft, DraftServer, from_folder, hosts_of
from compliance.commands.init.trial import inventory_from
from compliance.errors import UsageError

DRAFT = Draft(hosts=(DraftServer(typed="hv01.dr.example"),), username=r"DR\audit")
# What was typed -> name, address and port of each server.
TYPED: dict[str, list[tuple[str, str, int]]] = {
    "hv01": [("hv01", "hv01", 5986)],
    "hv01 hv02,hv03; hv04\thv05": [(f"hv0{at}", f"hv0{at}", 5986) for at in range(1, 6)],
    "hv01 HV01 hv01": [("hv01", "hv01", 5986)],
    "hv01:443": [("hv01", "hv01", 443)],
    "10.0.0.1:1 10.0.0.1:2": [("10.0.0.1", "10.0.0.1", 1), ("10.0.0.1-2", "10.0.0.1", 2)],
    "fe80::1 [fe80::2]:443": [("fe80--1", "fe80::1", 5986), ("fe80--2", "fe80::2", 443)],
    "münchen-01": [("münchen-01", "münchen-01", 5986)],
}


@pytest.mark.parametrize("typed", TYPED)
def test_servers_as_they_are_typed(typed: str) -> None:
    servers = inventory_from(replace(DRAFT, hosts=hosts_of(typed, ""))).servers
    assert [(server.name, server.address, server.port) for server in servers] == TYPED[typed]


def test_who_is_known_is_not_added_again() -> None:
    known = hosts_of("hv01", "berlin")
    assert [host.typed for host in hosts_of("hv01 hv02", "frankfurt", known)] == ["hv02"]


@pytest.mark.parametrize(
    ("draft", "keys"),
    [
        (DRAFT, {"transport": "ntlm", "credential": "audit", "scheme": "https", "site": None}),
        (
            replace(DRAFT, hosts=(DraftServer(typed="h", site="Köln: 1", scheme="http"),)),
            {"site": "Köln: 1", "port": 5985},
        ),
        (replace(DRAFT, transport="kerberos", username=""), {"transport": "kerberos", "credential": None}),
        (replace(DRAFT, transport="kerberos", username="audit@DR.EXAMPLE"), {"principal": "audit@DR.EXAMPLE"}),
        (replace(DRAFT, verify=False), {"verify": False}),
    ],
)
def test_it_is_the_inventory_that_was_meant(draft: Draft, keys: dict[str, object]) -> None:
    (server,) = inventory_from(draft).servers
    assert {key: getattr(server, key) for key in keys} == keys


def test_the_login_is_asked_for_and_kept_nowhere() -> None:
    place = inventory_from(DRAFT).credentials["audit"]
    assert (place.username, place.prompt) == (r"DR\audit", True)


def test_a_mistake_names_what_was_typed_and_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"got `https://hv01`: run `hyperv-compliance init` again"):
        inventory_from(replace(DRAFT, hosts=hosts_of("https://hv01", "")))


def test_a_file_is_named_from_the_inventorys_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_folder("ca.pem", tmp_path) == "ca.pem"
    assert from_folder("ca.pem", tmp_path / "sites") == "../ca.pem"
