"""Findings of an earlier run that don't close the gate again: what makes two findings the same, and a file of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compliance.errors import UsageError
from compliance.model import Cluster, Guest
from compliance.rule import Result, Verdict

FORMAT = "hyperv-compliance results"
VERSION = 1
FOUND = (Result.FAILED, Result.UNKNOWN)
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
    name: str
    digest: str
    findings: Mapping[str, Finding] = field(hash=False)


def finding_of(verdict: Verdict) -> Finding | None:
    """What failed or could not be judged; None for the rest."""
    if verdict.outcome.result not in FOUND:
        return None
    return Finding(
        identity=_digest(verdict.estate, verdict.rule.key, *_subject(verdict)),
        evidence=_digest(verdict.outcome.result.value, *_rests_on(verdict)),
        rule=verdict.rule.key,
        label=verdict.label,
        server=verdict.server,
    )


def _subject(verdict: Verdict) -> tuple[str, ...]:
    """Never a display name, and not the server: names change, and machines move."""
    if machine := verdict.machine:
        return "machine", machine.guid.casefold(), str(machine.role)
    if isinstance(verdict.subject, Cluster):
        return "cluster", verdict.subject.name.casefold()
    return ("server", verdict.server.casefold()) if verdict.server else ("estate",)


def _rests_on(verdict: Verdict) -> tuple[str, ...]:
    """Nothing that changes by itself, such as how long a machine is running."""
    machine = verdict.machine
    if machine is None:
        return (verdict.outcome.finding,)
    guest = machine.guest.answer if isinstance(machine.guest, Guest) else machine.guest
    return (
        verdict.outcome.evidence,
        str(machine.data_exchange_offered),
        str(guest),
        *sorted(f"{one.adapter_guid.casefold()} {one}" for one in machine.settings),
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_baseline(path: Path, estate: str) -> Baseline:
    """The ``results.json`` of an earlier run of this estate: whole, not narrowed, every server read; or UsageError."""
    content = _content(path)
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON; a baseline is the results.json of an earlier run") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise UsageError(f"{path}: no results of hyperv-compliance; a baseline is the results.json of an earlier run")
    if told.get("version") != VERSION:
        raise UsageError(f"{path}: its version is not {VERSION}, which this tool reads: make it anew")
    try:
        _refuse_unfit(path, told, estate)
        findings = [_finding(one) for one in told["results"] if one["result"] in ("failed", "waived")]
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: damaged: {type(error).__name__} at {error}") from error
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Baseline(name=str(path), digest=digest, findings={one.identity: one for one in findings})


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path}: can't be read: {reason}") from error
    if len(content) > LARGEST:
        raise UsageError(f"{path}: larger than {LARGEST >> 20} MiB; is it a results.json?")
    return content


def _refuse_unfit(path: Path, told: dict[str, object], estate: str) -> None:
    """A run that saw less would make a baseline that looks as good as any."""
    if told["estate"] != estate:
        raise UsageError(f"{path}: is of the estate {str(told['estate'])[:80]!r}, not of {estate!r}")
    if told["complete"] is not True:
        raise UsageError(f"{path}: comes from an incomplete run; make it from a whole one")
    if told["scope"] != "":
        raise UsageError(f"{path}: comes from a narrowed run ({str(told['scope'])[:80]}); make it without --hv-… scope")
    unread = told["unread_servers"]
    if not isinstance(unread, list):
        raise TypeError("unread_servers")
    if unread:
        raise UsageError(
            f"{path}: comes from a run that could not read {str(unread[0])[:80]}; make it from a whole one"
        )


def _finding(told: Mapping[str, object]) -> Finding:
    texts = {key: told[key] for key in ("identity", "evidence_digest", "rule", "label")}
    server = told.get("server")
    if not all(isinstance(value, str) for value in texts.values()) or not isinstance(server, str | None):
        raise TypeError("a result")
    return Finding(
        identity=str(texts["identity"]),
        evidence=str(texts["evidence_digest"]),
        rule=str(texts["rule"]),
        label=str(texts["label"]),
        server=server,
    )
