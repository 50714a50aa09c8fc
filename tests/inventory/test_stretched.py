"""Stretched sites: what a list may say, where it is told that it can't mean it, and that a snapshot keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.commands.doctor.record.anonymous import anonymised
from compliance.errors import InventoryError, SnapshotError
from compliance.hyperv.estate import translate
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import Limit
from compliance.inventory.read import read_any
from compliance.model import Unread
from compliance.plan import read_plan
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import ServerRecord, Snapshot, join_snapshots
from compliance.snapshot.write import write_snapshot
from tests.inventory.ansible.conftest import WITHOUT

SERVERS = (
    "defaults: {credential: audit}\nservers:\n- {name: hv01, site: berlin}\n- {name: hv02, site: frankfurt}\n"
    "- {name: hv03, site: Köln}\n- {name: hv04}\n"
)


def read(folder: Path, text: str, others: Mapping[str, str] | None = None, limit: str = "") -> Inventory:
    for name, content in {"lab.yaml": text, **(others or {})}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return read_any(folder / "lab.yaml", Limit(pattern=limit), WITHOUT)


SOUND: dict[str, tuple[frozenset[str], ...]] = {
    "": (),
    "stretched: []\n": (),
    "stretched: [[berlin, frankfurt]]\n": (frozenset({"berlin", "frankfurt"}),),
    "stretched:\n- [Köln, berlin, frankfurt]\n": (frozenset({"berlin", "frankfurt", "Köln"}),),
    "stretched: [[berlin, munich], [frankfurt, Köln]]\nclusters:\n- {name: c, site: munich}\n": (
        frozenset({"berlin", "munich"}),
        frozenset({"frankfurt", "Köln"}),
    ),
}
IN_ONE = "sites that share their networks stand in one list"
MISTAKES = {  # each stands on line 7
    "stretched: berlin\n": "stretched: expected a list, got `berlin`",
    "stretched:\n": "stretched: expected a list, got nothing",
    "stretched: [berlin, frankfurt]\n": (
        "stretched[0]: expected a list, got `berlin`\n7: stretched[1]: expected a list, got `frankfurt`"
    ),
    "stretched: [[berlin]]\n": "stretched[0]: expected at least 2 entries, got a list",
    "stretched: [[]]\n": "stretched[0]: expected at least 2 entries, got a list",
    "stretched: [[berlin, 7]]\n": "stretched[0][1]: expected text, got `7`: put it in quotes",
    "stretched: [[berlin, '']]\n": "stretched[0][1]: expected at least 1 character, got nothing",
    "stretched: [[berlin, frankfort]]\n": (
        "stretched[0][1]: no server's `site` is `frankfort` (did you mean `frankfurt`?)"
    ),
    "stretched: [[Berlin, frankfurt]]\n": "stretched[0][0]: no server's `site` is `Berlin` (did you mean `berlin`?)",
    "stretched: [[berlin, nowhere]]\n": "stretched[0][1]: no server's `site` is `nowhere`",
    "stretched: [[berlin, berlin]]\n": f"stretched[0][1]: `berlin` is on {{}}:7: stretched[0][0] already: {IN_ONE}",
    "stretched: [[berlin, frankfurt], [Köln, berlin]]\n": (
        f"stretched[1][1]: `berlin` is on {{}}:7: stretched[0][0] already: {IN_ONE}"
    ),
    "streched: [[berlin, frankfurt]]\n": "streched: unknown key (did you mean `stretched`?)",
}


@pytest.mark.parametrize(("text", "sites"), SOUND.items(), ids=range(len(SOUND)))
def test_lists_of_sites(tmp_path: Path, text: str, sites: tuple[frozenset[str], ...]) -> None:
    assert read(tmp_path, SERVERS + text).stretched == sites


@pytest.mark.parametrize(("text", "why"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InventoryError) as error:
        read(tmp_path, SERVERS + text)
    path = str(tmp_path / "lab.yaml")
    assert str(error.value).splitlines() == [f"{path}:{line}" for line in f"7: {why}".format(path).splitlines()]


def test_a_limit_leaves_the_sites_known(tmp_path: Path) -> None:
    inventory = read(tmp_path, f"{SERVERS}stretched: [[berlin, frankfurt]]\n", limit="hv04")
    assert inventory.stretched == (frozenset({"berlin", "frankfurt"}),)


FRANKFURT = "defaults: {credential: audit}\nservers:\n- {name: hv02, site: frankfurt}\n- {name: hv03, site: mainz}\n"
TOP = "include: [fra.yaml]\ndefaults: {credential: audit}\nservers:\n- {name: hv01, site: berlin}\n"


def test_files_that_are_included_add_theirs(tmp_path: Path) -> None:
    text = f"{TOP}- {{name: hv09, site: potsdam}}\nstretched: [[berlin, potsdam]]\n"
    inventory = read(tmp_path, text, {"fra.yaml": f"{FRANKFURT}stretched: [[frankfurt, mainz]]\n"})
    assert inventory.stretched == (frozenset({"berlin", "potsdam"}), frozenset({"frankfurt", "mainz"}))
    across = read(tmp_path, f"{TOP}stretched: [[berlin, mainz]]\n", {"fra.yaml": FRANKFURT})
    assert across.stretched == (frozenset({"berlin", "mainz"}),)
    with pytest.raises(InventoryError) as error:
        read(
            tmp_path,
            f"{TOP}stretched: [[berlin, mainz]]\n",
            {"fra.yaml": f"{FRANKFURT}stretched: [[mainz, frankfurt]]\n"},
        )
    lab, fra = tmp_path / "lab.yaml", tmp_path / "fra.yaml"
    assert str(error.value) == f"{fra}:5: stretched[0][0]: `mainz` is on {lab}:5: stretched[0][1] already: {IN_ONE}"


def snapshot(*stretched: tuple[str, ...], server: str = "hv01") -> Snapshot:
    unread = Unread("was not asked")
    return Snapshot(
        estate="lab",
        time=datetime(2026, 11, 2, tzinfo=UTC),
        tool="hyperv-compliance",
        servers=tuple(
            ServerRecord(name=f"{server}-{site}", site=site, reading=unread) for site in ("berlin", "frankfurt")
        ),
        stretched=tuple(map(frozenset, stretched)),
    )


BOTH = ("berlin", "frankfurt")


def test_a_snapshot_keeps_them(tmp_path: Path) -> None:
    write_snapshot(snapshot(BOTH), tmp_path / "a.jsonl")
    assert read_snapshot(tmp_path / "a.jsonl") == snapshot(BOTH)
    assert translate(snapshot(BOTH)).stretched == (frozenset(BOTH),)
    write_snapshot(snapshot(), tmp_path / "b.jsonl")
    assert b"stretched" not in (tmp_path / "b.jsonl").read_bytes()
    assert read_snapshot(tmp_path / "b.jsonl").stretched == ()


@pytest.mark.parametrize(
    "text",
    ['"x"', "[[]]", '[["berlin"]]', '[["berlin", 5]]', '[["berlin", "berlin"]]', '[["a", "b"], ["b", "c"]]', "{}"],
)
def test_a_damaged_header(tmp_path: Path, text: str) -> None:
    write_snapshot(snapshot(BOTH), path := tmp_path / "a.jsonl")
    path.write_text(path.read_text().replace('[["berlin","frankfurt"]]', text))
    with pytest.raises(SnapshotError, match=r"a\.jsonl:1: damaged header"):
        read_snapshot(path)


def test_an_inventory_before_a_snapshot_sets_them(tmp_path: Path) -> None:
    write_snapshot(snapshot(BOTH), tmp_path / "a.jsonl")
    (path := tmp_path / "lab.yaml").write_text("snapshot: a.jsonl\n")
    assert (planned := read_plan(str(path), []).snapshot)
    assert planned.stretched == ()
    path.write_text("snapshot: a.jsonl\nstretched: [[frankfurt, berlin]]\n")
    assert (planned := read_plan(str(path), []).snapshot)
    assert planned.stretched == (frozenset(BOTH),)
    path.write_text("snapshot: a.jsonl\nstretched: [[frankfurt, berlln]]\n")
    with pytest.raises(
        InventoryError, match=r"lab.yaml:2: stretched\[0\]\[1\]: no server's `site` is `berlln` \(did you"
    ):
        read_plan(str(path), [])


def test_snapshots_that_are_joined_agree() -> None:
    a, b = Path("a"), Path("b")
    assert join_snapshots([(a, snapshot(BOTH)), (b, snapshot(BOTH, server="hv02"))]).stretched == (frozenset(BOTH),)
    more = join_snapshots([(a, snapshot(BOTH)), (b, snapshot(("x", "y"), server="hv02"))])
    assert more.stretched == (frozenset(BOTH), frozenset({"x", "y"}))
    with pytest.raises(SnapshotError, match="b: was gathered with other `stretched` sites than a"):
        join_snapshots([(a, snapshot(BOTH)), (b, snapshot(("berlin", "mainz"), server="hv02"))])


def test_an_anonymous_copy_keeps_them_under_other_names() -> None:
    other = anonymised(snapshot(BOTH))
    assert other.stretched == (frozenset(str(source.site) for source in other.servers),)
    assert "berlin" not in repr(other)
