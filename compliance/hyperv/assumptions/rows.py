"""Which rows a server has: what the joins of translate.py rest on.

Looked at are machines that were the same at both ends of the reading; the others may have moved between two queries.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.assumptions.statement import Basis, Sign, assumed
from compliance.hyperv.host import OF_TEMPLATE, HostRows, MachineList
from compliance.hyperv.rows import Bucket, Rows, as_guid, nic_of, number, rows_beside, text
from compliance.model import Row, Unread
from compliance.words import shorten_value

REPLICATING = frozenset({1, 2, 4})
RUNNING_OR_PAUSED = frozenset({2, 9})
OFF_OR_SAVED = frozenset({3, 6})

DUMP = "a published dump of a 2012 R2 host with a running, a paused and a switched-off machine"


def name_of(guid: str, row: Row) -> str:
    name = text(row, "ElementName")
    return shorten_value(name) if isinstance(name, str) and name.strip() else guid


def nics_in(of_machines: Bucket) -> set[tuple[str, str]]:
    """Return the machine and the adapter of each row."""
    return {(guid, nic_of(rest)) for guid, rows in of_machines.items() for rest, _ in rows}


def each(machines: Collection[tuple[str, Row]], having: Container[str]) -> Iterator[Sign]:
    """Every one of the machines should be among those that have something."""
    lacking = [name_of(guid, row) for guid, row in machines if guid not in having]
    yield len(machines) - len(lacking)
    yield from lacking


def with_number(host: HostRows, name: str, numbers: frozenset[int]) -> list[tuple[str, Row]]:
    values = numbers_of(host, name)
    return [(guid, row) for guid, row in host.steady.items() if values[guid] in numbers]


def numbers_of(host: HostRows, name: str) -> Mapping[str, int | Unread | None]:
    """Return a number of each machine's own row: many statements are about the same few."""
    if name not in host.memo.numbers:
        host.memo.numbers[name] = {guid: number(row, name) for guid, row in host.steady.items()}
    return host.memo.numbers[name]


def forms(rows: Rows, form: re.Pattern[str], of_machines: Bucket) -> Iterator[Sign]:
    """Each row should be called by a form, or be a template. ``of_machines`` has those that are, by their machines."""
    beside = rows_beside(of_machines, rows)
    yield len(rows) - len(beside)
    for row in beside:
        if not is_template(row):
            yield (
                None if form.fullmatch(str(row.get("InstanceID"))) else shorten_value(row.get("InstanceID", "no name"))
            )


def is_template(row: Row) -> bool:
    name = row.get("InstanceID")
    return isinstance(name, str) and OF_TEMPLATE.match(name) is not None


# --- the list of machines ---------------------------------------------------------------------------------------------


@assumed(
    "one-own-row",
    "exactly one row in the list of machines has a name that is no GUID: the server's own",
    Basis.RECORDED,
    "a recording of a Hyper-V host (r4sd/go-wsman), and " + DUMP,
)
def one_own_row(host: HostRows) -> Iterator[Sign]:
    answer = host.rows(queries.MACHINES)
    if not isinstance(answer, Unread):
        own = [row for row in answer if not (isinstance(name := row.get("Name"), str) and as_guid(name))]
        yield None if len(own) == 1 else f"{len(own)} such rows"


@assumed(
    "empty-without-rights",
    "an account that Hyper-V does not let in is shown an empty list of machines, not refused",
    Basis.RECORDED,
    "what users of Windows' own tools saw (microsoft/devhome issue 2476)",
)
def empty_without_rights(host: HostRows) -> Iterator[Sign]:
    answer = host.rows(queries.MACHINES)
    if answer == ():
        yield None
    elif isinstance(answer, Unread) and answer.why is Why.NOT_PERMITTED:
        yield "was refused"


@assumed(
    "settings-row",
    "every virtual machine has a settings row of its own GUID and of the type Realized",
    Basis.RECORDED,
    DUMP + "; os-win and Microsoft's samples rest on it",
)
def settings_row(host: HostRows) -> Iterable[Sign]:
    return () if isinstance(host.settings, Unread) else each(host.steady.items(), host.realized)


# --- Data Exchange ----------------------------------------------------------------------------------------------------


@assumed(
    "offer-row",
    "every virtual machine has a row that says whether Data Exchange is offered, whether it runs or not",
    Basis.RECORDED,
    DUMP,
)
def offer_row(host: HostRows) -> Iterable[Sign]:
    return () if isinstance(host.offers, Unread) else each(host.steady.items(), host.offers_of)


@assumed(
    "component-while-running",
    "a running or paused virtual machine has a Data Exchange component row",
    Basis.RECORDED,
    DUMP,
)
def component_while_running(host: HostRows) -> Iterable[Sign]:
    there = with_number(host, "EnabledState", RUNNING_OR_PAUSED)
    return () if isinstance(host.guests, Unread) else each(there, host.guests_of)


@assumed(
    "no-component-while-off",
    "a virtual machine that is off or saved has no Data Exchange component row",
    Basis.INFERRED,
    DUMP + "; other versions and saved machines were not seen",
)
def no_component_while_off(host: HostRows) -> Iterable[Sign]:
    off = with_number(host, "EnabledState", OFF_OR_SAVED)
    return (name_of(guid, row) if guid in host.guests_of else None for guid, row in off)


# --- failover addresses -----------------------------------------------------------------------------------------------


@assumed(
    "failover-row-unset",
    "every synthetic adapter of a replicated virtual machine has a failover setting row, even without an address",
    Basis.INFERRED,
    "the Hyper-V team's blog of 2012 fetches the row before it sets the first address",
)
def failover_row_unset(host: HostRows) -> Iterator[Sign]:
    if isinstance(host.failover, Unread):
        return
    sides = with_number(host, "ReplicationMode", REPLICATING)
    if isinstance(host.rows(queries.SYNTHETIC_ADAPTERS), Unread):
        yield from each(sides, host.failover_of)
    settings = nics_in(host.failover_of)
    for guid, row in sides:
        for rest, _ in host.synthetic_of.get(guid, ()):
            yield None if (guid, nic_of(rest)) in settings else name_of(guid, row)


@assumed(
    "failover-row-once",
    "an adapter of a virtual machine has one failover setting row; copies of it in checkpoints carry another GUID",
    Basis.INFERRED,
    "the settings of checkpoints carry the checkpoint's GUID (comments in the BPA script of Server 2012)",
)
def failover_row_once(host: HostRows) -> Iterator[Sign]:
    for guid, row in host.steady.items():
        settings = host.failover_of.get(guid, ())
        if len(settings) < 2:  # as of nearly every machine
            yield len(settings)
        else:
            counts = Counter(nic for nic, _ in settings)
            yield from (None if count == 1 else name_of(guid, row) for count in counts.values())


@assumed(
    "failover-row-owner",
    "every failover setting row is that of a virtual machine, a checkpoint, a recovery point or a planned machine",
    Basis.INFERRED,
    "the same scheme of names as other settings of the machine",
)
def failover_row_owner(host: HostRows) -> Iterable[Sign]:
    if isinstance(host.settings, Unread) or not host.host_name:
        return ()
    later = host.again.machines.keys() if isinstance(host.again, MachineList) else set()
    strangers = host.failover_of.keys() - host.first.machines.keys() - later - host.setting_guids
    return [len(host.failover_of) - len(strangers), *(guid for guid in host.failover_of if guid in strangers)]


@assumed(
    "failover-row-adapter",
    "the last GUID of a failover setting row is that of an adapter of its virtual machine",
    Basis.INFERRED,
    "the guest's network settings are named so (Microsoft:GuestNetwork rows in eryph's tests)",
)
def failover_row_adapter(host: HostRows) -> Iterator[Sign]:
    if any(isinstance(host.rows(name), Unread) for name in (queries.SYNTHETIC_ADAPTERS, queries.LEGACY_ADAPTERS)):
        return
    adapters = nics_in(host.synthetic_of) | nics_in(host.legacy_of)
    for guid, row in host.steady.items():
        for nic, _ in host.failover_of.get(guid, ()):
            yield None if (guid, nic) in adapters else name_of(guid, row)


# --- replication ------------------------------------------------------------------------------------------------------


@assumed(
    "relationship-row",
    "every virtual machine with a replication role has a relationship row, from Server 2012 R2 on",
    Basis.DOCUMENTED,
    "MicrosoftDocs/win32, msvm-replicationrelationship",
)
def relationship_row(host: HostRows) -> Iterable[Sign]:
    sides = with_number(host, "ReplicationMode", REPLICATING)
    return () if isinstance(host.relationships, Unread) else each(sides, host.relationships_of)


@assumed(
    "no-relationship-row",
    "a virtual machine without a replication role has no relationship row",
    Basis.INFERRED,
    "a relationship is made when replication is enabled; replication settings, though, exist without one in a dump",
)
def no_relationship_row(host: HostRows) -> Iterator[Sign]:
    if not isinstance(host.relationships, Unread):
        for guid, row in with_number(host, "ReplicationMode", frozenset({0})):
            yield name_of(guid, row) if guid in host.relationships_of else None


@assumed(
    "chain-rows",
    "a second relationship row (\\1) stands only on the middle server of a chain, beside the first (\\0), on a replica",
    Basis.INFERRED,
    "MicrosoftDocs/win32, msvm-replicationrelationship, and the team's blog on extended replication (2013)",
)
def chain_rows(host: HostRows) -> Iterator[Sign]:
    for guid, row in host.steady.items():
        relationships = host.relationships_of.get(guid, ())
        if any(rest.endswith("1") for rest, _ in relationships):
            numbers = {rest.rpartition("\\")[2] for rest, _ in relationships}
            if "1" in numbers:
                yield None if "0" in numbers and number(row, "ReplicationMode") == 2 else name_of(guid, row)


@assumed(
    "replication-settings-row",
    "every virtual machine with a replication role has a replication settings row",
    Basis.RECORDED,
    DUMP + ", where even machines without replication have one",
)
def replication_settings_row(host: HostRows) -> Iterable[Sign]:
    sides = with_number(host, "ReplicationMode", REPLICATING)
    return () if isinstance(host.replication, Unread) else each(sides, host.replication_of)
