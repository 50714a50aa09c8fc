"""What a server's answers mean: rights, classes, clock, and what an audit would make of them. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compliance.commands.doctor.examination import ClassRead, Fact, Status, Step
from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.assumptions.held import assumptions
from compliance.hyperv.assumptions.statement import AssumptionState
from compliance.hyperv.estate import translate
from compliance.hyperv.host import machine_list
from compliance.hyperv.remarks import CLOCK_TOLERANCE, FOR_REMARKS_ONLY
from compliance.model import Unread
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from compliance.words import join_names, plural, shorten

ADDS_ONLY = frozenset(query.class_name for query in queries.OF_REPLICATION if query.adds_only)
ENOUGH = frozenset({*FOR_REMARKS_ONLY, *ADDS_ONLY, queries.OPERATING_SYSTEM, queries.NODES, queries.CLUSTER})
"""Classes without which verdicts stand, and only a remark is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """The steps, and whether the server hides its rows from this account without saying so."""

    steps: tuple[Step, ...]
    hidden: bool = False


def explain(source: ServerRecord, classes: Sequence[ClassRead]) -> Meaning:
    reading = source.reading
    steps = [_namespace(source, classes), _classes(reading, classes)]
    if isinstance(reading, Unread):
        return Meaning(steps=tuple(steps))
    rights, hidden = _rights(reading, classes)
    is_whole = rights.status is Status.OK
    steps += [rights, _clock(reading), _assumptions(source, reading, is_whole=is_whole), _audit(source, reading)]
    return Meaning(steps=tuple(steps), hidden=hidden)


# --- namespace, rights, classes ---------------------------------------------------------------------------------------


def _namespace(source: ServerRecord, classes: Sequence[ClassRead]) -> Step:
    """The list of machines is in every version of it, so it stands for the whole namespace."""
    facts: dict[str, Fact] = {"namespace": queries.VIRTUALIZATION}
    own_class = next((each for each in classes if each.name == queries.MACHINES), None)
    if own_class is not None and own_class.unread is None:
        return Step(key="namespace", status=Status.OK, text=f"{queries.VIRTUALIZATION} is there", facts=facts)
    unread = own_class.unread if own_class else source.reading if isinstance(source.reading, Unread) else None
    text = f"{queries.VIRTUALIZATION} was not read: {unread or 'it was not asked for'}"
    if unread and unread.why in (Why.ABSENT, Why.NOT_HYPERV):
        text = f"{queries.VIRTUALIZATION} is not there: Hyper-V is not installed, or it is older than Server 2012"
    return Step(key="namespace", status=Status.FAILED, text=text, facts=facts)


def _rights(reading: Reading, classes: Sequence[ClassRead]) -> tuple[Step, bool]:
    """Hyper-V refuses some callers, and shows others nothing; its own row is what everybody with rights sees."""
    denied = [read for read in classes if read.unread and read.unread.why is Why.NOT_PERMITTED]
    first = machine_list(reading.classes.get(queries.MACHINES, Unread("not asked")))
    settings = reading.classes.get(queries.MACHINE_SETTINGS, ())
    rows = 0 if isinstance(settings, Unread) else len(settings)
    facts: dict[str, Fact] = {"denied": [read.name for read in denied], "own_row": not isinstance(first, Unread)}
    if denied:
        text = f"{len(denied)} of {len(classes)} answers were refused to this account"
        return Step(key="rights", status=Status.FAILED, text=text, facts=facts), False
    if isinstance(first, Unread):
        return Step(key="rights", status=Status.FAILED, text=str(first), facts=facts), first.why is Why.NOT_PERMITTED
    host = shorten(first.host, 80)
    facts |= {"host": host, "machines": len(first.machines), "settings": rows}
    seen = f"sees its own row ({host}), {plural(len(first.machines), 'virtual machine')}"
    if first.machines and not rows and not isinstance(settings, Unread):
        text = f"{seen}, but none of their settings: the account's rights are not whole (Hyper-V Administrators)"
        return Step(key="rights", status=Status.FAILED, text=text, facts=facts), True
    text = f"{seen} and {plural(rows, 'row')} of settings"
    return Step(key="rights", status=Status.OK, text=text, facts=facts), False


def _classes(reading: Reading | Unread, classes: Sequence[ClassRead]) -> Step:
    spent = (
        f"{sum(each.seconds for each in classes):.2f} s, {plural(sum(each.messages for each in classes), 'message')}"
    )
    unread = [each for each in classes if each.unread]
    facts: dict[str, Fact] = {"read": len(classes) - len(unread), "unread": [each.name for each in unread]}
    if isinstance(reading, Unread):
        left = "it was left alone" if reading.why is Why.NOT_HYPERV else str(reading)
        text = f"{len(classes) - len(unread)} read ({spent}), then no more: {left}"
        return Step(key="classes", status=Status.FAILED, text=text, facts=facts)
    text = f"{len(classes) - len(unread)} of {len(classes)} answers were read ({spent})"
    facts["left_out"] = list(reading.too_large)
    worst = Status.OK if not unread else Status.WARNING
    if any(each.name not in ENOUGH for each in unread):
        worst = Status.FAILED
    reasons = {str(each.unread) for each in unread}
    details = tuple(note for note in _notes_of(reading) if not any(reason in note for reason in reasons))
    return Step(key="classes", status=worst, text=text, details=details, facts=facts)


def _notes_of(reading: Reading) -> Iterator[str]:
    class_names = {query.class_name for query in queries.queries_for(reading.version)}
    version = shorten(reading.version or "", 40)
    yield from (
        f"{query.class_name} was not asked for: {version} has none"
        for query in queries.QUERIES
        if query.class_name not in class_names
    )
    replicates = queries.queries_of_replication(reading.version, reading.classes.get(queries.MACHINES, ()))
    if not replicates:
        names = join_names([query.class_name for query in queries.OF_REPLICATION], most=len(queries.OF_REPLICATION))
        yield f"not asked for, since nothing replicates there: {names}"
    yield from reading.notes


# --- clock, assumptions, audit ----------------------------------------------------------------------------------------


def _clock(reading: Reading) -> Step:
    if reading.clock_ahead is None:
        return Step(key="clock", status=Status.WARNING, text="it could not be read", facts={"seconds_ahead": None})
    seconds = reading.clock_ahead.total_seconds()
    far = abs(reading.clock_ahead) > CLOCK_TOLERANCE
    advice = "; Kerberos refuses more than five minutes, and ages are wrong by as much: set it" if far else ""
    text = f"{_span(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} this machine's{advice}"
    if abs(seconds) < 1:
        text = "as this machine's"
    facts: dict[str, Fact] = {"seconds_ahead": round(seconds, 1)}
    return Step(key="clock", status=Status.WARNING if far else Status.OK, text=text, facts=facts)


def _span(seconds: float) -> str:
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"


def _assumptions(source: ServerRecord, reading: Reading, *, is_whole: bool) -> Step:
    """What a server contradicts is worth a report, unless it hides half of its rows from this account."""
    assumed = assumptions(source, reading)
    by_state = {state: [assumption for assumption in assumed if assumption.state is state] for state in AssumptionState}
    against = by_state[AssumptionState.CONTRADICTED]
    text = ", ".join(
        f"{len(ones)} {'hold' if state is AssumptionState.HOLDS else state}" for state, ones in by_state.items()
    )
    details = tuple(f"{assumption.key}: {assumption}" for assumption in against)
    facts: dict[str, Fact] = {state.value: [assumption.key for assumption in ones] for state, ones in by_state.items()}
    if against and is_whole:
        details += ("please report it: --record FILE writes what such a report needs",)
    status = Status.WARNING if against else Status.OK
    return Step(key="assumptions", status=status, text=text, details=details, facts=facts)


def _audit(source: ServerRecord, reading: Reading) -> Step:
    """The audit's own word, by the audit's own code."""
    (server,) = translate(Snapshot(estate="doctor", time=reading.started, tool="", servers=(source,))).servers
    replicated = [machine for machine in server.machines if machine.replicated is True]
    facts: dict[str, Fact] = {"machines": len(server.machines), "replicated": len(replicated)}
    if problem := server.unread or server.doubt:
        text = "the server counts as not read" if server.unread else str(problem)
        return Step(key="audit", status=Status.FAILED, text=text, facts=facts | {"reason": str(problem)})
    doubted = [machine for machine in server.machines if machine.doubt]
    facts["in_doubt"] = len(doubted)
    text = f"{plural(len(server.machines), 'virtual machine')}, {len(replicated)} of them replicated"
    if doubted:
        text += f"; {len(doubted)} can't be judged: {doubted[0].name}: {doubted[0].doubt}"
    return Step(key="audit", status=Status.WARNING if doubted else Status.OK, text=text, facts=facts)
