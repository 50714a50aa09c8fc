"""Tables of verdicts for the reports' tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from compliance.audit import judge_snapshot
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT
from compliance.hyperv.estate import translate
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.scope import Scope
from compliance.model import (
    Adapter,
    AdapterConnection,
    Answer,
    Estate,
    FailoverAddress,
    Guest,
    Judging,
    Power,
    ReplicatedVM,
    Role,
    Server,
    Unread,
    VirtualMachine,
)
from compliance.report.table import Table
from compliance.rule import Outcome, Result, Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from tests.builders import snapshot, source, unread_source
from tests.comparing import RULES
from tests.hosts import NOW, Host, Nic, Vm, guid, replica_of


def table(estate: Estate, **changes: object) -> Table:
    known: dict[str, object] = {"tool": "hyperv-compliance 0.1.0", "inventory": "inventories/x.yaml", **changes}
    decisions, gate = decide(judge(estate, RULES), estate, Grounds(policy=DEFAULT, now=NOW))
    known["readiness"] = readiness_of(estate, judge(estate))
    return Table(estate=estate, decisions=decisions, gate=gate, **known)  # type: ignore[arg-type]


def showing(found: Table, verdicts: Iterable[Verdict]) -> Table:
    """The same table over other verdicts, as they are."""
    decisions, gate = decide(list(verdicts), found.estate, Grounds(policy=found.policy, now=NOW))
    return replace(found, decisions=decisions, gate=gate)


def small(**changes: object) -> Table:
    sql = Vm(name="sql01", nics=(Nic(addresses=("10.2.0.20",), gateways=("10.2.0.1",)),))
    mute = Vm(name="mute01", kvp=12, heartbeat=12)
    plain = Vm(name="plain01", nics=(), hosts=[("hv01.dr.example", "hv09.dr.example")])
    settings = changes.pop("settings", Judging())
    found = snapshot(
        source(Host(name="HV02", vms=[replica_of(sql, offered=3), replica_of(mute)])),
        source(Host(name="HV01", vms=[sql, mute, plain])),
        unread_source("hv03", "connection refused"),
        settings=settings,  # type: ignore[arg-type]
    )
    return table(translate(found), **changes)


NIC = Adapter(guid="a", name="Network Adapter", connected=True, connection=AdapterConnection.SWITCH)


def mute_machine(name: str, server: str, **changes: object) -> ReplicatedVM:
    """A running guest that never answered: it fails."""
    known: dict[str, object] = {
        "server": server,
        "guid": name,
        "name": name,
        "role": Role.PRIMARY,
        "power": Power.RUNNING,
        "replicated": True,
        "uptime": timedelta(days=4),
        "failover": (
            FailoverAddress(adapter_guid="a", adapter=NIC, addresses=("10.2.0.20",), subnets=("255.255.255.0",)),
        ),
        "adapters": (NIC,),
        "data_exchange_offered": True,
        "guest": Guest(answer=Answer.NO_CONTACT),
        "heartbeat": Answer.NO_CONTACT,
    }
    machine = VirtualMachine(**{**known, **changes})  # type: ignore[arg-type]
    return ReplicatedVM(machine=machine, partner=Unread("seen on no other server"))


def many(count: int) -> Table:
    servers = tuple(Server(name=f"hv{number:03d}") for number in range(100))
    machines = tuple(mute_machine(f"vm{number:05d}", f"hv{number % 100:03d}") for number in range(count))
    return table(Estate(name="many", time=NOW, servers=servers, replicated=machines))


def hostile(text: str) -> Table:
    """The same text in every place that somebody else writes."""
    failover = FailoverAddress(
        adapter_guid=text,
        adapter=Adapter(guid=text, name=text),
        addresses=(text,),
        subnets=(text,),
        gateways=(text,),
        dns_servers=(text,),
    )
    guest = Guest(answer=Answer.NO_CONTACT, os_name=text, addresses=(text,))
    one = mute_machine(text, text, failover=(failover,), guest=guest, remarks=(text,))
    silent = mute_machine(f"{text}2", text, guest=Unread(text), failover=(failover,), role=Unread(text))
    servers = (
        Server(name=text, remarks=(text, f"{text} (`verify: false`)")),
        Server(name=f"{text}3", unread=Unread(text)),
        Server(name=f"{text}4", doubt=text, version=text),
    )
    estate = Estate(name=text, time=NOW, servers=servers, replicated=(one, silent))
    found = table(estate, tool=text, inventory=text, inventory_digest=text, scope=text, complete=False)
    outcome = Outcome(Result.FAILED, text, text, remarks=(text,), facts=dict.fromkeys((ADDRESSES_NOW, BPA), (text,)))
    waived = replace(outcome, result=Result.WAIVED)
    extra = tuple(replace(found.verdicts[-1], outcome=one) for one in (outcome, waived))
    return showing(found, (*found.verdicts, *extra))


def sharing_an_address(name: str) -> Table:
    """Two replicas with one failover address, of which one has the name: advice names both."""
    nic = Nic(addresses=("10.2.0.21",), gateways=("10.2.0.1",))
    machines = [Vm(name=each, guid=guid(each), nics=(Nic(),)) for each in (name, "web")]
    replicas = [Vm(name=each, guid=guid(each), nics=(nic,), mode=2, power=3) for each in (name, "web")]
    servers = (Host(name="HV01", vms=machines), Host(name="HV02", vms=replicas))
    return judge_snapshot(snapshot(*map(source, servers)), Scope())


def verdict_of(found: Table, result: Result) -> Verdict:
    return next(one for one in found.verdicts if one.outcome.result is result and one.machine)
