"""Each field of the model is compared between two audits, or stands here with the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from compliance import model
from compliance.diff.aspects import cluster_changes, estate_changes, machine_changes, server_changes
from compliance.model import (
    Adapter,
    AdapterConnection,
    Addresses,
    Answer,
    Cluster,
    Daemon,
    Evidence,
    FailoverAddress,
    Guest,
    InnerAdapter,
    InsideUnix,
    InsideWindows,
    Judging,
    Power,
    Role,
    Script,
    Server,
    Service,
    Stack,
    Takes,
    Unread,
    VirtualMachine,
)
from tests.values import WINDOWS, adapter, address, static, vm

NIC = adapter(today=static("10.1.0.20"))
SETTING = address("10.2.0.20", on=NIC)
MACHINE = vm(adapters=(NIC,), failover=(SETTING,))
DAEMON = Daemon(program="hv_kvp_daemon", running=True, at_boot=True, script="/x", script_state=Script.THERE)
INNER = InnerAdapter(name="eth0", mac="00155D000001", synthetic=True)
UNIX = InsideUnix(
    connection="ssh://x",
    system="Debian",
    on_hyperv=True,
    adapters=(INNER,),
    kernel="6",
    driver=True,
    device=True,
    daemon=DAEMON,
)
SERVICE = Service(name="vmickvpexchange", running=True, disabled=False)
WINDOWS_INSIDE = InsideWindows(connection="winrm://x", system="Windows", on_hyperv=True, adapters=(), service=SERVICE)
NOT_KNOWN = Unread("not known")


def with_guest(**changes: Any) -> VirtualMachine:
    return replace(MACHINE, guest=replace(WINDOWS, **changes))


def with_adapter(**changes: Any) -> VirtualMachine:
    return replace(MACHINE, adapters=(replace(NIC, **changes),))


def with_setting(**changes: Any) -> VirtualMachine:
    return replace(MACHINE, failover=(replace(SETTING, **changes),))


def with_today(**changes: Any) -> VirtualMachine:
    return with_adapter(today=replace(static("10.1.0.20"), **changes))


def with_unix(**changes: Any) -> VirtualMachine:
    return replace(MACHINE, inside=replace(UNIX, **changes))


def with_daemon(**changes: Any) -> VirtualMachine:
    return with_unix(daemon=replace(DAEMON, **changes))


def with_inner(**changes: Any) -> VirtualMachine:
    return with_unix(adapters=(replace(INNER, **changes),))


def with_windows(**changes: Any) -> VirtualMachine:
    return replace(MACHINE, inside=replace(WINDOWS_INSIDE, **changes))


def with_service(**changes: Any) -> VirtualMachine:
    return with_windows(service=replace(SERVICE, **changes))


Compare = Callable[[Any, Any], tuple[object, ...]]
Make = Callable[..., Any]
OTHER: dict[type, tuple[Make, Compare, dict[str, object]]] = {
    Judging: (
        Judging,
        estate_changes,
        {"evidence": Evidence.BPA, "boot_grace": timedelta(minutes=1), "may_be_empty": True},
    ),
    Server: (
        lambda **changes: Server(**{"name": "hv01", **changes}),
        server_changes,
        {
            "host_name": "HV01",
            "version": "10.0",
            "insecure": "http",
            "unread": NOT_KNOWN,
            "doubt": "half of it",
            "partial": "a node alone",
        },
    ),
    Cluster: (
        lambda **changes: Cluster(**{"name": "hvcl01", **changes}),
        cluster_changes,
        {"unread": NOT_KNOWN, "nodes": ("hv01",), "doubts": ("half of it",)},
    ),
    VirtualMachine: (
        lambda **changes: replace(MACHINE, **changes),
        machine_changes,
        {
            "server": "hv09",
            "cluster": "hvcl01",
            "name": "other",
            "role": Role.REPLICA,
            "power": Power.OFF,
            "replicated": False,
            "doubt": NOT_KNOWN,
            "failover": (),
            "data_exchange_offered": False,
            "guest": Guest(answer=Answer.LOST),
            "adapters": (),
            "partners": ("hv07",),
            "failed_over": True,
            "shielded": True,
            "foreign": True,
            "inside": UNIX,
            "changed": ("it moved",),
        },
    ),
    Guest: (
        with_guest,
        machine_changes,
        {
            "answer": Answer.DEGRADED,
            "items_read": False,
            "os_name": "Windows Server 2019",
            "os_version": "10.0.17763",
            "integration_services_version": "1",
        },
    ),
    Adapter: (
        with_adapter,
        machine_changes,
        {
            "guid": "other",
            "name": "Backup",
            "mac": "00155D999999",
            "legacy": True,
            "connection": AdapterConnection.NONE,
            "today": static("10.1.0.99"),
        },
    ),
    Addresses: (
        with_today,
        machine_changes,
        {
            "addresses": ("10.1.0.99",),
            "subnets": ("255.0.0.0",),
            "gateways": ("10.1.0.9",),
            "dns_servers": ("10.1.0.8",),
            "dynamic": True,
        },
    ),
    FailoverAddress: (
        with_setting,
        machine_changes,
        {
            "adapter_guid": "other",
            "addresses": ("10.2.0.99",),
            "subnets": ("255.0.0.0",),
            "gateways": ("10.2.0.9",),
            "dns_servers": ("10.2.0.8",),
        },
    ),
    InsideUnix: (
        with_unix,
        machine_changes,
        {"system": "Ubuntu", "adapters": (), "driver": False, "device": False, "daemon": None},
    ),
    Daemon: (
        with_daemon,
        machine_changes,
        {
            "program": "hypervkvpd",
            "running": False,
            "at_boot": False,
            "script": "/y",
            "script_state": Script.MISSING,
            "writes": (Stack.NETPLAN,),
            "takes": Takes(least=2),
            "hands_over": 2,
            "loads": False,
            "calls_ifup": True,
            "confined": "ProtectSystem=strict",
            "wrapper": True,
        },
    ),
    InnerAdapter: (with_inner, machine_changes, {"name": "eth1", "synthetic": False, "stacks": (Stack.NETPLAN,)}),
    InsideWindows: (with_windows, machine_changes, {"system": "Windows 11", "service": None}),
    Service: (with_service, machine_changes, {"name": "other", "running": False, "disabled": True}),
}

_IDENTITY = "by it the two audits are held against each other"
_TEXT = "a remark or a log: its words change, and nothing is judged by it"
_COUNT = "what it holds is compared one by one"
_PLACE = "where it is filed in the inventory: nothing of the server itself"
_PARTNERS = "which of the partners are meant: `partners` and `role` are compared"
_SYSTEM = "part of the system's name, which is compared"
EXCEPTIONS: dict[type, dict[str, str]] = {
    Judging: {"may_be_partial": "the gate's, in no snapshot"},
    Server: {
        "name": _IDENTITY,
        "endpoint": _PLACE,
        "cluster": _PLACE,
        "site": _PLACE,
        "groups": _PLACE,
        "full_names": "of its own name, which is compared",
        "clock_ahead": "differs by seconds from run to run",
        "machines": _COUNT,
        "unlisted": "the partners of its machines, which are compared",
        "networks": "its own addresses: what is judged by them flips by itself",
        "remarks": _TEXT,
    },
    Cluster: {
        "name": _IDENTITY,
        "endpoint": _PLACE,
        "site": _PLACE,
        "groups": _PLACE,
        "own_name": "what it calls itself: no rule reads it",
        "insecure": "of its nodes, which are compared",
        "labels": "names of its own and of its broker: the join reads them, and its partners are compared",
        "expected": "a count of its machines, which are compared",
        "missing": "said as a doubt",
        "remarks": _TEXT,
    },
    VirtualMachine: {
        "guid": _IDENTITY,
        "uptime": "grows by itself",
        "heartbeat": "chooses the words of a finding, not its outcome",
        "receives_from": _PARTNERS,
        "sends_to": _PARTNERS,
        "sends_onward": "adds a direction, whose readiness is compared",
        "replication_settings_read": "its partners are not known without",
        "test_of": "which replica a copy was made of: both are compared",
        "remarks": _TEXT,
    },
    Guest: {
        "os_major": _SYSTEM,
        "os_build": _SYSTEM,
        "addresses": "change by DHCP; those of each adapter are compared",
    },
    Adapter: {
        "connected": "as the connection says, where that was asked for",
        "switch": "a name: whether it leads to a switch is compared",
    },
    Addresses: {},
    FailoverAddress: {"adapter": "compared among the machine's adapters"},
    InsideUnix: {
        "connection": "by what it was read",
        "on_hyperv": "another machine's otherwise, and not looked at",
        "platform": "said where it is on no Hyper-V",
        "machine_id": "proves whose guest it is",
        "distribution": _SYSTEM,
        "version": _SYSTEM,
        "kernel": "changes with every update; the daemon's package for it is compared",
        "stacks": "those of each adapter are compared",
        "ifup": "whether the script calls it is compared",
        "log": _TEXT,
    },
    Daemon: {"package": "names a remedy", "unit": "names a remedy"},
    InnerAdapter: {"mac": "compared among the machine's adapters", "dynamic": "as its address of today"},
    InsideWindows: {
        "connection": "by what it was read",
        "on_hyperv": "another machine's otherwise, and not looked at",
        "platform": "said where it is on no Hyper-V",
        "adapters": "the host shows them",
        "machine_id": "proves whose guest it is",
        "integration_services": "compared as the guest published them",
    },
    Service: {},
}
APART = {
    "Unread": "a reason",
    "Takes": "compared as the daemon's",
    "Inside": "what both kinds of system have: compared in each",
    "GuestConnection": "of the inventory: what it led to is the machine's",
    "ReplicatedVM": "a join of machines, which are compared",
    "ReplicaAdapter": "a join of adapters, which are compared",
    "Partner": "of machines' partners, which are compared",
    "Estate": "its parts are compared, and its sites stand in the inventory",
}
"""Classes of which no field is compared."""


def test_each_class_of_the_model_stands_here() -> None:
    classes = {name for name, value in vars(model).items() if hasattr(value, "__dataclass_fields__")}
    assert classes == {kind.__name__ for kind in OTHER} | set(APART)
    assert OTHER.keys() == EXCEPTIONS.keys()


@pytest.mark.parametrize("kind", OTHER, ids=lambda kind: kind.__name__)
def test_each_field_is_compared_or_an_exception(kind: type) -> None:
    _, _, others = OTHER[kind]
    assert not others.keys() & EXCEPTIONS[kind].keys()
    assert {one.name for one in fields(kind)} == others.keys() | EXCEPTIONS[kind].keys()


FIELDS = [(kind, name) for kind, (_, _, others) in OTHER.items() for name in others]


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind.__name__}.{name}" for kind, name in FIELDS])
def test_a_field_that_changed_is_a_change(kind: type, name: str) -> None:
    make, compare, others = OTHER[kind]
    assert compare(make(), make()) == ()
    assert compare(make(), make(**{name: others[name]}))
