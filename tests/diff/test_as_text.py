"""A difference told as text, Markdown and JSON: the same facts, bounded, and harmless whatever a host wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.diff.as_json import as_json
from compliance.diff.as_markdown import MOST_BYTES, as_markdown
from compliance.diff.as_text import MOST_ITEMS, as_text
from compliance.diff.aspects import Change
from compliance.diff.compare import compare
from compliance.diff.difference import AuditExtent, Changed, Difference, Effect, Fate, Flip
from compliance.diff.words import MOST_LETTERS
from compliance.model import Role, Unread
from compliance.report.markdown_parts import code
from compliance.rule import Severity, failed, passed
from compliance.words import printable
from tests.builders import source, unread_source
from tests.comparing import audit
from tests.hosts import NOW, WINDOWS, Host, Nic, Vm, replica_of

# --- two audits of a small estate, a week apart -----------------------------------------------------------------------

TO_02 = {"hosts": (("hv01.dr.example", "hv02.dr.example"),)}
TO_04 = {"hosts": (("hv03.dr.example", "hv04.dr.example"),)}
SQL = Vm(name="sql01", **TO_02)  # type: ignore[arg-type]
WEB = Vm(name="web01", kvp=12, heartbeat=12, **TO_02)  # type: ignore[arg-type]
OLD = Vm(name="old01", mode=0, state=0, hosts=(), nics=())
BATCH = Vm(name="batch01", kvp=12, heartbeat=12, uptime=180_000, hosts=())
ERP, CRM = (Vm(name=name, **TO_04) for name in ("erp01", "crm01"))  # type: ignore[arg-type]
NEW = {**WINDOWS, "OSVersion": "10.0.20348", "IntegrationServicesVersion": "10.0.20348"}


def hosts(first: list[Vm], second: list[Vm], version: str = "10.0.17763") -> list[Any]:
    return [source(Host(name="HV01", version=version, vms=first)), source(Host(name="HV02", vms=second))]


BEFORE = audit(
    *hosts([SQL, WEB, OLD, BATCH], [replica_of(SQL), replica_of(WEB)]),
    source(Host(name="HV03", vms=[ERP, CRM])),
    tool="hyperv-compliance 0.1.0",
)
LATER = audit(
    *hosts(
        [
            replace(SQL, offered=3, nics=[Nic(addresses=("10.2.0.21",), subnets=(), connected=False)]),
            replace(WEB, kvp=2, heartbeat=2, items=NEW),
            replace(BATCH, uptime=7 * 24 * 3_600_000),
        ],
        [replica_of(SQL), replica_of(WEB)],
        version="10.0.20348",
    ),
    unread_source("hv03", "connection refused"),
    source(Host(name="HV05", vms=[Vm(name="new01", hosts=())])),
    tool="hyperv-compliance 0.1.0",
)
AFTER = replace(LATER, estate=replace(LATER.estate, time=NOW + timedelta(days=7)))
DIFFERENCE = compare(BEFORE, AFTER)
TEXT = (Path(__file__).parent / "small.txt").read_text("utf-8").rstrip("\n")


def lines(difference: Difference) -> list[str]:
    return list(as_text(difference))


def test_the_text_of_a_small_difference() -> None:
    assert "\n".join(lines(DIFFERENCE)) == TEXT


def test_markdown_says_the_same() -> None:
    told = [line.replace("`", "").strip() for line in as_markdown(DIFFERENCE)]
    items = [line.removeprefix("- ") for line in told if line.startswith("- ")]
    assert items == [line.strip() for line in lines(DIFFERENCE)[1:] if line.startswith(" ")]
    titles = [line.removeprefix("### ").upper() for line in told if line.startswith("### ")]
    assert titles == [line for line in lines(DIFFERENCE)[1:] if line and not line.startswith(" ")]
    assert f"**{lines(DIFFERENCE)[0].removeprefix('test: ')}**" in told


def test_nothing_that_changed_is_one_sentence() -> None:
    same = compare(BEFORE, BEFORE)
    assert lines(same)[0] == "test: Nothing changed, and every outcome is as it was."
    assert len(lines(same)) == 3
    assert len(list(as_markdown(same))) == 6


def test_what_limits_a_comparison_is_told_first() -> None:
    found = compare(replace(AFTER, complete=False), replace(BEFORE, complete=False))
    assert [line.strip() for line in lines(found)[3:6]] == [
        "The first snapshot is the newer one: before and after are swapped.",
        "The first snapshot is incomplete: the gathering was interrupted.",
        "The second snapshot is incomplete: the gathering was interrupted.",
    ]


# --- JSON -------------------------------------------------------------------------------------------------------------


def told(difference: Difference) -> Any:
    return json.loads("\n".join(as_json(difference)))


def test_json_holds_what_its_version_promises() -> None:
    found = told(DIFFERENCE)
    assert list(found) == [
        *("format", "version", "estate", "is_worse", "before", "after", "worse", "better", "other", "entries", "turns")
    ]
    assert (found["format"], found["version"], found["is_worse"]) == ("hyperv-compliance difference", 1, True)
    assert found["before"] == {
        "time": "2026-11-02T06:30:00+00:00",
        "tool": "hyperv-compliance 0.1.0",
        "complete": True,
        "servers": 3,
        "unread": 0,
        "machines": 8,
    }
    assert [found[effect] for effect in Effect] == [6, 3, 1]
    (sql,) = (entry for entry in found["entries"] if entry["label"] == "hv01/sql01")
    assert sql == {
        "kind": "machine",
        "label": "hv01/sql01",
        "server": "hv01",
        "guid": SQL.id,
        "role": "primary",
        "fate": "stayed",
        "reason": "",
        "changes": [
            {"what": "Data Exchange", "of": "", "before": "offered", "after": "switched off"},
            {"what": "adapter switch", "of": "Network Adapter", "before": "connected", "after": "not connected"},
            {"what": "failover addresses", "of": "Network Adapter", "before": "10.2.0.20", "after": "10.2.0.21"},
            {"what": "failover subnets", "of": "Network Adapter", "before": "255.255.255.0", "after": None},
            {"what": "failover gateways", "of": "Network Adapter", "before": "10.2.0.1", "after": None},
        ],
        "flips": [
            {
                "rule": "failover-ip-needs-integration-services",
                "severity": "error",
                "effect": "worse",
                "before": {"result": "passed", "finding": sql["flips"][0]["before"]["finding"]},
                "after": {"result": "failed", "finding": sql["flips"][0]["after"]["finding"]},
            }
        ],
        "because": [],
        "explained": True,
    }
    (server,) = (entry for entry in found["entries"] if entry["label"] == "hv03")
    assert server["changes"] == [
        {"what": "reading", "of": "", "before": "read", "after": {"not_known": "connection refused"}}
    ]


def test_json_tells_every_turn() -> None:
    turns = told(DIFFERENCE)["turns"]
    assert len(turns) == len(DIFFERENCE.turns) > 5
    sql = next(one for one in turns if (one["name"], one["direction"]) == ("sql01", "failback"))
    assert (sql["before"]["word"], sql["after"]["word"]) == ("ready", "not ready")
    assert sql["after"]["reason"].startswith("Data Exchange is switched off")
    assert next(one for one in turns if one["name"] == "crm01")["after"] is None


def test_json_tells_every_entry_once_and_in_one_order() -> None:
    assert [entry["label"] for entry in told(DIFFERENCE)["entries"]] == [entry.label for entry in DIFFERENCE.entries]
    assert [(entry.kind, entry.label) for entry in DIFFERENCE.entries] == sorted(
        ((entry.kind, entry.label) for entry in DIFFERENCE.entries), key=lambda pair: (pair[0] == "machine", pair[1])
    )


@pytest.mark.parametrize("write", [as_text, as_markdown, as_json])
def test_the_same_audits_give_the_same_bytes(write: Any) -> None:
    assert list(write(compare(BEFORE, AFTER))) == list(write(DIFFERENCE))


# --- bounds -----------------------------------------------------------------------------------------------------------


def many(count: int, **values: Any) -> Difference:
    entries = [
        Changed(label=f"hv01/vm{number:05d}", server="hv01", guid=f"{number}", fate=Fate.STAYED, **values)
        for number in range(count)
    ]
    return replace(DIFFERENCE, entries=tuple(entries))


WORSE = Flip(rule="x", severity=Severity.ERROR, before=passed(), after=failed("y" * 5000))


@pytest.mark.parametrize("count", [MOST_ITEMS, MOST_ITEMS + 1, 4 * MOST_ITEMS])
def test_a_section_of_the_text_is_bounded(count: int) -> None:
    found = lines(many(count, flips=(WORSE,)))
    assert f"GOT WORSE ({count})" in found
    assert sum("hv01/vm" in line for line in found) == MOST_ITEMS
    rest = [f"    … and {count - MOST_ITEMS} more"] if count > MOST_ITEMS else []
    assert [line for line in found if line.startswith("    …")] == rest
    assert max(map(len, found)) < MOST_LETTERS + 100


def test_thousands_of_machines_of_an_unread_server_are_one_item() -> None:
    entries = tuple(replace(entry, fate=Fate.LOST, reason="r") for entry in many(5000).entries)
    found = lines(replace(DIFFERENCE, entries=entries))
    assert found[-3:] == [
        "NOT KNOWN NOW (5000)",
        "    5000 virtual machines: not known now, since r",
        f"        named {', '.join(f'hv01/vm{number:05d}' for number in range(10))} and 4990 more",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["y", "\N{CJK UNIFIED IDEOGRAPH-6771}", "\N{PILE OF POO}", "\x00"])
@pytest.mark.parametrize("count", [1, 100, 5000])
def test_markdown_is_bounded_and_tells_what_it_left_out(count: int, letter: str) -> None:
    flip = replace(WORSE, after=failed(letter * 5000))
    text = "\n".join(as_markdown(many(count, flips=(flip,))))
    assert len(text.encode()) <= MOST_BYTES
    told = text.count("hv01/vm")
    assert 0 < told <= count
    left_out = re.findall(r"\*(\d+) more entr", text)
    assert left_out == ([str(count - told)] if count > told else [])
    assert count < 5000 or told > 30


# --- harmless ---------------------------------------------------------------------------------------------------------

OURS = re.compile(r"[\w ,.:;()*#/-]*(?:-> ?[\w ,.:;()*#/-]*)*", re.ASCII)
NAMES = [
    *("|", "a|b", "`", "``", "a`b``c", "` x `", "```\nx", "\\", "\\`", "<img src=x onerror=alert(1)>", "<!--", "&lt;"),
    *("@octocat", "@org/team", "#1", "owner/repo#1", "https://evil.example", "www.evil.example", "a@evil.example"),
    *("[x](https://evil.example)", "![x](y)", "**x**", "_x_", "~~x~~", ":tada:", "$x$", "- x", "1. x", "# x", "> x"),
    *("\r\n\r\n# x", "\u2028# x", "\u202ex", "\x1b[31m", "   ", "x" * 5000, "\ud800"),
]


def hostile(text: str) -> Difference:
    """The same text in every place that somebody else writes."""
    flip = Flip(rule="x", severity=Severity.ERROR, before=passed(text), after=failed(text))
    changes = (
        Change(what="name", before=text, after=text),
        Change(what="adapter switch", of=text, before=Unread(text), after=None),
    )
    stayed = Changed(
        label=text,
        server=text,
        guid="1",
        role=Unread(text),
        fate=Fate.STAYED,
        changes=changes,
        flips=(flip,),
        because=(text, text),
    )
    lost = replace(stayed, role=Role.PRIMARY, fate=Fate.LOST, reason=text, changes=(), because=())
    seen = AuditExtent(time=NOW, tool=text, complete=True, servers=1, unread=0, machines=1)
    entries = (
        stayed,
        lost,
        lost,
        replace(stayed, guid="", role=None, fate=Fate.WENT, flips=(replace(flip, after=None),)),
    )
    return Difference(estate=text, before=seen, after=seen, entries=entries)


def spans(line: str) -> Iterator[tuple[bool, str]]:
    """Whether it is code, and its text: as CommonMark 0.31 (6.1) reads it, the first run of one length closes."""
    while match := re.search(r"(?<!`)(`+)(?!`)", line):
        closing = re.compile(rf"(?<!`){match[1]}(?!`)").search(line, match.end())
        assert closing, line
        yield False, line[: match.start()]
        inside = line[match.end() : closing.start()]
        yield True, inside[1:-1] if inside.startswith(" ") and inside.endswith(" ") and inside.strip() else inside
        line = line[closing.end() :]
    yield False, line


def check_markdown(text: str) -> None:
    found = list(as_markdown(hostile(text)))
    expected = printable(text).strip() or "(empty)"
    inside = [piece for line in found for is_code, piece in spans(line) if is_code]
    assert len(inside) == len(
        [piece for line in as_markdown(hostile("x")) for is_code, piece in spans(line) if is_code]
    )
    for piece in inside:
        assert piece == expected or (len(piece) == MOST_LETTERS and expected.startswith(piece[:-1]))
    for line in found:
        assert line.isprintable()
        assert all(OURS.fullmatch(piece) for is_code, piece in spans(line) if not is_code), line


@pytest.mark.parametrize("text", NAMES)
def test_whatever_a_host_wrote_is_code_in_markdown(text: str) -> None:
    check_markdown(text)


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.text(st.one_of(st.sampled_from("`` \\|<@x\n"), st.characters(exclude_categories=())), min_size=1, max_size=20)
)
def test_any_text_is_code_in_markdown(text: str) -> None:
    check_markdown(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_no_text_makes_a_line_of_its_own_or_breaks_json(text: str) -> None:
    found = hostile(text)
    assert all(line.isprintable() for line in as_text(found))
    assert len(lines(found)) == len(lines(hostile("x")))
    assert all(line.isascii() and line.isprintable() for line in as_json(found))
    assert told(found)["entries"][0]["changes"][0]["before"] == text


def test_a_code_span_is_never_empty() -> None:
    assert [code(text) for text in ("", " ", "`", "a`", "``")] == [
        "`(empty)`",
        "`(empty)`",
        "`` ` ``",
        "`` a` ``",
        "``` `` ```",
    ]
