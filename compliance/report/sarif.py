"""results.sarif: what failed, was not judged or is waived, for code scanning (SARIF 2.1.0 with errata 01).

A finding points at its server's line in the inventory. What passed is left out, as viewers take a result for a
problem. So is what vanished since the baseline: GitHub reads no baselineState, and would show it as an open alert.

GitHub takes 25,000 results of one run, shows the first 5,000, and takes 10 MB after gzip (docs.github.com, "SARIF
results exceed limit"). Its upload action warns of a primaryLocationLineHash which is not that of the line (codeql-
action, src/fingerprints.ts). Ours is the finding's identity all the same: the line's own would be one for all machines
of a server, and alerts of one hash are shown as one.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import quote

from compliance.gate.baseline import Finding
from compliance.gate.decision import BaselineState, Decision
from compliance.gate.exits import Exit
from compliance.judge.readiness import Readiness, Word
from compliance.model import VirtualMachine
from compliance.report.by_cause import groups_by_cause
from compliance.report.json_parts import compact, present
from compliance.report.readiness import ReadinessOf, count_directions, word_text
from compliance.report.table import ATTRIBUTION, ORDER, Table, rank
from compliance.rule import Result, Rule, Severity
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from compliance.rules.remedies.remedy import Remedy
from compliance.words import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000
MOST_PACKED = 9_000_000
"""Bytes of results after gzip: GitHub's 10 MB, with room for the rules and notices."""
LINE_END = b"\n"
"""Between results that are held packed; JSON has none in its texts."""
MOST_LETTERS = 1000
"""Of one text; GitHub takes 1,024 of a rule's description."""
MOST_NOTICES = 100
MOST_REMEDIES = 30
"""In the help of one rule."""
MOST_ADDRESSES = 20
MOST_ADAPTERS = 8
"""Adapters that a result names; Hyper-V allows 8 synthetic ones to a machine, and 4 legacy ones."""

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "note"}
RANKS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "recommendation"}
"""GitHub's words for what is no question of security (docs.github.com, "SARIF support": problem.severity)."""
STATES = {BaselineState.NEW: "new", BaselineState.KNOWN: "unchanged", BaselineState.CHANGED: "updated", None: "new"}
"""What could not be judged is never known: beside a baseline it is new."""
WAIVER = ("owner", "expires", "ticket", "approved_by")
ABSOLUTE = re.compile("https?://")
"""What SARIF's helpUri has to be (2.1.0, 3.49.12)."""
PROBLEMS = (Result.FAILED, Result.UNKNOWN, Result.WAIVED)


def sarif(table: Table) -> str:
    """The whole file as one text."""
    return "".join(sarif_pieces(table))


def sarif_pieces(table: Table) -> Iterator[str]:
    """In pieces: of the results, whose number stands before them, there is one copy and no more, and that is packed."""
    problems = [one for one in table.worst_first if one.reported.outcome.result in PROBLEMS]
    rules = sorted(table.rules.values(), key=rank)
    places = {rule.key: place for place, rule in enumerate(rules)}
    find = ReadinessOf(table)
    results = Fitting(compact(_result(one, table, places, find(one.verdict))) for one in problems[:MOST_RESULTS])
    head = {
        "tool": {"driver": _driver(table, rules)},
        "automationDetails": {"id": f"hyperv-compliance/{printable(table.estate.name)}/"},
        "invocations": [_invocation(table, problems[len(results) :])],
        "columnKind": "unicodeCodePoints",
        "properties": present(
            {
                "estate": _cut(table.estate.name),
                "scope": _cut(table.scope),
                "inventory": _cut(table.inventory_digest),
                "headline": _cut(table.headline),
                "direction": table.policy.direction,
                "readiness": _counts(table),
            }
        ),
    }
    yield f'{{"$schema":{compact(SCHEMA)},"version":"2.1.0","runs":[\n{compact(head)[:-1]},"results":['
    for number, result in enumerate(results):
        yield f"{',' if number else ''}\n{result}"
    yield "\n]}\n]}\n" if results else "]}\n]}\n"


def _counts(table: Table) -> dict[str, dict[str, int]]:
    """Virtual machines by direction and word."""
    return {str(direction): {str(word): counts[word] for word in Word} for direction, counts in count_directions(table)}


class Fitting:
    """As many results as GitHub takes after gzip, which differs by a factor of ten with what somebody wrote in them;
    held packed."""

    def __init__(self, results: Iterable[str], most: int = MOST_PACKED) -> None:
        packer, packed = zlib.compressobj(), 0  # it holds back less than 64 KiB of what it packs
        self._parts: list[bytes] = []
        self._count = 0
        for result in results:
            part = packer.compress(result.encode() + LINE_END)
            packed += len(part)
            self._parts += [part] if part else []
            if packed > most:
                break
            self._count += 1
        self._parts.append(packer.flush())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return islice(self._lines(), self._count)

    def _lines(self) -> Iterator[str]:
        unpacker, rest = zlib.decompressobj(), b""
        for part in self._parts:
            *lines, rest = (rest + unpacker.decompress(part)).split(LINE_END)
            yield from map(bytes.decode, lines)


# --- the tool and its rules -------------------------------------------------------------------------------------------


def _driver(table: Table, rules: Sequence[Rule]) -> dict[str, object]:
    name, _, version = _cut(table.tool).partition(" ")
    advice = _advice(table)
    return {**present({"name": name, "version": version}), "rules": [_rule(rule, advice[rule.key]) for rule in rules]}


def _advice(table: Table) -> Mapping[str, Mapping[str, None]]:
    """Return what is wrong by each rule and what to do about it, in a line each."""
    lines: dict[str, dict[str, None]] = defaultdict(dict)
    for group in groups_by_cause(table):
        if group.cause and group.remedy and len(lines[group.rule.key]) < MOST_REMEDIES:
            advice = group.advice or group.remedy  # no word of a host's: it is read as Markdown
            lines[group.rule.key][f"{group.heading[:1].upper()}{group.heading[1:]}: {advice}"] = None
    return lines


def _rule(rule: Rule, advice: Iterable[str]) -> dict[str, object]:
    parts = {
        "What to do": "\n\n".join(advice),
        "Issue": rule.issue,
        "Impact": rule.impact,
        "Resolution": rule.resolution,
    }
    told = {name: text for name, text in parts.items() if text}
    source = [ATTRIBUTION] if rule.quoted else []
    known = {
        "id": rule.key,
        "shortDescription": {"text": _text(rule.title)},
        "fullDescription": {"text": _text(rule.issue or rule.title)},
        "helpUri": rule.link if rule.link and ABSOLUTE.match(rule.link) else None,
        "help": {
            "text": _braced("\n\n".join([*(f"{name}: {text}" for name, text in told.items()), *source])),
            "markdown": _braced("\n\n".join([*(f"**{name}:** {text}" for name, text in told.items()), *source])),
        },
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"problem.severity": RANKS[rule.severity], "tags": ["hyper-v", "compliance"]},
    }
    return present(known)


def _invocation(table: Table, left_out: Sequence[Decision]) -> dict[str, object]:
    notices = list(_notices(table, left_out))
    more = len(notices) - MOST_NOTICES
    if more > 0:
        notices[MOST_NOTICES:] = [_notice("error", f"{more:,} more servers were not read; results.json lists them")]
    ran = table.complete and table.gate.code not in (Exit.INTERNAL, Exit.INTERRUPTED, Exit.USAGE)
    known = {
        "startTimeUtc": f"{_in_utc(table.estate.time).replace(tzinfo=None).isoformat(timespec='seconds')}Z",
        "executionSuccessful": ran,
        "exitCode": int(table.gate.code),
        "exitCodeDescription": _text("; ".join(reason.text for reason in table.gate.reasons), "the gate is open"),
        "toolExecutionNotifications": notices,
    }
    return present(known)


def _in_utc(time: datetime) -> datetime:
    """Return it as it is where UTC's calendar has no such moment: the first and the last hours that there are."""
    with suppress(OverflowError):
        return time.astimezone(UTC)
    return time


def _notices(table: Table, left_out: Sequence[Decision]) -> Iterator[dict[str, object]]:
    """What a reader of the results alone would miss."""
    if left_out:
        results = [one.reported.outcome.result for one in left_out]
        counted = ", ".join(f"{results.count(one):,} {one}" for one in ORDER if one in results)
        yield _notice("warning", f"{len(left_out):,} results are left out here ({counted}): results.json holds them")
    if not table.complete:
        yield _notice("error", "the snapshot is incomplete: its gathering was interrupted")
    if table.scope:
        yield _notice("note", f"only a part was judged: {table.scope}")
    yield from (_notice("warning", f"weaker than by default: {text}") for text in table.gate.weaker)
    yield from (_notice("error", f"{one.name} was not read: {one.unread}") for one in table.unread)


def _notice(level: str, text: str) -> dict[str, object]:
    return {"level": level, "message": {"text": _text(text)}}


# --- results ----------------------------------------------------------------------------------------------------------


def _result(
    decision: Decision, table: Table, places: dict[str, int], readiness: Sequence[Readiness]
) -> dict[str, object]:
    verdict, outcome, finding = decision.verdict, decision.reported.outcome, decision.finding
    remedy = table.remedies.of(verdict)
    known = {
        "ruleId": verdict.rule.key,
        "ruleIndex": places[verdict.rule.key],
        # Unknown is told as the problem that it may hide: "open", SARIF's word for it, has the level "none".
        "level": LEVELS[verdict.rule.severity],
        "message": {"text": _text(f"{verdict.label}: {_led(outcome.result, outcome.finding)}{_to_do(remedy)}")},
        "locations": [_location(decision, table)],
        "partialFingerprints": _fingerprints(finding) if finding else None,
        "baselineState": STATES[decision.state] if table.baseline else None,
        "properties": {**_properties(decision, readiness), **_command(remedy)},
    }
    return {**present(known), "suppressions": list(_suppressions(decision))}


def _to_do(remedy: Remedy | None) -> str:
    """Return the end of a message: viewers show it, and no properties."""
    return f". {remedy.text}" if remedy else ""


def _command(remedy: Remedy | None) -> dict[str, object]:
    """Return the command; the remedy's text is in the message, and stands once."""
    command = remedy.command if remedy else None
    shown = {"shell": command.shell.value, "where": _cut(command.where), "text": command.text} if command else None
    return {"command": shown} if shown else {}


def _led(result: Result, finding: str) -> str:
    return f"could not be judged: {finding}" if result is Result.UNKNOWN else finding


def _location(decision: Decision, table: Table) -> dict[str, object]:
    verdict = decision.verdict
    line = table.line(verdict) or 1
    file = table.files.get(table.name_in_inventory(verdict), table.file)
    region = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2}  # GitHub asks for all four
    physical = {"artifactLocation": {"uri": _uri(file)}, "region": region}
    known = (("cluster", verdict.cluster), ("server", verdict.server))
    logical = [{"name": _cut(name), "kind": kind} for kind, name in known if name]
    if machine := verdict.machine:
        logical.append({"name": _cut(machine.name), "fullyQualifiedName": verdict.label, "kind": "virtual machine"})
        logical += _adapters(machine, verdict.label)
    if not logical:
        logical = [{"name": verdict.label, "kind": "estate"}]
    return {"physicalLocation": physical, "logicalLocations": logical}


def _adapters(machine: VirtualMachine, label: str) -> list[dict[str, str]]:
    names = dict.fromkeys(_cut(str(one.adapter or one.adapter_guid)) for one in machine.settings)
    return [
        {"name": name, "fullyQualifiedName": f"{label}/{name}", "kind": "network adapter"}
        for name in list(names)[:MOST_ADAPTERS]
    ]


def _uri(file: str) -> str:
    """A relative path is one of the repository's root; a drive's letter or a leading slash makes a file URI, in which
    Windows' ``//server/share`` names its server as RFC 8089 does."""
    file = re.sub(r"^//\?/(UNC(?=/))?", lambda extended: "/" if extended[1] else "", file)  # Windows' longer forms
    path = quote(file or "inventory", safe="/", errors="backslashreplace")
    if re.match("[A-Za-z]:/", file):
        return f"file:///{path.replace('%3A', ':', 1)}"
    if file.startswith("//"):
        return f"file:{path}"
    return f"file://{path}" if file.startswith("/") else path


def _fingerprints(finding: Finding) -> dict[str, str]:
    """The evidence is none: a finding on other evidence is the same finding, updated."""
    return {"primaryLocationLineHash": f"{finding.identity[:16]}:1", "hypervCompliance/v1": finding.identity}


def _suppressions(decision: Decision) -> Iterator[dict[str, object]]:
    waiver = decision.waiver
    if waiver and decision.reported.outcome.result is Result.WAIVED:
        known = {"place": _cut(waiver.place), **{name: _cut(getattr(waiver.entry, name) or "") for name in WAIVER}}
        justification = {"justification": _cut(str(waiver)), "properties": present(known)}
        yield {"kind": "external", "status": "accepted", **justification}


def _properties(decision: Decision, readiness: Sequence[Readiness]) -> dict[str, object]:
    outcome, machine, finding = decision.verdict.outcome, decision.verdict.machine, decision.finding
    known = {
        "closes": int(decision.closes),
        "outcome": decision.reported.outcome.result.value,
        "evidence": _cut(outcome.evidence),
        "evidenceDigest": finding.evidence if finding else None,
        "bpa": _cut(outcome.fact(BPA)),
        "cause": outcome.cause,
        "condition": _cut(outcome.condition),
        "readiness": {str(one.direction): _cut(word_text(one)) for one in readiness},
        "addressesNow": list(map(_cut, outcome.facts.get(ADDRESSES_NOW, ())[:MOST_ADDRESSES])),
        "failoverAddresses": list(map(_cut, machine.failover_addresses[:MOST_ADDRESSES])) if machine else None,
        "machine": _cut(machine.guid) if machine else None,
        "side": _cut(str(machine.role)) if machine else None,
    }
    return present(known)


# --- texts ------------------------------------------------------------------------------------------------------------


def _text(text: str, otherwise: str = "-") -> str:
    """A plain text message that somebody wrote: no placeholder and no link is in it (3.11.5 and 3.11.6)."""
    return _braced(_cut(text).replace("](", "] (")) or otherwise


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _cut(text: str) -> str:
    return printable(text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…")
