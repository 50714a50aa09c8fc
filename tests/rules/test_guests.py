"""Whether a guest's system applies a failover address: the table's verdicts, and what the founding rule keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.hyperv import queries
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Evidence, Judging
from compliance.rule import Outcome, Result
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.facts import ADDRESSES_NOW
from compliance.rules.evidence.system import Statement
from compliance.rules.evidence.table import OTHER, SYSTEMS
from compliance.rules.failover import failover_ip_needs_integration_services as FOUNDING  # noqa: N812
from compliance.rules.guests import guest_can_apply_failover_ip as RULE  # noqa: N812
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import snapshot, source
from tests.hosts import Host, Nic, Vm, freebsd, linux, replica_of
from tests.rules.evidence.test_systems import PUBLISHED
from tests.rules.test_failover import BPA_MODE, OWN_SERVER

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
SIX, BOTH, UNSET = Nic(addresses=("2001:db8::20",)), Nic(addresses=("10.2.0.20", "2001:db8::20")), Nic()
DEBIAN = linux("Debian GNU/Linux", "12")
RED_HAT = linux("Red Hat Enterprise Linux", "9.4")


def outcomes(*sources: ServerRecord, settings: Judging = Judging(), rule: object = RULE) -> dict[str, Outcome]:
    estate = translate(snapshot(*sources, settings=settings))
    return {verdict.label: verdict.outcome for verdict in judge(estate, [rule])}  # type: ignore[list-item]


def only(vm: Vm, **source_changes: object) -> Outcome:
    return outcomes(source(Host(vms=[Vm(name="healthy"), vm]), **source_changes))[f"hv01/{vm.name}"]


ARRIVED = Nic(addresses=("10.2.0.20",), today=("10.2.0.20",))
LANDED = Vm(name="x", mode=2, state=6, nics=[ARRIVED], items=linux("Ubuntu", "24.04"))


@pytest.mark.parametrize(
    ("vm", "result"),
    [
        (LANDED, NOT_APPLICABLE),
        (replace(LANDED, items={}), NOT_APPLICABLE),
        (replace(LANDED, state=3), FAILED),
        (replace(LANDED, nics=[replace(ARRIVED, today=("10.1.0.20",))]), FAILED),
    ],
)
def test_an_address_that_has_landed_shows_more_than_a_table(vm: Vm, result: Result) -> None:
    assert only(vm).result is result


CASES: list[tuple[str, Vm, Result, str, str]] = [
    ("works", Vm(name="x"), PASSED, "Windows Server 2019 Standard 10.0.17763, which applies a failover address", ""),
    ("works, IPv6", Vm(name="x", nics=[SIX]), PASSED, "which applies a failover address", ""),
    ("older protocol", Vm(name="x", kvp=3), PASSED, "which applies", ""),
    ("paused", Vm(name="x", power=9), PASSED, "which applies", ""),
    (
        "works if",
        Vm(name="x", items=RED_HAT),
        PASSED,
        "applies a failover address only if NetworkManager manages its adapter",
        "hyperv-daemons before 0-0.41.el9 sets no default gateway",
    ),
    (
        "netplan",
        Vm(name="x", items=linux("Ubuntu", "24.04")),
        FAILED,
        "which as installed does not apply a failover address: netplan configures its adapters",
        "Describe the adapter in /etc/network/interfaces",
    ),
    ("known not to", Vm(name="x", items=DEBIAN), FAILED, "brings no hv_set_ifconfig script", "executable /usr/libexec"),
    ("names the kernel", Vm(name="x", items=DEBIAN), FAILED, "Debian GNU/Linux 12 (kernel 6.1.0-21-amd64)", "opened"),
    (
        "no statement",
        Vm(name="x", items=linux("Amazon Linux", "2023")),
        PASSED,
        "of which nobody says",
        "nobody documents",
    ),
    ("nobody knows it", Vm(name="x", items=linux("Plan 9", "4")), PASSED, "runs Plan 9 4", "on any other system"),
    ("FreeBSD", Vm(name="x", items=freebsd("12.4")), PASSED, "FreeBSD 12.4, which applies", "none but hn0"),
    (
        "FreeBSD, IPv6",
        Vm(name="x", items=freebsd("12.4"), nics=[SIX]),
        FAILED,
        "no IPv6 address at a failover: 2001",
        "IPv4",
    ),
    (
        "FreeBSD, both",
        Vm(name="x", items=freebsd("12.4"), nics=[BOTH]),
        FAILED,
        "no IPv6 address at a failover: 2001",
        "IPv4",
    ),
    (
        "newer FreeBSD, IPv6",
        Vm(name="x", items=freebsd("14.1"), nics=[SIX]),
        FAILED,
        "no IPv6 address",
        "nobody documents",
    ),
    ("nothing published", Vm(name="x", items={}), UNKNOWN, "published nothing about its operating system", ""),
    ("no name", Vm(name="x", items={"IntegrationServicesVersion": "3.1"}), UNKNOWN, "published nothing about", ""),
    ("no version", Vm(name="x", items=linux("Debian GNU/Linux", "")), UNKNOWN, "no version that can be read", ""),
    ("no name of a system", Vm(name="x", items=linux("Debian\u202e", "1")), UNKNOWN, "no name of one", ""),
    ("no failover address", Vm(name="x", nics=[UNSET], items=DEBIAN), NOT_APPLICABLE, "no failover address", ""),
    ("switched off", Vm(name="x", offered=3), NOT_APPLICABLE, "does not even reach the guest", ""),
    (
        "switched off, Debian",
        Vm(name="x", offered=3, items=DEBIAN),
        NOT_APPLICABLE,
        "does not even",
        "besides, the guest runs",
    ),
    ("never answered", Vm(name="x", kvp=12), NOT_APPLICABLE, "does not even reach the guest", ""),
    ("lost", Vm(name="x", kvp=13), UNKNOWN, "does not answer now", ""),
    ("off", Vm(name="x", power=3), UNKNOWN, "was not seen elsewhere", ""),
]


@pytest.mark.parametrize(
    ("vm", "result", "says", "remark"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_is_said_of_a_guests_system(vm: Vm, result: Result, says: str, remark: str) -> None:
    outcome = only(vm)
    assert outcome.result is result
    assert says in outcome.finding
    assert remark in "\n".join(outcome.remarks)
    assert bool(outcome.remarks) is bool(remark)
    assert outcome.cause in set(Cause) or result in (PASSED, NOT_APPLICABLE)
    if result in (PASSED, FAILED):
        assert outcome.evidence == "likely, by the system that the guest published"
        assert outcome.facts[ADDRESSES_NOW]


RESULTS = {
    Statement.WORKS: PASSED,
    Statement.WORKS_IF: PASSED,
    Statement.NO_STATEMENT: PASSED,
    Statement.NOT_AS_INSTALLED: FAILED,
    Statement.KNOWN_NOT: FAILED,
}


@pytest.mark.parametrize(("items", "row", "says"), PUBLISHED, ids=lambda value: str(value)[:60])
def test_every_row(items: dict[str, str], row: str, says: Statement) -> None:
    outcome = only(Vm(name="x", items=items))
    assert outcome.result is RESULTS[says]
    assert bool(outcome.remarks) is (says is not Statement.WORKS), row
    assert bool(outcome.condition) is (says in (Statement.WORKS_IF, Statement.NO_STATEMENT)), row
    assert bool(outcome.cause) is (outcome.result is FAILED), row
    assert not outcome.condition.endswith(".")


def test_every_verdict_of_the_table_is_meant() -> None:
    assert {row.statement for row in (*SYSTEMS, OTHER)} == set(Statement) == set(RESULTS)


@pytest.mark.parametrize(
    "vm", [case[1] for case in OWN_SERVER if case[2]], ids=[case[0] for case in OWN_SERVER if case[2]]
)
def test_what_the_founding_rule_does_not_know_stays_not_known(vm: Vm) -> None:
    """One failed there is no case here; what is unknown there is never anything else here, with the same reason."""
    servers = source(Host(vms=[Vm(name="healthy"), vm]))
    founding = outcomes(servers, rule=FOUNDING)[f"hv01/{vm.name}"]
    own = outcomes(servers)[f"hv01/{vm.name}"]
    if founding.result in (UNKNOWN, NOT_APPLICABLE):
        assert (own.result, own.finding) == (founding.result, founding.finding)
    elif founding.result is FAILED:
        assert own.result is NOT_APPLICABLE
    else:
        assert own.result in (PASSED, UNKNOWN)


def test_a_replica_takes_the_system_that_its_primary_shows() -> None:
    primary = Vm(name="x", items=DEBIAN)
    found = outcomes(source(Host(vms=[primary])), source(Host(name="HV02", vms=[replica_of(primary)])))
    assert {label: outcome.result for label, outcome in found.items()} == {"hv01/x": FAILED, "hv02/x": FAILED}
    replica = found["hv02/x"]
    assert replica.finding.startswith("the guest on hv01 runs Debian")
    assert replica.evidence == "likely, by the system that the guest on hv01 published"


def test_the_addresses_are_those_of_the_side_that_is_judged() -> None:
    primary = Vm(name="x", items=freebsd("12.4"), nics=[Nic(addresses=("10.1.0.1",))])
    found = outcomes(source(Host(vms=[primary])), source(Host(name="HV02", vms=[replica_of(primary, nics=[SIX])])))
    assert {label: outcome.result for label, outcome in found.items()} == {"hv01/x": PASSED, "hv02/x": FAILED}


def test_a_guest_whose_items_were_too_large() -> None:
    server = source(Host(vms=[Vm(name="x", items={})]))
    assert isinstance(server.reading, Reading)
    left_out = f"{queries.KVP_COMPONENTS}.{queries.GUEST_ITEMS}"
    server = replace(server, reading=replace(server.reading, too_large=(left_out,)))
    outcome = outcomes(server)["hv01/x"]
    assert (outcome.result, "too large to be read" in outcome.finding) == (UNKNOWN, True)


@pytest.mark.parametrize(("vm", "founding"), [case[1:] for case in BPA_MODE], ids=[case[0] for case in BPA_MODE])
def test_evidence_bpa_asks_no_guest(vm: Vm, founding: Result) -> None:
    servers = source(Host(vms=[Vm(name="healthy"), vm]))
    outcome = outcomes(servers, settings=Judging(evidence=Evidence.BPA))[f"hv01/{vm.name}"]
    assert outcome.result is (UNKNOWN if founding is UNKNOWN else NOT_APPLICABLE)


def test_evidence_bpa_tells_what_is_known_all_the_same() -> None:
    servers = source(Host(vms=[Vm(name="x", items=DEBIAN)]))
    outcome = outcomes(servers, settings=Judging(evidence=Evidence.BPA))["hv01/x"]
    assert outcome.finding == "no guest was asked (evidence: bpa)"
    assert any("known not to apply" in remark for remark in outcome.remarks)
