"""Nothing of the original is left, and everything that we think of it is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.commands.doctor.record.anonymous import LEFT_OUT, SAME_EVERYWHERE, anonymised
from compliance.commands.doctor.record.rows import CLASSES, PROPERTIES
from compliance.errors import Why
from compliance.hyperv.assumptions.held import assumptions, assumptions_on_sides
from compliance.hyperv.estate import translate
from compliance.hyperv.rows import GUID
from compliance.judge.judge import judge
from compliance.model import Guest, Row, Unread
from compliance.rule import Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.host_rows import kvp_item
from tests.hosts import DATA_EXCHANGE, PROVIDER, Host, Nic, Vm, guid, linux, replica_of
from tests.lab import SNAPSHOT
from tests.profiles import examples

FOREIGN = guid("a provider of others")
LAB = read_snapshot(SNAPSHOT)
FOUR = re.compile(r"(?<![\d.])(?!0\.0\.0\.0|127\.|255\.)\d+\.\d+\.\d+\.\d+(?![\d.])")
MAC = re.compile("00155d[0-9a-f]{6}")
A_GUID = re.compile(GUID, re.IGNORECASE)

shared_folder = settings(
    max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def file_of(found: Snapshot, folder: Path) -> str:
    path = folder / "s.jsonl"
    write_snapshot(found, path)
    assert read_snapshot(path) == found
    return path.read_text("ascii").casefold()


def written(text: str) -> str:
    """As it would stand in the file."""
    return text.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00").casefold()


def identifying(text: str) -> set[str]:
    """What any file of this kind holds that tells whose it is."""
    found = {match[0] for pattern in (A_GUID, FOUR, MAC) for match in pattern.finditer(text)}
    return found - {kept.casefold() for kept in (*SAME_EVERYWHERE, PROVIDER, FOREIGN)}


def leaves(row: Row) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        yield from ((name, text) for text in (value if isinstance(value, list) else [value]) if text is not None)


def rows_of(one: ServerRecord) -> Iterator[Row]:
    if isinstance(one.reading, Reading):
        answers = [*one.reading.classes.values(), *one.reading.again.values()]
        yield from (row for answer in answers if not isinstance(answer, Unread) for row in answer)


def exchanged(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Original text -> its pseudonym, from the places where they stand."""
    found: dict[str, str] = {}
    for was, now in zip(before.servers, after.servers, strict=True):
        for old, new in zip(rows_of(was), rows_of(now), strict=True):
            pairs = zip(leaves(old), leaves(new), strict=True)
            found |= {one: other for (_, one), (_, other) in pairs}
    found |= dict(zip(published(before), published(after), strict=True))
    return found | {was.name: now.name for was, now in zip(before.servers, after.servers, strict=True)}


def published(found: Snapshot) -> list[str]:
    """The addresses inside of what guests published, in the order of their servers' rows."""
    machines = {machine.guid: machine for server in translate(found).servers for machine in server.machines}
    guests = [machines[guid].guest for guid in machine_guids(found) if guid in machines]
    return [address for guest in guests if isinstance(guest, Guest) for address in guest.addresses]


def machine_guids(found: Snapshot) -> list[str]:
    return [
        text.upper() for one in found.servers for row in rows_of(one) for name, text in leaves(row) if name == "Name"
    ]


def told(found: Snapshot) -> list[tuple[object, ...]]:
    """Everything that a verdict says except names, in an order that does not depend on them."""
    places = {one.name: place for place, one in enumerate(found.servers)}
    number = {text: place for place, text in reversed(list(enumerate(machine_guids(found))))}

    def of(verdict: Verdict) -> tuple[object, ...]:
        outcome, machine = verdict.outcome, verdict.machine
        return (
            verdict.rule.key,
            places.get(verdict.server or "", -1),
            number[machine.guid] if machine else -1,
            outcome.result,
            outcome.fact(BPA),
            outcome.evidence.partition(" on ")[0],
            len(outcome.remarks),
            len(outcome.facts.get(ADDRESSES_NOW, ())),
            len(machine.failover_addresses) if machine else 0,
        )

    return sorted(map(of, judge(translate(found))), key=repr)


def states(found: Snapshot) -> list[tuple[object, ...]]:
    ours = [
        assumption
        for one in found.servers
        if isinstance(one.reading, Reading)
        for assumption in assumptions(one, one.reading)
    ]
    ours += assumptions_on_sides(translate(found).servers)
    return [(one.key, one.agreeing, one.against) for one in ours]


def check(found: Snapshot, folder: Path, *secrets: str) -> Snapshot:
    after = anonymised(found)
    original, copy = file_of(found, folder), file_of(after, folder)
    assert not identifying(original) & identifying(copy)
    for secret in map(written, secrets):
        assert secret in original, "looks for what was never there"
        assert secret not in copy
    assert told(after) == told(found)
    assert states(after) == states(found)
    assert anonymised(after) == after
    return after


# --- the demo ---------------------------------------------------------------------------------------------------------

DEMO_NAMES = [
    *(one.name for one in LAB.servers),
    *(machine.name for one in translate(LAB).servers for machine in one.machines if "<" not in machine.name),
    *(
        "demo",
        "berlin",
        "frankfurt",
        "example",
        "muc-hv09",
        "network adapter",
        "alert",
        "onerror",
        "2001:db8",
        "connection refused",
    ),
]


def test_nothing_of_the_demo_is_left(tmp_path: Path) -> None:
    assert len(set(DEMO_NAMES)) > 30
    check(LAB, tmp_path, *DEMO_NAMES)


def test_what_is_said_of_the_demo_is_the_same_in_other_words() -> None:
    after = anonymised(LAB)
    words = exchanged(LAB, after)
    findings = [
        verdict.outcome.finding for verdict in judge(translate(after)) if LEFT_OUT not in verdict.outcome.finding
    ]
    pattern = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))
    originals = [
        pattern.sub(lambda match: words[match[0]], verdict.outcome.finding)
        for verdict in judge(translate(LAB))
        if "connection refused" not in verdict.outcome.finding
    ]
    assert sorted(findings) == sorted(originals)


# --- anything ---------------------------------------------------------------------------------------------------------

words = st.from_regex(r"[qxz][QXZqxzjk]{3,7}", fullmatch=True)  # no word of ours has such letters
hard_words = st.builds(
    "{}{}{}".format, words, st.sampled_from(["", " ", "/", " [", "東京", "\u202e", "::", "ß.", "\ud800"]), words
)
fours = st.builds("{}.{}.{}.{}".format, st.integers(1, 126), *[st.integers(0, 255)] * 3)
sixes = st.builds("fd{:02x}:{:x}::{:x}".format, st.integers(0, 255), st.integers(1, 0xFFFF), st.integers(1, 0xFFFF))
nics = st.builds(
    Nic,
    name=words,
    addresses=st.lists(fours | sixes | words | st.sampled_from([None, "", " "]), max_size=2).map(tuple),
    subnets=st.lists(st.sampled_from(["255.255.255.0", "64"]) | fours, max_size=2).map(tuple),
    gateways=st.lists(fours, max_size=1).map(tuple),
    legacy=st.booleans(),
    connected=st.booleans(),
    failover_row=st.booleans(),
)
items = st.dictionaries(
    st.sampled_from(
        ["OSName", "OSVersion", "IntegrationServicesVersion", "NetworkAddressIPv4", "FullyQualifiedDomainName"]
    )
    | words,
    st.sampled_from(["FreeBSD", "Debian GNU/Linux", "Oracle Linux", "12.2", "Windows Server 2019", ""]) | words | fours,
    max_size=4,
) | st.just(linux("Ubuntu", "22.04"))


@st.composite
def estates(draw: st.DrawFn) -> tuple[Snapshot, set[str]]:
    labels = draw(st.lists(words, min_size=3, max_size=3, unique_by=str.casefold))
    hosts = [f"{label}.{labels[2]}.{draw(words)}" for label in labels[:2]]
    machines = [
        Vm(
            name=name,
            guid=guid(ascii(name)),
            mode=draw(st.sampled_from([0, 1, 1, 2, 4, 5, None])),
            state=draw(st.sampled_from([0, 3, 3, 3, None])),
            power=draw(st.sampled_from([2, 2, 3, 6, 9, 11])),
            kvp=draw(st.sampled_from([2, 3, 7, 12, 13, None])),
            uptime=draw(st.sampled_from([0, 10**8, None])),
            offered=draw(st.sampled_from([2, 2, 3, None])),
            realized=draw(st.sampled_from([True, True, False])),
            items=draw(items),
            nics=draw(st.lists(nics, max_size=2)),
            hosts=[draw(st.permutations([*hosts, None]))[:2]] * draw(st.integers(0, 1)),
            provider=draw(st.sampled_from([PROVIDER, FOREIGN])),
            checkpoints=draw(st.integers(0, 1)),
        )
        for name in draw(st.lists(words | hard_words, max_size=3, unique=True))
    ]
    there = [replica_of(vm, power=draw(st.sampled_from([2, 3])), mode=draw(st.sampled_from([2, 4]))) for vm in machines]
    read = [
        source(Host(name=label.upper(), vms=vms), name=name, endpoint=f"{name}:5986", site=draw(words))
        for label, name, vms in zip(labels, hosts, (machines, there), strict=False)
    ]
    whole = snapshot(*draw(st.permutations([*read, unread_source(labels[2], labels[2])])))
    secrets = {vm.name for vm in machines if "\ud800" not in vm.name} | {
        part for host in hosts for part in host.split(".")
    }
    return whole, secrets


@shared_folder
@given(estates())
def test_an_estate_is_the_same_under_other_names(tmp_path: Path, drawn: tuple[Snapshot, set[str]]) -> None:
    found, secrets = drawn
    check(found, tmp_path, *secrets)


IDENTIFIERS = [
    "Microsoft:",
    "\\",
    "\\HVR\\0",
    "FailoverNetworkSetting\\",
    "Definition\\",
    "Realized",
    "{",
    "}",
    " ",
    ".",
    ":",
    "-",
]
NAMES = [
    "HV01",
    "hv02",
    "dr.example",
    guid("vm"),
    guid("vm").lower(),
    guid("nic"),
    DATA_EXCHANGE,
    "x",
    "é",
    "\0",
    "\ud800",
]
VALUES = ["0", "3", "24", "3.1", "true", "10.1.0.11", "fe80::1%eth0", "255.0.0.0", kvp_item("OSName", "Debian x"), "<a"]
pieces = st.sampled_from([*IDENTIFIERS, *NAMES, *VALUES])
texts = st.lists(pieces, max_size=6).map("".join) | st.text(st.characters(exclude_categories=()), max_size=8)
values = st.none() | texts | st.lists(st.none() | texts, max_size=3)
any_row = st.dictionaries(st.sampled_from(sorted(PROPERTIES)) | texts, values, max_size=6)
some_rows = st.lists(any_row, max_size=3).map(tuple)
answers = st.dictionaries(st.sampled_from(sorted(CLASSES)), some_rows | st.builds(Unread, texts, st.sampled_from(Why)))


@st.composite
def odd_estates(draw: st.DrawFn) -> Snapshot:
    """Two good servers with rows beside theirs, or in place of theirs, that nobody has ever seen."""
    vm = Vm(name="vm")
    found = []
    for host in (Host(name="HV01", vms=[vm]), Host(name="HV02", vms=[replica_of(vm)])):
        one = source(host)
        assert isinstance(one.reading, Reading)
        classes = dict(one.reading.classes)
        for name, answer in draw(answers).items():
            there = classes.get(name, ())
            classes[name] = answer if isinstance(answer, Unread) or isinstance(there, Unread) else there + answer
        reading = replace(one.reading, classes=classes, version=draw(st.just(host.version) | texts))
        found.append(replace(one, reading=reading, endpoint=draw(st.just(one.endpoint) | texts)))
    return snapshot(*found)


@settings(deadline=None)
@given(odd_estates())
def test_what_is_odd_stays_odd_in_the_same_way(found: Snapshot) -> None:
    after = anonymised(found)
    assert states(after) == states(found)
    assert [one[:5] for one in told(after)] == [one[:5] for one in told(found)]
    assert anonymised(after) == after
