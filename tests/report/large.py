"""Estates of any size for the page's tests and benchmark, judged by the bundled rules: machines of two sites, each with
a primary in Berlin and a replica in Frankfurt, of which 12 of 100 are not ready, each for one of the usual reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compliance.audit import judge_snapshot
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT
from compliance.hyperv.estate import translate
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import all_rules, judge
from compliance.judge.scope import Scope
from compliance.model import ReplicatedVM
from compliance.report.table import Table
from compliance.rule import Outcome, Rule, Severity, failed, not_applicable, passed, rule, unknown
from compliance.snapshot.snapshot import Snapshot
from tests.builders import NOW, snapshot, source
from tests.hosts import HOUR, WINDOWS, Host, Nic, Vm, guid, linux, replica_of

PER_SERVER = 50
ROLES = ("app", "sql", "web", "file", "mail", "erp", "build", "print", "crm", "dc")


def _names(count: int) -> Iterator[str]:
    yield from (f"{ROLES[number % len(ROLES)]}{number // len(ROLES):04d}" for number in range(count))


def _nic(site: int, number: int, **changes: object) -> Nic:
    network = f"10.{site + number // 50_000}.{number // 200 % 250}"
    values: dict[str, object] = {"addresses": (f"{network}.{number % 200 + 20}",), "gateways": (f"{network}.1",)}
    return Nic(**{**values, **changes})  # type: ignore[arg-type]


def pair(number: int, name: str, primary: str, secondary: str, *, is_ready: bool = False) -> tuple[Vm, Vm]:
    """Return both sides of a machine. Of 100 numbers 12 are not ready, 3 unknown, and 2 have no failover address."""
    today = f"10.{number // 50_000}.{number // 200 % 250}.{number % 200 + 20}"
    vm = Vm(
        name=name,
        guid=guid(f"{name} {number}"),
        nics=(_nic(50, number, today=(today,)),),
        items={**WINDOWS, "NetworkAddressIPv4": today},
        hosts=((f"{primary}.dr.example", f"{secondary}.dr.example"),),
    )
    nic, offered = _nic(150, number), 2
    match 99 if is_ready else number * 37 % 100:
        case 0 | 1:
            vm = replace(vm, items=linux("SLES", "15.5", today))
        case 2 | 3 | 4 | 5:
            vm = replace(vm, kvp=12, heartbeat=12)
        case 6 | 7:
            nic = replace(nic, connected=False)
        case 8 | 9:
            nic = replace(nic, addresses=(), gateways=())
        case 10:
            nic = replace(nic, gateways=("192.0.2.1",))
        case 11:
            offered = 3
        case 12 | 13:
            vm = replace(vm, power=3, uptime=0)
        case 14:
            vm = replace(vm, kvp=12, heartbeat=12, uptime=HOUR // 20)
        case 15 | 16:
            vm = replace(vm, nics=(Nic(today=(today,), dhcp=True),))
            nic = Nic()
    return vm, replica_of(vm, nics=(nic,), offered=offered)


def machines(count: int, *, is_ready: bool = False) -> Table:
    """Return the table of an estate of so many virtual machines."""
    return judge_snapshot(_snapshot(count, is_ready=is_ready), Scope())


def with_rules(count: int, rules: int) -> Table:
    """Return the same by so many rules: the bundled ones, and made-up ones of which each fails on one side in 90, as
    many times does not know, and is not applicable to a third."""
    estate = translate(_snapshot(count))
    verdicts = judge(estate, all_rules())
    used = {verdict.rule.key for verdict in verdicts}
    made_up = judge(estate, [_made_up(number) for number in range(rules - len(used))])
    decisions, gate = decide((*verdicts, *made_up), estate, Grounds(policy=DEFAULT, now=NOW))
    return Table(estate=estate, decisions=decisions, gate=gate, tool="t", readiness=readiness_of(estate, verdicts))


def _made_up(number: int) -> Rule:
    def judged_by_number(vm: ReplicatedVM) -> Outcome:
        place = (int(vm.machine.guid[:6], 16) * 7 + number * 13) % 90
        if place == 0:
            return failed(f"{vm.machine.name} was restarted {number} times")
        if place == 1:
            return unknown("the class was refused")
        return not_applicable("no address") if place % 3 == 2 else passed()

    text = {"impact": "What it means. " * 20, "resolution": "What to do. " * 20, "title": f"Rule {number}"}
    return rule(f"rule-{number:02d}", severity=list(Severity)[number % 3], **text)(judged_by_number)


def _snapshot(count: int, *, is_ready: bool = False) -> Snapshot:
    sources = []
    names = list(_names(count))
    for first in range(0, count, PER_SERVER):
        place = first // PER_SERVER
        here, there = f"bln-hv{place + 1:03d}", f"fra-hv{place + 1:03d}"
        numbers = range(first, min(first + PER_SERVER, count))
        pairs = [pair(number, names[number], here, there, is_ready=is_ready) for number in numbers]
        for name, site, network, side in ((here, "berlin", 250, 0), (there, "frankfurt", 251, 1)):
            vms = [both[side] for both in pairs]
            own = f"10.{network}.{place // 200}.{place % 200 + 1}/24"
            host = Host(name=name.upper(), vms=vms, networks=(own,))
            sources.append(source(host, site=site, groups=("even" if place % 2 else "odd",)))
    return snapshot(*sources)
