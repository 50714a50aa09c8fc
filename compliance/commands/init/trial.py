"""The way to each server of a draft, tried by the doctor's steps, and the draft that reaches the most of them.

A password is sent as the doctor sends it: only over a way that is trusted, and to no second server once one refused it.
A server is tried in another way only where no login was sent to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from compliance.commands.doctor.examination import Examination, Status, Step
from compliance.commands.doctor.walk import Refusals, examine
from compliance.commands.init.draft import Draft, DraftServer
from compliance.commands.init.questions import AGAIN, Dialogue
from compliance.credentials.find import Credential
from compliance.errors import InventoryError, UsageError
from compliance.inventory.inventory import Inventory
from compliance.inventory.own_file import inventory_of
from compliance.words import printable
from compliance.wsman.endpoint import SEALED
from compliance.wsman.probe import DEFAULT_PORTS


def inventory_from(draft: Draft) -> Inventory:
    """Return the inventory that the draft will be. UsageError for what was typed and is no value."""
    try:
        return inventory_of(draft.path, draft.yaml.encode())
    except InventoryError as error:
        mistakes = [line.partition(": ")[2] for line in str(error).splitlines()]  # without a line of no file
        raise UsageError("\n".join(f"{mistake}: {AGAIN}" for mistake in mistakes)) from None


def try_draft(draft: Draft, credential: Credential | None, questions: Dialogue) -> tuple[Draft, Sequence[Examination]]:
    """Return the draft as it works best, and what was found of each of its servers."""
    refusals = Refusals()
    examinations: dict[str, Examination] = {}
    while True:
        inventory = inventory_from(draft)
        for entry in inventory.servers:
            if entry.name not in examinations:
                questions.say([f"Trying {entry.name} ..."])
                examinations[entry.name] = examine(
                    entry, credential, inventory.limits, lambda: datetime.now(UTC), refusals
                )
        better = _better(draft, examinations, questions)
        if better == draft:
            return draft, [examinations[host.name] for host in draft.hosts]
        examinations = {name: examination for name, examination in examinations.items() if _sent_login(examination)}
        draft = better


def _better(draft: Draft, examinations: Mapping[str, Examination], questions: Dialogue) -> Draft:
    """Return a draft that reaches more servers, or the same one."""
    hosts = tuple(_on_other_port(host, draft, examinations[host.name], questions) for host in draft.hosts)
    if hosts != draft.hosts:
        return replace(draft, hosts=hosts)
    distrusted = [host for host in draft.hosts if _is_distrusted(examinations[host.name])]
    if not distrusted or draft.ca or questions.read_line is None:
        return draft
    questions.say([printable(_step(examinations[distrusted[0].name], "tls").text)])
    return replace(draft, ca=questions.authority())


def _on_other_port(host: DraftServer, draft: Draft, examination: Examination, questions: Dialogue) -> DraftServer:
    """Return the host on WinRM's other port where only that one answers: over http only by a login that seals its
    messages."""
    port = _step(examination, "port")
    others = port.facts.get("others")
    if port.status is not Status.FAILED or not isinstance(others, Mapping) or host.port is not None:
        return host
    for number, is_open in others.items():
        scheme = DEFAULT_PORTS[int(number)]
        if is_open and (scheme == "https" or draft.transport in SEALED):
            questions.say([f"{host.name}: port {port.facts['port']} does not answer, {number} ({scheme}) does."])
            return replace(host, scheme=scheme)
    return host


def _step(examination: Examination, key: str) -> Step:
    return next(step for step in examination.steps if step.key == key)


def _is_distrusted(examination: Examination) -> bool:
    step = _step(examination, "tls")
    return step.status is Status.FAILED and bool(step.facts.get("why_not"))


def _sent_login(examination: Examination) -> bool:
    return _step(examination, "login").status is not Status.NOT_TRIED
