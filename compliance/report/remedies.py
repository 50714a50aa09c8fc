"""The remedies of a table's findings and machines: each found once, and each text with a key of its own."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable

from compliance.gate.decision import Decision
from compliance.judge.readiness import Readiness
from compliance.rule import Result, Verdict
from compliance.rules.remedies.remedy import Remedy, remedy_of


class Remedies:
    """Remedies by verdict and by machine. ``texts`` holds each text once, by a key: the cause, or a rule's key where
    the rule has no causes of ours; with a number behind it where a cause has several, in the order of the alphabet."""

    def __init__(self, decisions: Iterable[Decision], readiness: Iterable[Readiness]) -> None:
        self._remedies: dict[int, Remedy] = {}
        self._bases: dict[int, str] = {}
        once: dict[Remedy, Remedy] = {}  # a machine's verdicts and its readiness mostly have the same
        for decision in decisions:
            verdict = decision.verdict
            if verdict.outcome.result is not Result.PASSED and (remedy := remedy_of(verdict)):
                self._add(verdict, once.setdefault(remedy, remedy), verdict.outcome.cause or verdict.rule.key)
        for machine in readiness:
            if remedy := machine.remedy:
                base = machine.cause or machine.word.value.replace(" ", "-")
                self._add(machine, once.setdefault(remedy, remedy), base)
        self.texts = self._numbered()
        self._keys = {(key.rpartition("/")[0] or key, text): key for key, text in self.texts.items()}

    def of(self, subject: Verdict | Readiness) -> Remedy | None:
        """Return what to do about a verdict, by the rule's own word, or about a machine."""
        return self._remedies.get(id(subject))

    def key_of(self, subject: Verdict | Readiness) -> str:
        """Return the key of the remedy's text; empty where there is none."""
        remedy = self.of(subject)
        return self._keys[self._bases[id(subject)], remedy.text] if remedy else ""

    def _add(self, subject: Verdict | Readiness, remedy: Remedy, base: str) -> None:
        self._remedies[id(subject)] = remedy
        self._bases[id(subject)] = sys.intern(base.replace("/", "-"))

    def _numbered(self) -> dict[str, str]:
        texts: dict[str, set[str]] = defaultdict(set)
        for number, remedy in self._remedies.items():
            texts[self._bases[number]].add(remedy.text)
        return {
            base if number == 1 else f"{base}/{number}": text
            for base, several in sorted(texts.items())
            for number, text in enumerate(sorted(several), 1)
        }
