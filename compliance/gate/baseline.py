"""Findings of an earlier run that don't close the gate again: what makes two findings the same, and a file of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from compliance.errors import UsageError
from compliance.files.whole import open_regular, why_unreadable
from compliance.gate import version_1
from compliance.gate.version_1 import digest
from compliance.model import Answer, Cluster, FailoverAddress, Guest, ReplicaAdapter, Role, Subject, Unread
from compliance.rule import Outcome, Result, Verdict

FORMAT = "hyperv-compliance results"
VERSION = 2
VERSIONS = (1, 2)
"""Of a baseline: each that there was is read for ever."""
FINDINGS = (Result.FAILED, Result.UNKNOWN)
LARGEST = 256 * 1024 * 1024  # bytes; 900,000 findings


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """``identity`` is the same as long as it is the same machine, side and rule, whatever they are called; ``evidence``
    as long as what it rests on is the same. Checkov left out the object and swallowed new violations (its #7647).
    """

    identity: str
    evidence: str
    rule: str
    label: str
    server: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """Findings by their identities. ``version``: of the file, by which identities and evidence were made."""

    name: str
    digest: str
    findings: Mapping[str, Finding] = field(hash=False)
    version: int = VERSION

    def same(self, verdict: Verdict, finding: Finding) -> Finding:
        """Return the finding of a verdict as this baseline's version would have written it."""
        if self.version != 1:
            return finding
        return replace(finding, identity=version_1.identity_of(verdict), evidence=version_1.evidence_of(verdict))


def finding_of(verdict: Verdict) -> Finding | None:
    """Return the finding of what failed or is unknown; None for the rest."""
    if verdict.outcome.result not in FINDINGS:
        return None
    return Finding(
        identity=digest("2", verdict.estate, verdict.rule.key, *_subject(verdict)),
        evidence=digest("2", _RESULTS[verdict.outcome.result], *_cause(verdict.outcome), *_state(verdict)),
        rule=verdict.rule.key,
        label=verdict.label,
        server=verdict.server,
    )


# Identity and evidence are made of these keys, never of words that people read: words are rewritten, and a finding
# that is known must stay known. A key never changes, and no two things share one.

_RESULTS: Mapping[Result, str] = {Result.FAILED: "failed", Result.UNKNOWN: "unknown"}
SIDES: Mapping[Role, str] = {
    Role.NONE: "none",
    Role.PRIMARY: "primary",
    Role.REPLICA: "replica",
    Role.TEST_REPLICA: "test-replica",
    Role.EXTENDED_REPLICA: "extended-replica",
}
ANSWERS: Mapping[Answer, str] = {
    Answer.OK: "ok",
    Answer.DEGRADED: "degraded",
    Answer.NO_PROTOCOL: "no-protocol",
    Answer.NO_CONTACT: "no-contact",
    Answer.LOST: "lost",
}
_UNREAD = "unread"


def _subject(verdict: Verdict) -> tuple[str, ...]:
    """Never a display name, and not the server of a machine: names change, and machines move."""
    if machine := verdict.machine:
        side = _UNREAD if isinstance(machine.role, Unread) else SIDES[machine.role]
        return "machine", machine.guid.casefold(), side, *_adapter(verdict.subject)
    if isinstance(verdict.subject, Cluster):
        return "cluster", verdict.subject.name.casefold()
    return ("server", verdict.server.casefold()) if verdict.server else ("estate",)


def _adapter(subject: Subject) -> tuple[str, ...]:
    return ("adapter", subject.guid.casefold()) if isinstance(subject, ReplicaAdapter) else ()


def _cause(outcome: Outcome) -> tuple[str, ...]:
    """The key of the cause. A rule that names none is held to its words: another word is another cause then."""
    if outcome.cause:
        return ("cause", outcome.cause, *outcome.rests_on)
    return ("words", outcome.evidence or outcome.finding, *outcome.rests_on)


def _state(verdict: Verdict) -> tuple[str, ...]:
    """Nothing that changes by itself, such as how long a machine is running. What the guest answers is in the cause."""
    if isinstance(verdict.subject, ReplicaAdapter):
        return _setting(verdict.subject.setting) if verdict.subject.setting else ()
    machine = verdict.machine
    if machine is None:
        return ()
    settings = sorted(
        f"{setting.adapter_guid.casefold()} {' '.join(setting.addresses)}" for setting in machine.settings
    )
    if verdict.outcome.cause:
        return tuple(settings)
    offered = machine.data_exchange_offered
    is_offered = _UNREAD if isinstance(offered, Unread) else "offered" if offered else "switched-off"
    return "data exchange", is_offered, "guest", _answer(machine.guest), *settings


def _setting(setting: FailoverAddress) -> tuple[str, ...]:
    """Another address, mask or gateway is another finding."""
    kinds = (("address", setting.addresses), ("subnet", setting.subnets), ("gateway", setting.gateways))
    return tuple(f"{kind} {value}" for kind, values in kinds for value in values)


def _answer(guest: Guest | Unread | None) -> str:
    if guest is None:
        return "none"
    answer = guest.answer if isinstance(guest, Guest) else guest
    return _UNREAD if isinstance(answer, Unread) else ANSWERS[answer]


# --- the file ---------------------------------------------------------------------------------------------------------


def read_baseline(path: Path, estate: str) -> Baseline:
    """The ``results.json`` of an earlier run of this estate: whole, not narrowed, every server read; or UsageError."""
    content = _content(path)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON; a baseline is the results.json of an earlier run") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"{path}: no results of hyperv-compliance; a baseline is the results.json of an earlier run")
    version = document.get("version")
    if type(version) is not int or version not in VERSIONS:
        known = " or ".join(map(str, VERSIONS))
        raise UsageError(f"{path}: its version is not {known}, which this tool reads: make it anew")
    try:
        _refuse_unfit(path, document, estate)
        findings = [_finding(entry) for entry in document["results"] if entry["result"] in ("failed", "waived")]
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: damaged: {type(error).__name__} at {error}") from error
    content_digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    by_identity = {entry.identity: entry for entry in findings}
    return Baseline(name=str(path), digest=content_digest, findings=by_identity, version=version)


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: can't be read: {why_unreadable(path, error)}") from error
    if len(content) > LARGEST:
        raise UsageError(f"{path}: larger than {LARGEST >> 20} MiB; is it a results.json?")
    return content


def _refuse_unfit(path: Path, document: dict[str, object], estate: str) -> None:
    """A run that saw less would make a baseline that looks as good as any."""
    if document["estate"] != estate:
        raise UsageError(f"{path}: is of the estate {str(document['estate'])[:80]!r}, not of {estate!r}")
    if document["complete"] is not True:
        raise UsageError(f"{path}: comes from an incomplete run; make it from a whole one")
    if document["scope"] != "":
        raise UsageError(
            f"{path}: comes from a narrowed run ({str(document['scope'])[:80]}); make it without --hv-… scope"
        )
    unread = document["unread_servers"]
    if not isinstance(unread, list):
        raise TypeError("unread_servers")
    if unread:
        raise UsageError(
            f"{path}: comes from a run that could not read {str(unread[0])[:80]}; make it from a whole one"
        )


def _finding(entry: Mapping[str, object]) -> Finding:
    texts = {key: entry[key] for key in ("identity", "evidence_digest", "rule", "label")}
    server = entry.get("server")
    if not all(isinstance(value, str) for value in texts.values()) or not isinstance(server, str | None):
        raise TypeError("a result")
    return Finding(
        identity=str(texts["identity"]),
        evidence=str(texts["evidence_digest"]),
        rule=str(texts["rule"]),
        label=str(texts["label"]),
        server=server,
    )
