"""What is inferred of what only adds a finding or a word, and of what guests use now. One line a class at most.

A class that only adds (``Query.adds_only``) changes no verdict by its silence; so that it says why, a refusal stands
here as well, as something that speaks against what we assume.
"""

from __future__ import annotations

from collections.abc import Iterator

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.adapters import ENABLED
from compliance.hyperv.additions import interface
from compliance.hyperv.assumptions.rows import each, forms, is_template, name_of, nics_in
from compliance.hyperv.assumptions.statement import Basis, Sign, assumed
from compliance.hyperv.host import OF_GUEST_ADDRESSES, HostRows, switch_of
from compliance.hyperv.rows import (
    A_GUID,
    Rows,
    array,
    as_guid,
    filled,
    nic_of,
    number,
    of_machine,
    or_none,
    read_word,
)
from compliance.model import Unread
from compliance.words import shorten_value

TEST_REPLICA = 3  # ReplicationMode (msvm-computersystem)


def _answer(host: HostRows, class_name: str) -> Rows | str:
    """Return the rows of a class, or why there are none: empty where it was not to be there."""
    answer = host.rows(class_name)
    if not isinstance(answer, Unread):
        return answer
    is_absent = answer.why is Why.NOT_ASKED or (answer.why is Why.ABSENT and host.reading.version is None)
    return "" if is_absent else shorten_value(f"could not be read: {answer}", 200)


@assumed(
    "switches",
    "a server lists its switches by their GUIDs, and the path of a connected adapter's switch holds that GUID",
    Basis.INFERRED,
    "MicrosoftDocs/win32, msvm-virtualethernetswitch, and HostResource of msvm-ethernetportallocationsettingdata; "
    "no row was seen",
)
def switches(host: HostRows) -> Iterator[Sign]:
    rows = _answer(host, queries.SWITCHES)
    if isinstance(rows, str):
        yield from [rows] if rows else []
        return
    for row in rows:
        name = row.get("Name")
        yield None if isinstance(name, str) and as_guid(name) else f"a switch is called {shorten_value(name)}"
    paths = [
        path
        for row in or_none(host.connections)
        if read_word(row, "EnabledState", ENABLED) is True
        for path in filled(row, "HostResource")
        if not is_template(row)
    ]
    for path in paths:
        yield None if switch_of(path) else f"a path is {shorten_value(path)}"
    if paths and not rows:
        yield "none is listed, though adapters are connected"


@assumed(
    "security-rows",
    "from Server 2016 on, every virtual machine has a row Microsoft:<virtual machine>\\… that says whether it is "
    "shielded",
    Basis.INFERRED,
    "MicrosoftDocs/win32, msvm-securitysettingdata; the form is that of other settings",
)
def security_rows(host: HostRows) -> Iterator[Sign]:
    rows = _answer(host, queries.SECURITY)
    if isinstance(rows, str):
        yield from [rows] if rows else []
        return
    having = set()
    for row in rows:
        instance = row.get("InstanceID")
        tied = of_machine(instance)
        if tied and str(row.get("ShieldingRequested")).casefold() in ("true", "false"):
            having.add(tied[0])
        elif not is_template(row):
            name = instance if isinstance(instance, str) else "no name"
            yield f"{shorten_value(name)}: {shorten_value(row.get('ShieldingRequested'))}"
    yield from each(host.steady.items(), having)


@assumed(
    "test-replicas",
    "a dependency ties each test replica to its replica, by the GUIDs of both",
    Basis.INFERRED,
    "MicrosoftDocs/win32, msvm-replicasystemdependency; how WinRM writes its references was recorded of other classes",
)
def dependencies_of_tests(host: HostRows) -> Iterator[Sign]:
    rows = _answer(host, queries.TEST_REPLICAS)
    if isinstance(rows, str):
        yield from [rows] if rows else []
        return
    for row in rows:
        guids = [A_GUID.findall(str(row.get(name))) for name in ("Antecedent", "Dependent")]
        yield None if all(guids) else shorten_value(str({name: row.get(name) for name in ("Antecedent", "Dependent")}))
    for guid, machine in host.steady.items():
        if number(machine, "ReplicationMode") == TEST_REPLICA and guid not in host.additions.replica_of_test:
            yield f"{name_of(guid, machine)} is tied to no replica"


@assumed(
    "host-addresses",
    "a server has addresses, each with the mask or the length of the prefix of its subnet",
    Basis.DOCUMENTED,
    "MicrosoftDocs/win32, win32-networkadapterconfiguration",
)
def host_addresses(host: HostRows) -> Iterator[Sign]:
    rows = _answer(host, queries.HOST_ADDRESSES)
    if isinstance(rows, str):
        yield from [rows] if rows else []
        return
    if not any(array(row, "IPAddress") for row in rows):
        yield "none is given"
    for row in rows:
        addresses, subnets = array(row, "IPAddress"), array(row, "IPSubnet")
        fits = len(addresses) == len(subnets) and all(map(interface, addresses, subnets))
        yield None if fits else f"{shorten_value(', '.join(addresses))} with {shorten_value(', '.join(subnets))}"


@assumed(
    "guest-address-rows",
    "every adapter of a virtual machine has a row Microsoft:GuestNetwork\\<virtual machine>\\<adapter>, whether its "
    "guest tells anything or not",
    Basis.RECORDED,
    "a row of a real host (eryph's tests); that there is one of every adapter is inferred",
)
def guest_address_rows(host: HostRows) -> Iterator[Sign]:
    answer = host.rows(queries.GUEST_ADDRESSES)
    if isinstance(answer, Unread):
        return
    yield from forms(answer, OF_GUEST_ADDRESSES, host.guest_addresses_of)
    having = nics_in(host.guest_addresses_of)
    for guid, machine in host.steady.items():
        for rest, _ in (*host.synthetic_of.get(guid, ()), *host.legacy_of.get(guid, ())):
            yield None if (guid, nic_of(rest)) in having else name_of(guid, machine)
