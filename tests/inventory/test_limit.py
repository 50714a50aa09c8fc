"""`--hv-limit`: Ansible's patterns over servers and groups; what meets nothing is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.errors import UsageError
from compliance.inventory.limit import Limit
from compliance.inventory.read import read_any

SERVERS = {
    "bln-hv01": ("bln", "hyperv", "all"),
    "bln-hv02": ("bln", "hyperv", "dr", "all"),
    "fra-hv01": ("fra", "hyperv", "dr", "all"),
    "Lab[1]": ("all",),
}
ALL = set(SERVERS)

CHOSEN: dict[str, set[str]] = {
    "": ALL,
    "all": ALL,
    "*": ALL,
    "bln": {"bln-hv01", "bln-hv02"},
    "BLN": {"bln-hv01", "bln-hv02"},
    "bln-hv01": {"bln-hv01"},
    "*hv01": {"bln-hv01", "fra-hv01"},
    "bln,fra": ALL - {"Lab[1]"},
    "bln:fra": ALL - {"Lab[1]"},
    " bln , fra-hv01 ": ALL - {"Lab[1]"},
    "bln:&dr": {"bln-hv02"},
    "&dr:bln": {"bln-hv02"},
    "hyperv:!dr": {"bln-hv01"},
    "!dr": {"bln-hv01", "Lab[1]"},
    "&dr": {"bln-hv02", "fra-hv01"},
    "hyperv:&dr:!fra*": {"bln-hv02"},
    "!fra-hv01,bln,fra": {"bln-hv01", "bln-hv02"},
    "~bln-hv0[12]": {"bln-hv01", "bln-hv02"},
    "~(bln|fra)-hv01": {"bln-hv01", "fra-hv01"},
    "hyperv,!~.*02": {"bln-hv01", "fra-hv01"},
    "Lab[1]": {"Lab[1]"},
}

REFUSED = {
    "nobody": "--hv-limit: no server or group is called `nobody`",
    "bln:!nobody": "--hv-limit: no server or group is called `nobody`",
    "bln:&nobody": "--hv-limit: no server or group is called `nobody`",
    "bln:&fra": "--hv-limit bln:&fra: no server is left",
    "all:!all": "--hv-limit all:!all: no server is left",
    "bln[0]": "--hv-limit: places in a group are not counted (`bln[0]`): name the servers",
    "bln[0:1]": "--hv-limit: places in a group are not counted (`bln[0:1]`): name the servers",
    "@retry": "--hv-limit: files of names are not read (`@retry`): name the servers or their group",
    "~[": "--hv-limit: `~[` is no regular expression: unterminated character set at position 0",
    ",": "--hv-limit: expected names of servers or groups, got `,`",
    "bln,&": "--hv-limit: expected names of servers or groups, got `bln,&`",
}


@pytest.mark.parametrize(("pattern", "names"), CHOSEN.items())
def test_what_a_pattern_chooses(pattern: str, names: set[str]) -> None:
    assert Limit(pattern=pattern).chosen(SERVERS) == names


@pytest.mark.parametrize(("pattern", "told"), REFUSED.items())
def test_a_pattern_that_means_nothing_is_told(pattern: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        Limit(pattern=pattern).chosen(SERVERS)
    assert str(error.value) == told


def test_an_inventory_of_ours_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(
        "servers:\n- {name: hv01, groups: [bln]}\n- {name: hv02, address: hv02.dr.example}\ndefaults: {credential: a}\n"
    )
    inventory = read_any(path, Limit(pattern="bln"))
    assert [entry.name for entry in inventory.servers] == ["hv01"]
    assert (inventory.limit, inventory.left_out) == ("bln", ("hv02", "hv02.dr.example"))


def test_a_snapshot_is_not_limited(tmp_path: Path) -> None:
    (tmp_path / "lab.jsonl").write_text("")
    (path := tmp_path / "lab.yaml").write_text("snapshot: lab.jsonl\n")
    with pytest.raises(UsageError, match="--hv-limit chooses servers to read: a snapshot has been read"):
        read_any(path, Limit(pattern="all"))
