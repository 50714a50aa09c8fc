"""What changed between two audits: who came and went, what explains a flip, and what nobody can know."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.diff.compare import compare
from compliance.diff.difference import Audit, Effect, Fate, Flip
from compliance.errors import UsageError
from compliance.model import Evidence, Judging
from compliance.rule import Outcome, Result, Severity
from compliance.snapshot.snapshot import ServerRecord
from tests.builders import source, unread_source
from tests.comparing import ADDRESS, SQL, audit, changes, entry_of, fates, flips, primary, replica
from tests.hosts import HOUR, Host, Nic, Vm, guid, replica_of
from tests.profiles import examples

SECOND = Nic(name="Second")

# --- servers and the estate -------------------------------------------------------------------------------------------

EMPTY = primary(may_be_empty=True)
INSECURE = "insecure choice of the inventory"
SERVERS: dict[str, tuple[list[ServerRecord], list[ServerRecord], Fate, list[str], list[str], bool]] = {
    "came": ([], [EMPTY], Fate.CAME, [], ["not asked -> passed"], False),
    "went": ([EMPTY], [], Fate.WENT, [], ["passed -> not asked"], False),
    "came unread": ([], [unread_source("hv01")], Fate.CAME, [], ["not asked -> unknown"], True),
    "is unread now": ([EMPTY], [unread_source("hv01")], Fate.STAYED, ["reading"], ["passed -> unknown"], True),
    "is read now": ([unread_source("hv01")], [EMPTY], Fate.STAYED, ["reading"], ["unknown -> passed"], False),
    "is unread as before": ([unread_source("hv01", "a")], [unread_source("hv01", "b")], Fate.STAYED, [], [], False),
    "another version": (
        [EMPTY],
        [source(Host(version="10.0.26100"), may_be_empty=True)],
        Fate.STAYED,
        ["version"],
        [],
        False,
    ),
    "its list may not be whole": ([EMPTY], [primary()], Fate.STAYED, ["doubt"], ["passed -> unknown"], True),
    "another host answers": (
        [EMPTY],
        [source(Host(name="OTHER"), name="hv01", may_be_empty=True)],
        Fate.STAYED,
        ["name of its own"],
        [],
        False,
    ),
    "not verified now": ([EMPTY], [replace(EMPTY, insecure="x")], Fate.STAYED, [INSECURE], [], False),
    "written in another case": ([EMPTY], [replace(EMPTY, name="HV01")], Fate.STAYED, [], [], False),
}  # fmt: skip


@pytest.mark.parametrize("case", SERVERS)
def test_a_change_of_a_server(case: str) -> None:
    before, after, fate, what, flipped, is_worse = SERVERS[case]
    other = primary(SQL, name="HV09")
    difference = compare(audit(other, *before), audit(other, *after))
    found = [entry for entry in difference.entries if entry.label == "hv01"]
    assert len(found) == bool(what or flipped)
    for entry in found:
        assert (entry.kind, entry.fate) == ("server", fate)
        assert [one[0] for one in changes(entry)] == what
        assert flips(entry) == flipped
    assert difference.is_worse is is_worse


def test_a_server_that_is_unread_now_is_worse_whatever_the_rules_say() -> None:
    estates = [audit(primary(SQL)).estate, audit(unread_source("hv01")).estate]
    assert compare(*(Audit(estate=estate, verdicts=()) for estate in estates)).is_worse


def test_other_settings_are_told_and_explain() -> None:
    mute = replace(SQL, kvp=12)
    old, new = audit(primary(mute)), audit(primary(mute), given=Judging(evidence=Evidence.BPA))
    difference = compare(old, new)
    assert changes(entry_of(difference, "test")) == [("evidence", "", "observed", "bpa")]
    machine = entry_of(difference, "hv01/sql01")
    assert (flips(machine), machine.because, machine.is_explained) == (["failed -> passed"], ("test",), True)


def test_estates_of_two_names_are_not_compared() -> None:
    one = audit(EMPTY)
    other = replace(one, estate=replace(one.estate, name="other\n"))
    with pytest.raises(UsageError, match=r"^two estates can't be compared: `test` and `other\\u000a`$"):
        compare(one, other)


def test_what_an_interrupted_audit_lacks_is_not_known() -> None:
    whole = audit(primary(SQL), replica(SQL))
    part = audit(primary(SQL), complete=False)
    lost, found = compare(whole, part), compare(part, whole)
    assert fates(lost) == {"hv02": Fate.LOST, "hv02/sql01": Fate.LOST}
    assert fates(found) == {"hv02": Fate.KNOWN_NOW, "hv02/sql01": Fate.KNOWN_NOW}
    assert lost.is_worse
    assert not found.is_worse
    assert compare(part, part).entries == ()
    assert compare(whole, replace(whole, complete=False)).is_worse


# --- who is who -------------------------------------------------------------------------------------------------------

DOWN = unread_source("hv03")
NEW = Vm(name="new")
BAD = replace(NEW, offered=3)
NOTHING = primary(name="HV02", may_be_empty=True)

WHO: dict[str, tuple[list[ServerRecord], list[ServerRecord], dict[str, Fate], bool]] = {
    "came": ([primary(SQL)], [primary(SQL, NEW)], {"hv01/new": Fate.CAME}, False),
    "came and fails": ([primary(SQL)], [primary(SQL, BAD)], {"hv01/new": Fate.CAME}, True),
    "went": ([primary(SQL, NEW)], [primary(SQL)], {"hv01/new": Fate.WENT}, False),
    "went and failed": ([primary(SQL, BAD)], [primary(SQL)], {"hv01/new": Fate.WENT}, False),
    "its server is unread now": (
        [primary(SQL), primary(NEW, name="HV03")],
        [primary(SQL), DOWN],
        {"hv03/new": Fate.LOST},
        True,
    ),
    "its server is read now": (
        [primary(SQL), DOWN],
        [primary(SQL), primary(NEW, name="HV03")],
        {"hv03/new": Fate.KNOWN_NOW},
        False,
    ),
    "its server is read now, and it fails": (
        [primary(SQL), DOWN],
        [primary(SQL), primary(BAD, name="HV03")],
        {"hv03/new": Fate.KNOWN_NOW},
        True,
    ),
    "its server shows nothing now": (
        [primary(SQL), primary(NEW, name="HV03")],
        [primary(SQL), primary(name="HV03")],
        {"hv03/new": Fate.LOST},
        True,
    ),
    "its server is not asked any more": (
        [primary(SQL), primary(NEW, name="HV03")],
        [primary(SQL)],
        {"hv03": Fate.WENT, "hv03/new": Fate.LOST},
        True,
    ),
    "may have moved to a server that was not read": (
        [primary(SQL, NEW), DOWN],
        [primary(SQL), DOWN],
        {"hv01/new": Fate.LOST},
        True,
    ),
    "may have come from a server that was not read": (
        [primary(SQL), DOWN],
        [primary(SQL, NEW), DOWN],
        {"hv01/new": Fate.KNOWN_NOW},
        False,
    ),
    "moved": ([primary(SQL), NOTHING], [EMPTY, primary(SQL, name="HV02")], {}, False),
    "another machine of the same name": (
        [primary(NEW)],
        [primary(replace(NEW, guid=guid("another")))],
        {"hv01/new": Fate.WENT, "hv01/new ": Fate.CAME},
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WHO)
def test_who_came_and_who_went(case: str) -> None:
    before, after, expected, is_worse = WHO[case]
    difference = compare(audit(*before), audit(*after))
    told = sorted((entry.label, entry.fate) for entry in difference.entries if entry.fate is not Fate.STAYED)
    assert told == sorted((label.strip(), fate) for label, fate in expected.items())
    assert difference.is_worse is is_worse
    for entry in difference.entries:
        assert bool(entry.reason) == (entry.fate in (Fate.LOST, Fate.KNOWN_NOW))


def test_a_machine_that_moved_is_the_same_one() -> None:
    vms = replica_of(SQL, hosts=[("hv01.dr.example", "hv03.dr.example")])
    old = audit(primary(SQL), replica(SQL), primary(NEW, name="HV03"))
    new = audit(primary(SQL), NOTHING, source(Host(name="HV03", vms=[NEW, vms])))
    difference = compare(old, new)
    entry = entry_of(difference, "hv03/sql01")
    assert changes(entry)[0] == ("server", "", "hv02", "hv03")
    assert fates(difference) == {}


def test_after_a_failover_each_side_stays_where_it_is() -> None:
    there = [("hv02.dr.example", "hv01.dr.example")]
    old = audit(primary(SQL), replica(SQL))
    new = audit(
        source(Host(name="HV01", vms=[replica_of(SQL, hosts=there)])),
        source(Host(name="HV02", vms=[replace(SQL, hosts=there)])),
    )
    difference = compare(old, new)
    assert fates(difference) == {}
    for label, roles in (("hv01/sql01", ("primary", "replica")), ("hv02/sql01", ("replica", "primary"))):
        assert ("role", "", *roles) in changes(entry_of(difference, label))


def test_a_machine_whose_role_is_not_known_may_be_the_one_that_moved() -> None:
    unclear = replace(SQL, mode=17)
    old = audit(primary(SQL), NOTHING)
    new = audit(primary(may_be_empty=True), primary(unclear, name="HV02"))
    entry = entry_of(compare(old, new), "hv02/sql01")
    assert changes(entry)[:2] == [("server", "", "hv01", "hv02"), ("role", "", "primary", "?")]


def test_copies_are_paired_in_the_order_of_their_servers() -> None:
    here, there = ([primary(SQL, name=name) for name in names] for names in (("HV01", "HV02"), ("HV03", "HV04")))
    for servers in (here, here[::-1]):
        difference = compare(audit(*servers), audit(*there))
        moves = {entry.label: changes(entry)[0] for entry in difference.entries if entry.guid}
        assert moves == {
            "hv03/sql01": ("server", "", "hv01", "hv03"),
            "hv04/sql01": ("server", "", "hv02", "hv04"),
        }


def test_twins_are_told_apart() -> None:
    twins = [Vm(name="twin", guid=guid(name), mode=mode, state=0, hosts=()) for name, mode in (("a", 0), ("b", 0))]
    off = [replace(twin, power=3) for twin in twins]
    labels = [entry.label for entry in compare(audit(primary(*twins)), audit(primary(*off))).entries]
    assert sorted(labels) == sorted(f"hv01/twin~{twin.id[:8].lower()}" for twin in twins)


# --- what explains a flip ---------------------------------------------------------------------------------------------


def test_a_guest_that_fell_silent_explains_its_replica() -> None:
    old, new = audit(primary(SQL), replica(SQL)), audit(primary(replace(SQL, kvp=12)), replica(SQL))
    entry = entry_of(compare(old, new), "hv02/sql01")
    assert (changes(entry), flips(entry)) == ([], ["passed -> failed"])
    assert (entry.because, entry.is_explained) == (("hv01/sql01",), True)


def test_a_partners_server_explains_where_the_partner_was_never_seen() -> None:
    named = replica_of(SQL, hosts=[("hv09.dr.example", "hv02.dr.example")])
    here = source(Host(name="HV02", vms=[named]))
    old, new = audit(here, unread_source("hv09")), audit(here, primary(SQL, name="HV09"))
    entry = entry_of(compare(old, new), "hv02/sql01")
    assert (flips(entry), entry.because) == (["unknown -> passed"], ("hv09/sql01",))


# --- readiness --------------------------------------------------------------------------------------------------------


def turns(before: Audit, after: Audit) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (
            turn.machine.name,
            turn.direction.value,
            turn.before.word.value if turn.before else None,
            turn.after.word.value if turn.after else None,
        )
        for turn in compare(before, after).turns
    ]


def test_machines_whose_readiness_turned_are_named() -> None:
    whole = audit(primary(SQL), replica(SQL))
    mute = audit(primary(replace(SQL, kvp=12)), replica(SQL))
    assert turns(whole, whole) == []
    assert turns(whole, mute) == [
        ("sql01", "failback", "ready", "not ready"),
        ("sql01", "failover", "ready", "not ready"),
    ]
    assert turns(mute, whole) == [(name, way, after, before) for name, way, before, after in turns(whole, mute)]


def test_a_new_name_turns_nothing_and_what_was_not_seen_says_so() -> None:
    whole = audit(primary(SQL), replica(SQL))
    assert turns(whole, audit(primary(replace(SQL, name="sql99")), replica(replace(SQL, name="sql99")))) == []
    assert ("sql01", "failover", None, "ready") in turns(audit(primary(NEW)), whole)


def test_a_condition_alone_is_a_turn() -> None:
    silent = replace(SQL, items={})
    before, after = audit(primary(SQL), replica(SQL)), audit(primary(silent), replica(silent))
    assert ("sql01", "failover", "ready", "ready if") in turns(before, after)


def test_time_explains_nothing_and_a_name_neither() -> None:
    young = replace(SQL, kvp=12, uptime=60_000)
    old = audit(primary(young))
    for values in ({}, {"name": "sql99"}):
        later = replace(young, uptime=HOUR, **values)
        entry = compare(old, audit(primary(later))).entries[0]
        assert (flips(entry), entry.is_explained) == (["unknown -> failed"], False)


SCALE = {Result.PASSED: 0, Result.NOT_APPLICABLE: 0, Result.WAIVED: 0, None: 0, Result.UNKNOWN: 1, Result.FAILED: 2}


@pytest.mark.parametrize("after", SCALE, ids=str)
@pytest.mark.parametrize("before", SCALE, ids=str)
def test_what_a_flip_is_worth(before: Result | None, after: Result | None) -> None:
    """Nothing that is not known, or not judged any more, is better."""
    sides = [one and Outcome(one, "") for one in (before, after)]
    effect = Flip(rule="x", severity=Severity.ERROR, before=sides[0], after=sides[1]).effect
    if SCALE[after] > SCALE[before]:
        assert effect is Effect.WORSE
    elif SCALE[before] and after is not None and SCALE[after] == 0:
        assert effect is Effect.BETTER
    else:
        assert effect is Effect.OTHER


# --- any two audits ---------------------------------------------------------------------------------------------------

vms = st.builds(
    Vm,
    name=st.sampled_from(["a", "b"]),
    guid=st.sampled_from([guid(name) for name in "pqr"]),
    mode=st.sampled_from([0, 1, 2, 4, 17, None]),
    state=st.sampled_from([0, 3]),
    power=st.sampled_from([2, 3, 9, None]),
    uptime=st.sampled_from([60_000, 100 * HOUR]),
    offered=st.sampled_from([2, 3, None]),
    kvp=st.sampled_from([2, 12, 13, None]),
    nics=st.lists(st.sampled_from([ADDRESS, SECOND, Nic(addresses=("::1",), legacy=True)]), max_size=2),
    hosts=st.sampled_from([(), (("hv0.dr.example", "hv1.dr.example"),)]),
)


@st.composite
def audits(draw: st.DrawFn) -> Audit:
    sources = []
    for number in range(draw(st.integers(0, 3))):
        machines = draw(st.lists(vms, max_size=3, unique_by=lambda vm: vm.id))
        host = source(Host(name=f"HV{number}", vms=machines), may_be_empty=draw(st.booleans()))
        sources.append(draw(st.sampled_from([host, host, unread_source(f"hv{number}")])))
    return audit(*sources, complete=draw(st.sampled_from([True, True, False])))


@settings(deadline=None, max_examples=examples(50))
@given(audits())
def test_an_audit_does_not_differ_from_itself(one: Audit) -> None:
    assert compare(one, one).entries == ()
    later = replace(one, estate=replace(one.estate, time=one.estate.time + timedelta(days=1)))
    assert not compare(one, later).is_worse


MIRRORED = {Fate.CAME: Fate.WENT, Fate.WENT: Fate.CAME, Fate.LOST: Fate.KNOWN_NOW, Fate.KNOWN_NOW: Fate.LOST}


@settings(deadline=None, max_examples=examples(150))
@given(audits(), audits())
def test_the_way_back_is_the_way_there(one: Audit, other: Audit) -> None:
    there, back = compare(one, other), compare(other, one)
    assert len(there.entries) == len(back.entries)
    fates = Counter(entry.fate for entry in there.entries)
    assert fates == Counter(MIRRORED.get(entry.fate, entry.fate) for entry in back.entries)
    moves = Counter((a, b, what) for entry in there.entries for what, _, a, b in changes(entry))
    assert moves == Counter((b, a, what) for entry in back.entries for what, _, a, b in changes(entry))
    told = Counter(flip for entry in there.entries for flip in flips(entry))
    assert told == Counter(" -> ".join(reversed(flip.split(" -> "))) for entry in back.entries for flip in flips(entry))
    if not other.complete or any(server.unread or server.doubt for server in other.estate.servers):
        assert not any(entry.guid for entry in there.entries if entry.fate is Fate.WENT)


@settings(deadline=None, max_examples=examples(80))
@given(audits(), audits(), st.randoms())
def test_the_order_of_rows_means_nothing(one: Audit, other: Audit, random: Any) -> None:
    servers = list(other.estate.servers)
    random.shuffle(servers)
    shuffled = replace(other, estate=replace(other.estate, servers=tuple(servers)))
    assert compare(one, shuffled) == compare(one, other)
