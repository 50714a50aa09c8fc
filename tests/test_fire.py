"""One property of one row lies: nothing raises, no machine is gone in silence, and no question becomes a pass.

Small hosts, one for each kind of machine that is failing, unknown or passed. Each property of the machine's rows takes
each of the values below in turn; what the outcome may then become is spelled out, and all else is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.hyperv.estate import translate
from compliance.hyperv.queries import (
    FAILOVER_ADDRESSES,
    KVP_COMPONENTS,
    KVP_SETTINGS,
    MACHINE_SETTINGS,
    MACHINES,
    RELATIONSHIPS,
    REPLICATION,
)
from compliance.judge.judge import judge
from compliance.model import Row
from compliance.rule import Outcome, Result
from compliance.rules.evidence.causes import Cause
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import snapshot, source
from tests.hosts import DATA_EXCHANGE, Host, Nic, Vm, guid, replica_of
from tests.profiles import examples

CLOSED = (Result.FAILED, Result.UNKNOWN)
FOUNDING = "failover-ip-needs-integration-services"
X, OTHER, NOBODY = guid("x"), guid("answers"), guid("nobody")
REALIZED = "Microsoft:Hyper-V:System:Realized"

# --- the hosts --------------------------------------------------------------------------------------------------------

HV01, HV02, HV09 = "hv01.dr.example", "hv02.dr.example", "hv09.dr.example"
OFF = {"power": 3, "uptime": 0}


Place = tuple[str, str]  # a class and its property


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Machine x on hv01, its other side on hv02 if it has one, and what x's outcome is while nothing lies.

    ``by``: what alone may turn it green, since that is what it is closed for.
    """

    was: Result
    vm: Vm
    there: Vm | None
    version: str
    by: tuple[Place, ...]


def kind(was: Result, *by: Place, there: Vm | None = None, version: str = "10.0.20348", **changes: Any) -> Kind:
    return Kind(was=was, vm=Vm(name="x", **changes), there=there, version=version, by=by)


FAILED, UNKNOWN, PASSED = Result.FAILED, Result.UNKNOWN, Result.PASSED
RUNNING_THERE = replica_of(Vm(name="x"), power=2)
STATUS, STATE = (KVP_COMPONENTS, "OperationalStatus"), (MACHINES, "ReplicationState")
OF_RELATIONSHIP = [(RELATIONSHIPS, "ReplicationState"), (RELATIONSHIPS, "InstanceID"), (RELATIONSHIPS, "")]
OF_ADDRESS = [(FAILOVER_ADDRESSES, "IPAddresses"), (FAILOVER_ADDRESSES, "ProtocolIFType")]
KINDS = {
    "answers": kind(PASSED),
    "answers on its partner": kind(PASSED, there=RUNNING_THERE, **OFF),
    "is switched off": kind(FAILED, (KVP_SETTINGS, "EnabledState"), offered=3),
    "never answered": kind(FAILED, STATUS, kvp=12),
    "never answered here": kind(FAILED, STATUS, (MACHINES, "EnabledState"), there=RUNNING_THERE, kvp=12),
    "never answered on 2012": kind(FAILED, STATUS, STATE, kvp=12, version="6.2.9200"),
    "has no component": kind(UNKNOWN, (KVP_COMPONENTS, "SystemName"), kvp_row=False),
    "has no offer": kind(UNKNOWN, (KVP_SETTINGS, "InstanceID"), offer_row=False),
    "has no settings": kind(UNKNOWN, (MACHINE_SETTINGS, "VirtualSystemIdentifier"), realized=False),
    "is paused": kind(UNKNOWN, STATUS, power=9, kvp=12),
    "has no role": kind(UNKNOWN, (MACHINES, "ReplicationMode"), mode=None),
    "has a relationship, but no state": kind(UNKNOWN, STATE, OF_RELATIONSHIP[0], state=0, relationships={0: 3}),
    "has a state, but no relationship": kind(UNKNOWN, STATE, *OF_RELATIONSHIP, state=3, relationships={0: 0}),
    "is off elsewhere too": kind(UNKNOWN, there=replica_of(Vm(name="x")), **OFF),
    "is off, its partner unlisted": kind(UNKNOWN, hosts=[(HV01, HV09)], **OFF),
    "has a protocol without an address": kind(UNKNOWN, *OF_ADDRESS, nics=[Nic(protocol=4096)]),
}


def hosts(one: Kind) -> tuple[ServerRecord, ...]:
    here = Host(version=one.version, vms=[Vm(name="answers"), one.vm])
    return source(here), *([source(Host(name="HV02", vms=[one.there]))] if one.there else [])


Case = tuple[str, str | None, str | None]  # rule, server, GUID: no name, since a name may lie too


def outcomes(*sources: ServerRecord) -> dict[Case, Outcome]:
    return {
        (one.rule.key, one.server, one.machine.guid if one.machine else None): one.outcome
        for one in judge(translate(snapshot(*sources)))
    }


# --- what may lie, and how --------------------------------------------------------------------------------------------

ABSENT, DROPPED, DOUBLED = object(), object(), object()  # the latter two of whole rows

NUMBERS = ["0", "1", "2", "3", "4", "9", "12", "4096", str(2**64 - 1)]
NO_NUMBERS = ["", " 2", "2.0", "\u0662", "9" * 21]
NO_TEXTS = ["", "\x1b[31m\n\u202e\ud800", "x" * 5_000]
LISTS: list[object] = [[], ["2"], [None, "2"], ["12", "2"]]
MY_ROWS = [X, X.lower(), f"Microsoft:{X}", f"Microsoft:{X}\\{DATA_EXCHANGE}", f"Microsoft:{X}\\HVR\\0"]
OTHERS_ROWS = [
    *(OTHER, NOBODY, f"Microsoft:{OTHER}\\{DATA_EXCHANGE}", f"Microsoft:Definition\\{X}\\Default"),
    f"Microsoft:FailoverNetworkSetting\\{OTHER}\\{guid('nic')}",
    f"Microsoft:FailoverNetworkSetting\\{NOBODY}\\{guid('nic')}",
]
NAMES = [REALIZED, "HV01", HV02, HV09]
NOTHING: list[object] = [ABSENT, None]
OF_NUMBERS = [*NOTHING, *NUMBERS, *NO_NUMBERS, *LISTS]
OF_NAMES = [*NOTHING, [], *NO_TEXTS, *NAMES]
OF_TEXTS = [*NOTHING, [], *NO_TEXTS, *MY_ROWS, *OTHERS_ROWS]
ONE_LIST_ONLY = [None, "2", "3", OTHER, DROPPED]

RESTS_ON: dict[str, dict[str, list[object]]] = {
    MACHINES: {
        "Name": OF_TEXTS,
        "ElementName": [*NOTHING, *NO_TEXTS],
        "EnabledState": OF_NUMBERS,
        "ReplicationMode": OF_NUMBERS,
        "ReplicationState": OF_NUMBERS,
        "OnTimeInMilliseconds": [*NOTHING, "0", *NO_NUMBERS],
    },
    MACHINE_SETTINGS: {"VirtualSystemIdentifier": OF_TEXTS, "VirtualSystemType": OF_NAMES},
    FAILOVER_ADDRESSES: {
        "InstanceID": OF_TEXTS,
        "DHCPEnabled": NOTHING,
        "ProtocolIFType": OF_NUMBERS,
        "IPAddresses": OF_NAMES,
    },
    KVP_SETTINGS: {"InstanceID": OF_TEXTS, "EnabledState": OF_NUMBERS},
    KVP_COMPONENTS: {"SystemName": OF_TEXTS, "OperationalStatus": OF_NUMBERS},
    RELATIONSHIPS: {"InstanceID": OF_TEXTS, "ReplicationState": OF_NUMBERS},
    REPLICATION: {"InstanceID": OF_TEXTS, "PrimaryHostSystem": OF_NAMES, "RecoveryHostSystem": OF_NAMES},
}
"""What a verdict rests on, and what each of it may be a lie about. The last test lies about all else, too."""
IDENTIFIES = frozenset({"Name", "InstanceID", "SystemName", "VirtualSystemIdentifier"})


@dataclass(frozen=True, kw_only=True)
class Lie:
    server: int
    class_name: str
    lists: tuple[bool, bool]  # in the rows as read first; in the list of machines as read again
    row: int
    name: str
    value: object

    def __str__(self) -> str:
        return f"{self.class_name}[{self.row}].{self.name} = {self.value!r:.60} in {self.lists} of server {self.server}"


def told(sources: tuple[ServerRecord, ...], lie: Lie) -> tuple[ServerRecord, ...]:
    liar = sources[lie.server]
    reading = liar.reading
    assert isinstance(reading, Reading)
    first, again = (
        {**answers, lie.class_name: changed(answers[lie.class_name], lie)} if affected else answers
        for affected, answers in zip(lie.lists, (reading.classes, reading.again), strict=True)
    )
    changed_source = replace(liar, reading=replace(reading, classes=first, again=again))
    return tuple(changed_source if one is liar else one for one in sources)


def changed(rows: Any, lie: Lie) -> tuple[Row, ...]:
    before, row, after = rows[: lie.row], dict(rows[lie.row]), rows[lie.row + 1 :]
    if lie.value is DROPPED:
        return (*before, *after)
    if lie.value is DOUBLED:
        return (*before, row, row, *after)
    if lie.value is ABSENT:
        row.pop(lie.name, None)
    else:
        row[lie.name] = lie.value
    return (*before, row, *after)


def lies(sources: tuple[ServerRecord, ...], speaks_of: Callable[[Row], bool]) -> Iterator[Lie]:
    for server, one in enumerate(sources):
        assert isinstance(one.reading, Reading)
        for class_name, properties in RESTS_ON.items():
            rows = one.reading.classes.get(class_name, ())
            assert isinstance(rows, tuple)
            for number in (number for number, row in enumerate(rows) if speaks_of(row)):
                place = {"server": server, "class_name": class_name, "row": number}
                for name, values in {"": [DROPPED, DOUBLED], **properties}.items():
                    for lists, value in in_lists(class_name, values):
                        yield Lie(**place, name=name, lists=lists, value=value)


def in_lists(class_name: str, values: list[object]) -> Iterator[tuple[tuple[bool, bool], object]]:
    """Only the list of machines is read twice. A lie in one of the two is a change, whatever it says."""
    if class_name != MACHINES:
        yield from (((True, False), value) for value in values)
        return
    yield from (((True, True), value) for value in values)
    for lists in ((True, False), (False, True)):
        yield from ((lists, value) for value in values if value in ONE_LIST_ONLY)


def of_x(row: Row) -> bool:
    return X in str(list(row.values())).upper()


# --- what may become of it --------------------------------------------------------------------------------------------


def first_of(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


May = dict[Place, Callable[[object], bool]]

MAY_PASS: May = {
    # the machine's own words
    (KVP_SETTINGS, "EnabledState"): lambda value: value == "2",
    STATUS: lambda value: first_of(value) in ("2", "3"),
    (MACHINES, "ReplicationMode"): lambda value: value in ("1", "2", "4"),
    (FAILOVER_ADDRESSES, "IPAddresses"): is_text,
    # the row that was missing is the machine's now
    (KVP_COMPONENTS, "SystemName"): lambda value: value in (X, X.lower()),
    (KVP_SETTINGS, "InstanceID"): lambda value: value == f"Microsoft:{X}\\{DATA_EXCHANGE}",
    (MACHINE_SETTINGS, "VirtualSystemIdentifier"): lambda value: value in (X, X.lower()),
    # it replicates: the careful side, since what does not replicate is not judged; NULL contradicts nothing
    STATE: lambda value: value is None or (value in NUMBERS and value != "0"),
    (RELATIONSHIPS, "ReplicationState"): lambda value: value in NUMBERS and value != "0",
    # no relationship row speaks against the machine's own state; where there is none at all, a remark says so
    (RELATIONSHIPS, "InstanceID"): lambda _: True,
    (RELATIONSHIPS, ""): lambda value: value is DROPPED,
    # the guest runs on the partner, and answered there
    (MACHINES, "EnabledState"): lambda value: value in NUMBERS and value not in ("2", "9"),
}

MAY_BE_SKIPPED: May = {
    (MACHINES, "ReplicationMode"): lambda value: value in ("1", "2", "4"),  # a side that was not failed over
    (FAILOVER_ADDRESSES, "ProtocolIFType"): lambda value: value in (None, "0", "1"),
    # the row is a template's, a checkpoint's or another machine's; a remark says that there is none
    (FAILOVER_ADDRESSES, "InstanceID"): lambda value: str(value).startswith(
        ("Microsoft:Definition", "Microsoft:Failover")
    ),
    (FAILOVER_ADDRESSES, ""): lambda value: value is DROPPED,
}

MAY_GO: May = {
    (MACHINES, "ReplicationMode"): lambda value: (
        value in ("0", "1", "2", "3", "4")
    ),  # no role, a test's, or another side
    STATE: lambda value: value == "0",  # and no relationship says otherwise
    (RELATIONSHIPS, "ReplicationState"): lambda value: value == "0",  # and its own state says the same
}

OF_ALL = [(MACHINES, "ReplicationMode"), (FAILOVER_ADDRESSES, "InstanceID"), (FAILOVER_ADDRESSES, "")]
"""What may let any machine go or be skipped. What may let it pass stands beside each kind."""

TOLD_AS_REMARK = {
    (RELATIONSHIPS, "InstanceID"): "has no replication relationship row",
    (RELATIONSHIPS, ""): "has no replication relationship row",
    (FAILOVER_ADDRESSES, "InstanceID"): "has no failover setting row",
    (FAILOVER_ADDRESSES, ""): "has no failover setting row",
}


def wrongs(one: Kind, was: dict[Case, Outcome], now: dict[Case, Outcome], lie: Lie) -> Iterator[str]:
    place = (lie.class_name, lie.name)
    for case, before in was.items():
        after = now.get(case)
        may = gentler(before, after, now.get(("server-was-read", case[1], None), before))
        if may is MAY_BE_SKIPPED and case[0] != FOUNDING and now[(FOUNDING, *case[1:])].result is FAILED:
            continue  # skipped, since the founding rule fails: as closed as before
        if may is None:
            continue
        by = one.by if may is MAY_PASS else (*one.by, *OF_ALL)
        if not (place in by and may.get(place, never)(lie.value) and is_told(after, now, case, lie)):
            yield f"{lie}: {case} was {before.result} ({before.finding}), now is {after}"


def gentler(before: Outcome, after: Outcome | None, server: Outcome) -> May | None:
    """What would allow such a change; None where it needs no leave."""
    if after is None:
        return None if server.result in CLOSED else MAY_GO
    if after.cause == Cause.SERVER_FAULT and server.result in CLOSED:
        return None
    if after.result is Result.NOT_APPLICABLE:
        return None if before.result is after.result else MAY_BE_SKIPPED
    return MAY_PASS if after.result is PASSED and before.result in CLOSED else None


def is_told(outcome: Outcome | None, now: dict[Case, Outcome], case: Case, lie: Lie) -> bool:
    """Once for a machine is enough: the founding rule has its remarks."""
    remark = "" if lie.value in MY_ROWS else TOLD_AS_REMARK.get((lie.class_name, lie.name), "")
    remarks = [*outcome.remarks, *now[(FOUNDING, *case[1:])].remarks] if outcome else []
    return outcome is None or not remark or any(remark in told for told in remarks)


def never(_: object) -> bool:
    return False


def too_long(now: dict[Case, Outcome]) -> list[str]:
    """No text of a host stands whole in a line of ours."""
    lines = (
        line
        for one in now.values()
        for line in (one.finding, *one.remarks, *(text for texts in one.facts.values() for text in texts))
    )
    return [line for line in lines if len(line) > 1_500]


@pytest.mark.parametrize("one", KINDS.values(), ids=KINDS.keys())
def test_no_lie_of_one_property_turns_green(one: Kind) -> None:
    sources = hosts(one)
    was = outcomes(*sources)
    assert was[FOUNDING, "hv01", X].result is one.was
    found: list[str] = []
    for lie in lies(sources, of_x):
        now = outcomes(*told(sources, lie))
        found += [*wrongs(one, was, now, lie), *too_long(now)]
    assert not found, f"{len(found)}: {found[:5]}"


@pytest.mark.parametrize("one", KINDS.values(), ids=KINDS.keys())
def test_no_row_of_a_neighbour_turns_green_by_a_lie_about_whose_it_is(one: Kind) -> None:
    sources = hosts(one)
    was = outcomes(*sources)
    found: list[str] = []
    for lie in lies(sources, lambda row: not of_x(row)):
        if lie.name in IDENTIFIES and lie.value in MY_ROWS:
            found += wrongs(one, was, outcomes(*told(sources, lie)), lie)
    assert not found, f"{len(found)}: {found[:5]}"


def test_a_version_is_cut_like_a_name() -> None:
    (one,) = hosts(KINDS["answers"])
    assert isinstance(one.reading, Reading)
    assert too_long(outcomes(replace(one, reading=replace(one.reading, version="9" * 5_000)))) == []


# --- anything, anywhere -----------------------------------------------------------------------------------------------

SCENES = {name: hosts(one) for name, one in KINDS.items()}
BEFORE = {name: outcomes(*sources) for name, sources in SCENES.items()}
texts = st.text(st.characters(exclude_categories=()), max_size=40)
entries = st.none() | texts | st.sampled_from([*NUMBERS, *MY_ROWS, *OTHERS_ROWS])
anything = st.sampled_from([ABSENT]) | entries | st.lists(entries, max_size=3)


@st.composite
def any_lies(draw: st.DrawFn) -> tuple[str, Lie]:
    name = draw(st.sampled_from(list(SCENES)))
    server = draw(st.integers(0, len(SCENES[name]) - 1))
    reading = SCENES[name][server].reading
    assert isinstance(reading, Reading)
    rows = {class_name: rows for class_name, rows in reading.classes.items() if rows and isinstance(rows, tuple)}
    class_name = draw(st.sampled_from(list(rows)))
    row = draw(st.integers(0, len(rows[class_name]) - 1))
    lists = (
        draw(st.sampled_from([(True, True), (True, False), (False, True)])) if class_name == MACHINES else (True, False)
    )
    property_name = draw(st.sampled_from(list(rows[class_name][row])))
    return name, Lie(
        server=server, class_name=class_name, lists=lists, row=row, name=property_name, value=draw(anything)
    )


@settings(max_examples=examples(250), deadline=None)
@given(any_lies())
def test_no_lie_anywhere_raises_or_turns_green(told_of: tuple[str, Lie]) -> None:
    name, lie = told_of
    now = outcomes(*told(SCENES[name], lie))
    assert [*wrongs(KINDS[name], BEFORE[name], now, lie), *too_long(now)] == []
