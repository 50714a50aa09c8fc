"""Files of waivers: strict dates, a mistake is one line with its place, and what a waiver covers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import UsageError
from compliance.gate.waivers import Waiver, read_waivers

RULES = ["failover-ip-needs-integration-services", "server-was-read"]
HEAD = "waivers:\n- rule: server-was-read\n  machine: hv01/sql01\n  reason: r\n  owner: o\n"


def read(folder: Path, text: str) -> tuple[Waiver, ...]:
    path = folder / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return read_waivers(path, RULES).waivers


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as error:
        read(folder, text)
    return str(error.value).replace(f"{folder}{os.sep}", "")


DAYS = {
    "2026-12-31": datetime(2027, 1, 1, tzinfo=UTC),
    "'2026-12-31'": datetime(2027, 1, 1, tzinfo=UTC),
    "2024-02-29": datetime(2024, 3, 1, tzinfo=UTC),
    "2026-12-31T18:00:00Z": datetime(2026, 12, 31, 18, tzinfo=UTC),
    "2026-12-31T18:00:00+02:00": datetime(2026, 12, 31, 16, tzinfo=UTC),
    "9999-12-31": datetime.max.replace(tzinfo=UTC),
}


@pytest.mark.parametrize(("written", "ends"), DAYS.items())
def test_a_day_holds_to_its_end_in_utc(written: str, ends: datetime, tmp_path: Path) -> None:
    (waiver,) = read(tmp_path, f"{HEAD}  expires: {written}\n")
    assert waiver.ends == ends
    if ends.year < 9999:
        assert not waiver.has_ended(ends - timedelta(microseconds=1))
        assert waiver.has_ended(ends)


WRONG_DAYS = [
    "2026-13-01",
    "2026-02-30",
    "2026-1-1",
    "31.12.2026",
    "12/31/2026",
    "20261231",
    "2026-12",
    "2026-W53-1",
    "2026-12-31T18:00:00",
    "2026-12-31 18:00:00Z",
    "2026-12-31T25:00:00Z",
    "tomorrow",
    "never",
    "٢٠٢٦-١٢-٣١",
]


@pytest.mark.parametrize("written", WRONG_DAYS)
def test_another_date_is_refused(written: str, tmp_path: Path) -> None:
    told = mistake(tmp_path, f"{HEAD}  expires: '{written}'\n")
    assert told.startswith("waivers.yaml:6: waivers[0].expires: expected a day (`2026-12-31`) or a time with its zone")
    assert "\n" not in told


MISTAKES = {
    "waivers: []\nx: 1\n": "2: x: unknown key",
    "waiver: []\n": "1: waiver: unknown key (did you mean `waivers`?)",
    "- rule: x\n": "1: expected keys such as `waivers`, got a list",
    f"{HEAD}": "2: waivers[0].expires: missing; every waiver needs a `expires`",
    f"{HEAD}  expires: 2026-12-31\n  expire: x\n": "7: waivers[0].expire: unknown key (did you mean `expires`?)",
    f"{HEAD}  expires: 2026-12-31\n  created: 2027-01-01\n": "6: waivers[0].expires: `2026-12-31` is before `created`, "
    "`2027-01-01`",
    f"{HEAD}  expires: 20261231\n": "6: waivers[0].expires: expected text, got `20261231`: put it in quotes",
    HEAD.replace("server-was-read", "server-was-red") + "  expires: 2026-12-31\n": "2: waivers[0].rule: "
    "no rule is called `server-was-red` (did you mean `server-was-read`?)",
    HEAD.replace("  machine: hv01/sql01\n", "")
    + "  expires: 2026-12-31\n": "2: waivers[0].rule: covers every subject; "
    "name a `server`, `machine`, `adapter`, `site` or `group` (`*` for all)",
    HEAD.replace("hv01/sql01", "[]") + "  expires: 2026-12-31\n": "3: waivers[0].machine: expected at least 1 entry, "
    "got a list",
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.items())
def test_a_mistake_is_one_line_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, text) == f"waivers.yaml:{told}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read: No such file"):
        read_waivers(tmp_path / "none.yaml", RULES)


@given(text=st.text(max_size=30))
def test_no_text_is_taken_for_a_day_by_guessing(text: str) -> None:
    from compliance.gate.waivers import moment

    try:
        moment(text)
    except ValueError:
        return
    assert text[:4].isdigit()
    assert text[4] == text[7] == "-"
