"""A Windows guest's answers become an ``InsideWindows``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from compliance.hyperv.guests.lines import clean
from compliance.hyperv.guests.networks import fold_mac
from compliance.hyperv.guests.queries import (
    ADAPTERS,
    COMPUTER,
    INTEGRATION_SERVICES,
    KVP_SERVICE,
    MACHINE_ID,
    SERVICES,
    SYSTEM,
    WITNESS,
    RegistryValue,
)
from compliance.hyperv.guests.unix import A_GUID
from compliance.hyperv.queries import Query
from compliance.model import InnerAdapter, InsideWindows, Row, Service, Unread
from compliance.snapshot.snapshot import RowsOrUnread

HYPERV = ("Microsoft Corporation", "Virtual Machine")
"""Manufacturer and model of a virtual machine of Hyper-V's."""
A_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
SYNTHETIC = "netvsc"
"""The driver of Hyper-V's synthetic adapter."""

STOPPED = frozenset({"Stopped", "Paused"})
START_MODES = frozenset({"Boot", "System", "Auto", "Manual"})
NOT_THERE = 2
"""ERROR_FILE_NOT_FOUND of WinError.h, of a key or a value."""
DENIED = 5
"""ERROR_ACCESS_DENIED."""

Answers = Mapping[str, RowsOrUnread]


def read_windows(connection: str, answers: Answers) -> InsideWindows | Unread:
    """Return what was seen there; Unread where nothing of it could prove whose guest it is."""
    adapters = _adapters(_rows(answers, ADAPTERS))
    machine_id = _machine_id(_text(answers, MACHINE_ID))
    if isinstance(adapters, Unread):
        if not isinstance(machine_id, str):
            return Unread(f"its network adapters can't be read: {adapters}", adapters.why)
        adapters = ()
    system, computer = _only(_rows(answers, SYSTEM)), _only(_rows(answers, COMPUTER))
    return InsideWindows(
        connection=connection,
        system="Windows" if isinstance(system, Unread) else _system(system),
        on_hyperv=_on_hyperv(computer),
        platform="" if isinstance(computer, Unread) else " ".join(part for part in _firmware(computer) if part),
        adapters=adapters,
        machine_id=machine_id,
        service=_service(_rows(answers, SERVICES)),
        integration_services=_text(answers, INTEGRATION_SERVICES),
    )


def _rows(answers: Answers, query: Query) -> RowsOrUnread:
    return answers.get(query.class_name, Unread(f"{query.class_name} was not read"))


def _only(answer: RowsOrUnread) -> Row | Unread:
    """Return the row of a class that has one wherever it is."""
    if isinstance(answer, Unread):
        return answer
    return answer[0] if len(answer) == 1 else Unread(f"it shows {len(answer)} of what there is one of")


def _word(row: Row, name: str) -> str:
    """Return a property that is a text; empty for all else."""
    value = row.get(name)
    return clean(value) if isinstance(value, str) else ""


def _system(row: Row) -> str:
    return " ".join(part for part in (_word(row, "Caption"), _word(row, "Version")) if part) or "Windows"


def _on_hyperv(computer: Row | Unread) -> bool | Unread:
    if isinstance(computer, Unread):
        return computer
    return _firmware(computer) == HYPERV if any(_firmware(computer)) else Unread("its firmware names nobody")


def _firmware(row: Row) -> tuple[str, str]:
    return _word(row, "Manufacturer"), _word(row, "Model")


# --- the service ------------------------------------------------------------------------------------------------------


def _service(answer: RowsOrUnread) -> Service | Unread | None:
    if isinstance(answer, Unread):
        return answer
    by_name = {_word(row, "Name").casefold(): row for row in answer}
    if len(by_name) < len(answer):
        return Unread("it shows a service twice")
    row = by_name.get(KVP_SERVICE.casefold())
    if row is None:
        return None if WITNESS.casefold() in by_name else Unread("this account is shown no services")
    return Service(name=KVP_SERVICE, running=_running(_word(row, "State")), disabled=_disabled(_word(row, "StartMode")))


def _running(state: str) -> bool | Unread:
    """Return whether it runs; one that is on its way to a state is in none of the two."""
    if state == "Running":
        return True
    return False if state in STOPPED else Unread(f"its state is {state or 'not shown'}")


def _disabled(mode: str) -> bool | Unread:
    """Return whether nothing starts it. By hand is as good as automatic: the adapter of Data Exchange on the virtual
    bus triggers its start."""
    if mode == "Disabled":
        return True
    return False if mode in START_MODES else Unread(f"its start mode is {mode or 'not shown'}")


# --- whose guest it is ------------------------------------------------------------------------------------------------


def _adapters(answer: RowsOrUnread) -> tuple[InnerAdapter, ...] | Unread:
    """Return those that have a MAC address; an adapter that is disabled in the guest has none."""
    if isinstance(answer, Unread):
        return answer
    return tuple(_adapter(row) for row in answer if A_MAC.fullmatch(_word(row, "MACAddress")))


def _adapter(row: Row) -> InnerAdapter:
    has_address = isinstance(addresses := row.get("IPAddress"), str | list) and bool(addresses)
    return InnerAdapter(
        name=f"{_word(row, 'Description') or 'adapter'} ({_word(row, 'Index')})",
        mac=fold_mac(_word(row, "MACAddress")),
        synthetic=_word(row, "ServiceName").casefold().startswith(SYNTHETIC),
        dynamic=_word(row, "DHCPEnabled").casefold() == "true" if has_address else None,
    )


def _machine_id(text: str | Unread | None) -> str | Unread | None:
    if not isinstance(text, str):
        return text
    bare = text.strip("{}")
    return bare.upper() if A_GUID.fullmatch(bare) else Unread(f"{MACHINE_ID} is no GUID")


# --- the registry -----------------------------------------------------------------------------------------------------


def _text(answers: Answers, value: RegistryValue) -> str | Unread | None:
    """Return the text; None where the registry has no such value."""
    answer = answers.get(str(value), Unread(f"{value} was not read"))
    if isinstance(answer, Unread):
        return answer
    row: Row = answer[0] if len(answer) == 1 else {}
    code, text = row.get("ReturnValue"), row.get("sValue")
    if not isinstance(code, str) or not re.fullmatch("[0-9]{1,10}", code):
        return Unread(f"{value}: the answer has no number as its ReturnValue")
    if int(code) == NOT_THERE:
        return None
    if int(code) != 0:
        denied = " (access denied)" if int(code) == DENIED else ""
        return Unread(f"{value}: the registry answered {int(code)}{denied}")
    return clean(text) if isinstance(text, str) and text else Unread(f"{value}: the answer has no text")
