"""The founding rule: every line of its decision table and every decision below it, from rows to outcome.

Each case names the server's rows by what differs from a healthy one, and what the rule must say. All of them run
through the translator and the join, so that a line is shown to work from the wire's numbers on.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.hyperv.queries import OF_REPLICATION, QUERIES
from compliance.judge.judge import judge
from compliance.model import Evidence, Judging, Unread
from compliance.rule import Outcome, Result
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.facts import BPA
from compliance.rules.failover import failover_ip_needs_integration_services as RULE  # noqa: N812
from compliance.snapshot.snapshot import ServerRecord
from tests.builders import snapshot, source, unread_source
from tests.host_rows import host_rows
from tests.hosts import HOUR, Host, Nic, Vm, guid, replica_of
from tests.wire_rows import wire

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
GONE = None  # no case at all
MINUTE = 60_000

FOUR, SIX = Nic(addresses=("10.2.0.20",)), Nic(addresses=("2001:db8::20",))
UNSET, NO_ROW = Nic(), Nic(failover_row=False)


def outcomes(*sources: ServerRecord, settings: Judging = Judging()) -> dict[str, Outcome]:
    estate = translate(snapshot(*sources, settings=settings))
    return {verdict.label: verdict.outcome for verdict in judge(estate, [RULE])}


def refused(class_name: str) -> dict[str, object]:
    return {class_name: Unread("access denied", Why.NOT_PERMITTED)}


def only(vm: Vm, **source_changes: object) -> Outcome | None:
    """The outcome of one machine on a server that holds a healthy one too."""
    host = Host(vms=[Vm(name="healthy", nics=[FOUR]), vm])
    return outcomes(source(host, **source_changes)).get(f"hv01/{vm.name}")


# One machine, judged by what its own server shows.
OWN_SERVER: list[tuple[str, Vm, Result | None, str]] = [
    # line 2: not replicated
    ("mode none", Vm(name="x", mode=0, state=0), GONE, ""),
    ("mode none, settings rows or not", Vm(name="x", mode=0, state=0, realized=False, offer_row=False), GONE, ""),
    ("primary whose relationship is off", Vm(name="x", state=0, relationships={0: 0}), GONE, ""),
    (
        "extended relationship alive",
        Vm(name="x", mode=2, power=2, state=3, relationships={0: 0, 1: 3}),
        PASSED,
        "answers",
    ),
    ("no relationship row, own state", Vm(name="x", state=3, relationships={}), PASSED, "answers"),
    ("no relationship row, own state 0", Vm(name="x", state=0, relationships={}), UNKNOWN, "no relationship row"),
    ("no relationship row, own state NULL", Vm(name="x", state=None, relationships={}), UNKNOWN, "no relationship row"),
    ("alive, own state 0", Vm(name="x", state=0, relationships={0: 3}), UNKNOWN, "disagree"),
    ("off, own state 3", Vm(name="x", state=3, relationships={0: 0}), UNKNOWN, "disagree"),
    ("off, own state NULL", Vm(name="x", state=None, relationships={0: 0}), UNKNOWN, "disagree"),
    ("relationship without a state", Vm(name="x", relationships={0: None}), UNKNOWN, "no replication state"),
    ("alive, own state NULL", Vm(name="x", state=None, relationships={0: 3}), PASSED, "answers"),
    ("mode NULL", Vm(name="x", mode=None), UNKNOWN, "ReplicationMode is not given"),
    ("mode without a meaning", Vm(name="x", mode=9), UNKNOWN, "ReplicationMode is 9"),
    ("power NULL", Vm(name="x", power=None), UNKNOWN, "power state is not given"),
    # line 3: a test replica
    ("test replica", Vm(name="x - Test", mode=3, state=0), GONE, ""),
    # line 4: no failover address
    ("unset", Vm(name="x", nics=[UNSET]), NOT_APPLICABLE, "no failover address"),
    (
        "blank entries",
        Vm(name="x", nics=[Nic(addresses=("", "  "), protocol=0)]),
        NOT_APPLICABLE,
        "no failover address",
    ),
    ("NULL entries", Vm(name="x", nics=[Nic(addresses=(None,), protocol=0)]), NOT_APPLICABLE, "no failover address"),
    ("no row, others have one", Vm(name="x", nics=[NO_ROW]), NOT_APPLICABLE, "no failover address"),
    ("no adapter at all", Vm(name="x", nics=[]), NOT_APPLICABLE, "no failover address"),
    ("IPv6 only, DHCP true", Vm(name="x", nics=[SIX]), PASSED, "answers"),
    ("second adapter only", Vm(name="x", nics=[UNSET, FOUR]), PASSED, "answers"),
    ("protocol without address", Vm(name="x", nics=[Nic(protocol=4096)]), UNKNOWN, "names a protocol"),
    ("protocol both without address", Vm(name="x", nics=[Nic(protocol=4098)]), UNKNOWN, "names a protocol"),
    # line 5: not offered, whatever the guest says
    ("switched off", Vm(name="x", offered=3), FAILED, "switched off"),
    ("switched off, replica", Vm(name="x", offered=3, mode=2, power=3), FAILED, "switched off"),
    ("switched off, extended replica", Vm(name="x", offered=3, mode=4, power=3), FAILED, "switched off"),
    ("switched off, component says OK", Vm(name="x", offered=3, kvp=2), FAILED, "switched off"),
    # line 6 and below: the offer is not known
    ("no offer row, others have one", Vm(name="x", offer_row=False), UNKNOWN, "Data Exchange row is missing"),
    ("offer NULL", Vm(name="x", offered=None), UNKNOWN, "EnabledState is not given"),
    ("offer 5", Vm(name="x", offered=5), UNKNOWN, "EnabledState is 5"),
    # lines 7 and 8: running, answering
    ("answers", Vm(name="x"), PASSED, "Windows Server 2019 Standard 10.0.17763, integration services 10.0.17763"),
    ("older protocol", Vm(name="x", kvp=3), PASSED, "with an older protocol"),
    ("only OSName", Vm(name="x", items={"OSName": "Ubuntu"}), PASSED, "(Ubuntu)"),
    ("answers without items", Vm(name="x", items={}), PASSED, "published nothing"),
    ("items without the two names", Vm(name="x", items={"OSEditionId": "7"}), PASSED, "published nothing"),
    # lines 9 to 13: running, not answering
    ("no protocol", Vm(name="x", kvp=7), FAILED, "no version of Data Exchange"),
    ("no contact", Vm(name="x", kvp=12, heartbeat=12), FAILED, "not installed or not running"),
    ("no contact, heartbeat", Vm(name="x", kvp=12, heartbeat=2), FAILED, "service or daemon is missing or stopped"),
    ("no contact, older heartbeat", Vm(name="x", kvp=12, heartbeat=3), FAILED, "service or daemon is missing"),
    ("no contact, just past the grace", Vm(name="x", kvp=12, uptime=10 * MINUTE + 1), FAILED, "10 minutes"),
    ("no contact at the grace", Vm(name="x", kvp=12, uptime=10 * MINUTE), UNKNOWN, "not answer Data Exchange yet"),
    ("no contact, booting", Vm(name="x", kvp=12, uptime=MINUTE), UNKNOWN, "1 minute after its start"),
    ("no contact, uptime NULL", Vm(name="x", kvp=12, uptime=None), UNKNOWN, "time since start is not given"),
    ("lost communication", Vm(name="x", kvp=13), UNKNOWN, "does not answer now"),
    ("running, no component row", Vm(name="x", kvp_row=False), UNKNOWN, "has no row"),
    ("running, status NULL", Vm(name="x", kvp=None), UNKNOWN, "gives no status"),
    ("running, status 6", Vm(name="x", kvp=6), UNKNOWN, "status 6"),
    # line 14 and below: paused
    ("paused, answered", Vm(name="x", power=9), PASSED, "paused now"),
    ("paused, older protocol", Vm(name="x", power=9, kvp=3), PASSED, "paused now"),
    ("paused, no items", Vm(name="x", power=9, items={}), PASSED, "published nothing"),
    ("paused, no contact", Vm(name="x", power=9, kvp=12), UNKNOWN, "no contact"),
    ("paused, no protocol", Vm(name="x", power=9, kvp=7), UNKNOWN, "no compatible protocol"),
    ("paused, no row", Vm(name="x", power=9, kvp_row=False), UNKNOWN, "no row"),
    # line 16: nothing of the guest to see, no partner
    ("off", Vm(name="x", power=3), UNKNOWN, "the guest is off and was not seen elsewhere"),
    ("saved", Vm(name="x", power=6), UNKNOWN, "the guest is saved"),
    ("starting", Vm(name="x", power=10), UNKNOWN, "the guest is in another state"),
    # the settings row that every machine has
    ("no realized row", Vm(name="x", realized=False), UNKNOWN, "settings row is missing"),
]


@pytest.mark.parametrize(
    ("vm", "result", "says"), [case[1:] for case in OWN_SERVER], ids=[case[0] for case in OWN_SERVER]
)
def test_what_its_own_server_shows(vm: Vm, result: Result | None, says: str) -> None:
    outcome = only(vm)
    assert (outcome and outcome.result) == result
    assert outcome is None or says in outcome.finding


# One class of the server refused; a running primary, an off replica without partner, one without an address, one off.
REFUSED = {
    "Msvm_ComputerSystem": (GONE, GONE, GONE),
    "Msvm_VirtualSystemSettingData": (UNKNOWN, UNKNOWN, UNKNOWN),
    "Msvm_FailoverNetworkAdapterSettingData": (UNKNOWN, UNKNOWN, UNKNOWN),
    "Msvm_KvpExchangeComponentSettingData": (UNKNOWN, UNKNOWN, UNKNOWN),
    "Msvm_KvpExchangeComponent": (UNKNOWN, FAILED, NOT_APPLICABLE),
    "Msvm_ReplicationRelationship": (UNKNOWN, UNKNOWN, UNKNOWN),
    "Msvm_SyntheticEthernetPortSettingData": (UNKNOWN, FAILED, NOT_APPLICABLE),
    "Msvm_EmulatedEthernetPortSettingData": (PASSED, FAILED, NOT_APPLICABLE),
    "Msvm_HeartbeatComponent": (PASSED, FAILED, NOT_APPLICABLE),
    "Msvm_ReplicationSettingData": (PASSED, FAILED, NOT_APPLICABLE),
    "Msvm_ReplicationServiceSettingData": (PASSED, FAILED, NOT_APPLICABLE),
    "Msvm_EthernetPortAllocationSettingData": (PASSED, FAILED, NOT_APPLICABLE),
    **{query.class_name: (PASSED, FAILED, NOT_APPLICABLE) for query in OF_REPLICATION},
}


@pytest.mark.parametrize("class_name", REFUSED)
def test_a_refused_query(class_name: str) -> None:
    vms = [Vm(name="good"), Vm(name="switched-off", offered=3), Vm(name="unset", nics=[UNSET]), Vm(name="none", mode=0)]
    found = outcomes(source(Host(vms=vms), rows=refused(class_name)))
    assert "hv01/none" not in found
    results = tuple(
        found[f"hv01/{name}"].result if f"hv01/{name}" in found else GONE for name in ("good", "switched-off", "unset")
    )
    assert results == REFUSED[class_name]
    if results[0] is GONE:
        assert found["hv01"].result is UNKNOWN


def test_every_query_has_its_refusal() -> None:
    assert {query.class_name for query in (*QUERIES, *OF_REPLICATION)} == set(REFUSED)


def test_server_2012_has_no_relationships_and_asks_the_machine() -> None:
    host = Host(version="6.2.9200", vms=[Vm(name="x"), Vm(name="y", state=0), Vm(name="z", state=None)])
    found = {label: outcome.result for label, outcome in outcomes(source(host)).items()}
    assert found == {"hv01/x": PASSED, "hv01/z": UNKNOWN}


def test_a_newer_server_without_the_relationship_class_is_not_2012() -> None:
    absent = {"Msvm_ReplicationRelationship": Unread("not on this version", Why.ABSENT)}
    assert only(Vm(name="x"), rows=absent).result is UNKNOWN


# --- failover rows that join nothing ----------------------------------------------------------------------------------


def with_failover_rows(*more: dict[str, object], vm: Vm) -> Outcome:
    host = Host(vms=[Vm(name="healthy"), vm])
    rows = {**host_rows(host)}
    rows["Msvm_FailoverNetworkAdapterSettingData"] = [*rows["Msvm_FailoverNetworkAdapterSettingData"], *more]
    return outcomes(source(host, rows=wire(rows)))[f"hv01/{vm.name}"]


ADDRESS = {"IPAddresses": ["10.9.9.9"], "ProtocolIFType": 4096, "DHCPEnabled": False}


@pytest.mark.parametrize(
    "instance", [None, "Microsoft:Other\\1", f"Microsoft:FailoverNetworkSetting\\{{{guid('x')}}}\\{{{guid('n')}}}"]
)
def test_an_address_that_no_machine_can_be_named_for(instance: str | None) -> None:
    stray = {"InstanceID": instance, **ADDRESS}
    assert with_failover_rows(stray, vm=Vm(name="x", nics=[UNSET])).result is UNKNOWN
    assert with_failover_rows(stray, vm=Vm(name="x", nics=[NO_ROW])).result is UNKNOWN
    assert with_failover_rows(stray, vm=Vm(name="x")).result is PASSED  # it has an address of its own


@pytest.mark.parametrize(
    "instance",
    [
        "Microsoft:Definition\\1\\Default",
        "Microsoft:Pool\\1",
        f"Microsoft:FailoverNetworkSetting\\{guid('x copy 0')}\\{guid('n')}",  # a checkpoint
        f"Microsoft:FailoverNetworkSetting\\{guid('nobody knows')}\\{guid('n')}",
    ],
)
def test_addresses_that_are_surely_not_this_machines(instance: str) -> None:
    row = {"InstanceID": instance, **ADDRESS}
    assert with_failover_rows(row, vm=Vm(name="x", nics=[UNSET])).result is NOT_APPLICABLE


def test_checkpoints_recovery_points_and_planned_machines_never_leak_in() -> None:
    vm = Vm(name="x", nics=[UNSET], checkpoints=2, recovery_points=3)
    found = outcomes(source(Host(vms=[Vm(name="healthy"), vm], planned=["imported"])))
    assert {label: outcome.result for label, outcome in found.items()} == {
        "hv01/healthy": PASSED,
        "hv01/x": NOT_APPLICABLE,
    }


def test_not_one_failover_row_on_a_server_that_replicates_is_no_answer() -> None:
    host = Host(vms=[Vm(name="x", nics=[NO_ROW])])
    said = outcomes(source(host))["hv01/x"]  # once, at the server: each of its machines only points there
    assert (said.result, said.finding) == (NOT_APPLICABLE, "the cause is at its server: see hv01")
    (server,) = translate(snapshot(source(host))).servers
    assert server.doubt == (
        "shows not one failover setting row of a machine: if none of its machines has a failover address, set "
        "`defaults: {may_lack_failover_settings: true}` in the inventory"
    )
    allowed = outcomes(source(host, may_lack_failover_settings=True))["hv01/x"]
    assert allowed.result is NOT_APPLICABLE
    assert "has no failover setting row" in allowed.remarks


def test_failover_rows_that_join_no_machine_are_no_answer() -> None:
    host = Host(vms=[Vm(name="x", nics=[NO_ROW]), Vm(name="y", nics=[NO_ROW])])
    stranger = {"InstanceID": f"Microsoft:FailoverNetworkSetting\\{guid('z')}\\{guid('n')}", "IPAddresses": "10.9.9.9"}
    rows = {"Msvm_FailoverNetworkAdapterSettingData": (stranger,)}
    found = outcomes(source(host, rows=rows)).values()
    assert {(outcome.result, outcome.cause) for outcome in found} == {(NOT_APPLICABLE, Cause.SERVER_FAULT)}


def test_a_failover_row_that_lacks_what_was_asked_for() -> None:
    instance = f"Microsoft:FailoverNetworkSetting\\{guid('x')}\\{guid('n')}"
    rows = {"Msvm_FailoverNetworkAdapterSettingData": ({"InstanceID": instance},)}
    assert only(Vm(name="x", nics=[NO_ROW]), rows=rows).result is UNKNOWN


def test_no_offer_row_anywhere() -> None:
    rows = {"Msvm_KvpExchangeComponentSettingData": ()}
    outcome = only(Vm(name="x"), rows=rows)
    assert (outcome.result, "not one Data Exchange row" in outcome.finding) == (UNKNOWN, True)
    assert only(Vm(name="x", nics=[NO_ROW]), rows=rows).result is UNKNOWN


def test_not_one_relationship_row_on_a_server_that_replicates_is_no_answer() -> None:
    outcome = only(Vm(name="x"), rows={"Msvm_ReplicationRelationship": ()})
    assert (outcome.result, "not one replication relationship row" in outcome.finding) == (UNKNOWN, True)


# --- the partner ------------------------------------------------------------------------------------------------------

HERE, THERE = "hv02/x", "hv01/x"


def pair(primary: Vm, *, primary_changes: dict[str, object] | None = None, **replica: object) -> dict[str, Outcome]:
    return outcomes(
        source(Host(name="HV01", vms=[primary]), **(primary_changes or {})),
        source(Host(name="HV02", vms=[replica_of(primary, **replica)])),
    )


PARTNER: list[tuple[str, Vm, Result, str]] = [
    ("answers", Vm(name="x"), PASSED, "the guest on hv01 answers"),
    ("answers without items", Vm(name="x", items={}), PASSED, "published nothing"),
    ("has no address of its own", Vm(name="x", nics=[UNSET]), PASSED, "the guest on hv01 answers"),
    ("no protocol", Vm(name="x", kvp=7), FAILED, "the guest on hv01 speaks no version"),
    ("no contact", Vm(name="x", kvp=12), FAILED, "the guest on hv01 does not answer Data Exchange; it has been up for"),
    ("booting", Vm(name="x", kvp=12, uptime=MINUTE), UNKNOWN, "the guest on hv01 does not answer Data Exchange yet"),
    ("lost", Vm(name="x", kvp=13), UNKNOWN, "the guest on hv01 answered Data Exchange since"),
    ("no component", Vm(name="x", kvp_row=False), UNKNOWN, "is running on hv01"),
    ("paused", Vm(name="x", power=9), PASSED, "the guest on hv01 answers"),
    ("paused, no contact", Vm(name="x", power=9, kvp=12), UNKNOWN, "is paused on hv01"),
    ("off too", Vm(name="x", power=3), UNKNOWN, "its primary hv01/x is off too"),
    ("not offered there", Vm(name="x", offered=3), UNKNOWN, "hv01, which does not offer it Data Exchange"),
    ("offer not known there", Vm(name="x", offered=None), UNKNOWN, "whether hv01 offers Data Exchange is not known"),
    ("no settings there", Vm(name="x", realized=False), UNKNOWN, "what hv01 says of the guest can't be used"),
]


@pytest.mark.parametrize(
    ("primary", "result", "says"), [case[1:] for case in PARTNER], ids=[case[0] for case in PARTNER]
)
def test_an_off_replica_takes_its_primarys_evidence(primary: Vm, result: Result, says: str) -> None:
    nics = [FOUR]
    outcome = pair(primary, nics=nics, offered=2, realized=True, offer_row=True)[HERE]
    assert outcome.result is result
    assert says in outcome.finding
    if result in (PASSED, FAILED):
        assert outcome.evidence == "answer of the same guest on hv01"


def test_a_running_replica_speaks_for_itself_and_for_its_primary() -> None:
    found = pair(Vm(name="x", power=3), power=2, state=5, uptime=HOUR, kvp=12)
    assert (found[HERE].result, found[HERE].evidence) == (FAILED, "answer of the guest")
    assert (found[THERE].result, found[THERE].evidence) == (FAILED, "answer of the same guest on hv02")


def test_what_the_replica_offers_stands_before_what_the_primary_answers() -> None:
    assert pair(Vm(name="x"), offered=3)[HERE].result is FAILED


def test_a_partner_that_is_not_in_the_inventory_is_named() -> None:
    outcome = only(Vm(name="x", mode=2, power=3, hosts=[("hv09.dr.example", "hv01.dr.example")]))
    assert (outcome.result, "hv09.dr.example, which is not in the inventory: add" in outcome.finding) == (UNKNOWN, True)


def test_a_partner_that_was_not_read_is_named() -> None:
    replica = Vm(name="x", mode=2, power=3, hosts=[("hv02.dr.example", "hv01.dr.example")])
    found = outcomes(source(Host(vms=[replica])), unread_source("hv02"))
    assert "hv02.dr.example, which was not read" in found["hv01/x"].finding
    assert found["hv02"].result is UNKNOWN


def test_a_contradiction_forbids_the_join() -> None:
    """Its settings name hv03, which was read and does not hold it; hv01 does, but who knows whether it is the same."""
    replica = replica_of(Vm(name="x"), hosts=[("hv03.dr.example", "hv02.dr.example")])
    hosts = (
        Host(name="HV01", vms=[Vm(name="x")]),
        Host(name="HV02", vms=[replica]),
        Host(name="HV03", vms=[Vm(name="y")]),
    )
    outcome = outcomes(*(source(host) for host in hosts))[HERE]
    assert (outcome.result, "name hv03.dr.example, but hv03 does not hold it" in outcome.finding) == (UNKNOWN, True)


def test_two_candidates_and_none_is_named() -> None:
    replica = replica_of(Vm(name="x"), hosts=[("hv09.dr.example", "hv02.dr.example")])
    hosts = (
        Host(name="HV01", vms=[Vm(name="x")]),
        Host(name="HV02", vms=[replica]),
        Host(name="HV03", vms=[Vm(name="x")]),
    )
    outcome = outcomes(*(source(host) for host in hosts))[HERE]
    assert (outcome.result, "hv09.dr.example, which is not in the inventory" in outcome.finding) == (UNKNOWN, True)


def test_two_candidates_and_one_is_named() -> None:
    hosts = (
        Host(name="HV01", vms=[Vm(name="x")]),
        Host(name="HV02", vms=[replica_of(Vm(name="x"))]),
        Host(name="HV03", vms=[Vm(name="x")]),
    )
    assert outcomes(*(source(host) for host in hosts))[HERE].evidence == "answer of the same guest on hv01"


def test_roles_that_are_not_complementary_are_no_join() -> None:
    hosts = Host(name="HV01", vms=[Vm(name="x", mode=2)]), Host(name="HV02", vms=[replica_of(Vm(name="x"))])
    assert outcomes(*(source(host) for host in hosts))[HERE].result is UNKNOWN


@pytest.mark.parametrize("hosts", [(), ((None, None),), (("hv02.dr.example", "HV02.dr.example"),)])
def test_replication_settings_that_name_nobody(hosts: tuple[tuple[str | None, str | None], ...]) -> None:
    assert pair(Vm(name="x"), hosts=hosts)[HERE].result is UNKNOWN


def test_names_and_guids_are_compared_without_case() -> None:
    primary = Vm(name="x", guid=guid("x").lower(), hosts=[("HV01.DR.EXAMPLE", "Hv02.dr.example")])
    replica = replica_of(primary, guid=guid("x"))
    found = outcomes(source(Host(name="hv01", vms=[primary])), source(Host(name="HV02", vms=[replica])))
    assert {label: outcome.result for label, outcome in found.items()} == {THERE: PASSED, HERE: PASSED}


def test_an_address_in_place_of_a_name_in_the_inventory_does_not_matter() -> None:
    found = outcomes(
        source(Host(name="HV01", vms=[Vm(name="x")]), name="berlin", endpoint="10.0.0.1:5986"),
        source(Host(name="HV02", vms=[replica_of(Vm(name="x"))]), name="frankfurt", endpoint="10.0.0.2:5986"),
    )
    assert found["frankfurt/x"].evidence == "answer of the same guest on berlin"


def test_another_display_name_is_a_remark() -> None:
    outcome = pair(Vm(name="x"), name="y", guid=guid("x"))["hv02/y"]
    assert outcome.result is PASSED
    assert "is called 'x' on hv01" in outcome.remarks


def test_a_chain_takes_its_evidence_from_two_hops_away() -> None:
    hops = [("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example")]
    first = Vm(name="x", hosts=hops[:1])
    middle = replica_of(first, hosts=hops, relationships={0: 3, 1: 3})
    last = replica_of(first, mode=4, hosts=hops[1:])
    hosts = Host(name="HV01", vms=[first]), Host(name="HV02", vms=[middle]), Host(name="HV03", vms=[last])
    found = outcomes(*(source(host) for host in hosts))
    assert {label: outcome.evidence for label, outcome in found.items()} == {
        "hv01/x": "answer of the guest",
        "hv02/x": "answer of the same guest on hv01",
        "hv03/x": "answer of the same guest on hv01",
    }
    without_middle = outcomes(source(hosts[0]), unread_source("hv02"), source(hosts[2]))
    assert without_middle["hv03/x"].result is UNKNOWN


# --- two reads of the list --------------------------------------------------------------------------------------------


def read_twice(before: list[Vm], after: list[Vm] | Unread) -> dict[str, Outcome]:
    first = source(Host(vms=before))
    again = after if isinstance(after, Unread) else wire(host_rows(Host(vms=after)))["Msvm_ComputerSystem"]
    reading = first.reading
    assert not isinstance(reading, Unread)
    object.__setattr__(reading, "again", {"Msvm_ComputerSystem": again})
    return outcomes(first)


CHANGES: list[tuple[str, list[Vm], list[Vm] | Unread, str]] = [
    ("role", [Vm(name="x")], [Vm(name="x", mode=2)], "role changed"),
    ("became replicated", [Vm(name="x", mode=0)], [Vm(name="x", mode=1)], "role changed"),
    ("power", [Vm(name="x")], [Vm(name="x", power=3)], "power state changed"),
    ("vanished", [Vm(name="x")], [Vm(name="y")], "vanished during the audit"),
    ("appeared", [Vm(name="y", mode=0)], [Vm(name="y", mode=0), Vm(name="x")], "settings row is missing"),
    ("second read refused", [Vm(name="x")], Unread("access denied"), "could not be read a second time"),
    ("second read empty", [Vm(name="x")], Unread("answered without any row"), "could not be read a second time"),
]


@pytest.mark.parametrize(("before", "after", "says"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_what_changed_during_the_audit_is_not_judged(before: list[Vm], after: list[Vm] | Unread, says: str) -> None:
    outcome = read_twice(before, after)["hv01/x"]
    assert outcome.result is UNKNOWN
    assert says in outcome.finding


def test_a_changed_name_is_a_remark() -> None:
    outcome = read_twice([Vm(name="x")], [Vm(name="z", guid=guid("x"))])["hv01/x"]
    assert outcome.result is PASSED
    assert "renamed during the audit to z" in outcome.remarks


def test_a_machine_that_stands_twice() -> None:
    outcome = outcomes(source(Host(vms=[Vm(name="x"), Vm(name="x")])))["hv01/x"]
    assert (outcome.result, "twice" in outcome.finding) == (UNKNOWN, True)


# --- settings ---------------------------------------------------------------------------------------------------------


def test_the_boot_grace_is_a_setting() -> None:
    vm = Vm(name="x", kvp=12, uptime=5 * MINUTE)
    short = Judging(boot_grace=timedelta(minutes=4))
    assert outcomes(source(Host(vms=[vm])), settings=short)["hv01/x"].result is FAILED
    assert outcomes(source(Host(vms=[vm])))["hv01/x"].result is UNKNOWN


BPA_MODE = [
    ("offered, off", Vm(name="x", mode=2, power=3), PASSED),
    ("offered, guest silent", Vm(name="x", kvp=12), PASSED),
    ("not offered", Vm(name="x", offered=3), FAILED),
    ("offer not known", Vm(name="x", offered=None), UNKNOWN),
    ("no address", Vm(name="x", nics=[UNSET]), NOT_APPLICABLE),
    ("no realized row", Vm(name="x", realized=False), UNKNOWN),
]


@pytest.mark.parametrize(("vm", "result"), [case[1:] for case in BPA_MODE], ids=[case[0] for case in BPA_MODE])
def test_evidence_bpa_ends_at_the_offer(vm: Vm, result: Result) -> None:
    host = Host(vms=[Vm(name="healthy"), vm])
    outcome = outcomes(source(host), settings=Judging(evidence=Evidence.BPA))["hv01/x"]
    assert outcome.result is result
    assert "evidence: bpa" in outcome.finding or result is not PASSED


BPA_SAYS = [
    (Vm(name="x"), "no statement (BPA looks at replicas only)"),
    (Vm(name="x", mode=4, power=3), "no statement (BPA looks at replicas only)"),
    (Vm(name="x", mode=2, power=3), "compliant"),
    (Vm(name="x", mode=2, power=3, offered=3), "violating"),
    (Vm(name="x", mode=2, power=3, offer_row=False), "violating"),
    (Vm(name="x", mode=2, power=2, kvp=12), "compliant"),
    (Vm(name="x", mode=2, power=3, nics=[UNSET]), "compliant"),
    (Vm(name="x", mode=2, power=3, nics=[UNSET], offered=3), "not comparable"),
    (Vm(name="x", mode=None), ""),
]


@pytest.mark.parametrize(("vm", "says"), BPA_SAYS)
def test_what_bpa_would_say_stands_beside(vm: Vm, says: str) -> None:
    assert only(vm).fact(BPA) == says


# --- remarks ----------------------------------------------------------------------------------------------------------

REMARKS = [
    (Vm(name="x", nics=[Nic(addresses=("10.2.0.1",), connected=False)]), "connected to no switch"),
    (Vm(name="x", relationships={}), "no replication relationship row"),
]


@pytest.mark.parametrize(("vm", "says"), REMARKS)
def test_side_findings_are_remarks_and_no_verdicts(vm: Vm, says: str) -> None:
    outcome = only(vm)
    assert outcome.result is PASSED
    assert any(says in remark for remark in outcome.remarks)


def test_a_healthy_machine_has_no_remark() -> None:
    assert only(Vm(name="x")).remarks == ()


def test_an_address_on_a_legacy_adapter_is_applied_by_nobody() -> None:
    outcome = only(Vm(name="x", nics=[Nic(name="Old", addresses=("10.2.0.1",), legacy=True)]))
    assert (outcome.result, outcome.cause) == (FAILED, Cause.LEGACY_ADAPTER)
    assert "10.2.0.1 is set on the legacy adapter Old" in outcome.finding


def test_an_address_on_an_adapter_that_the_server_does_not_list_is_applied_by_nobody() -> None:
    rows = wire(host_rows(Host(vms=[Vm(name="healthy", nics=[FOUR]), Vm(name="x")])))
    kept = [row for row in rows["Msvm_SyntheticEthernetPortSettingData"] if guid("x") not in str(row["InstanceID"])]
    outcome = only(Vm(name="x"), rows={"Msvm_SyntheticEthernetPortSettingData": tuple(kept)})
    assert (outcome.result, outcome.cause) == (FAILED, Cause.NO_SUCH_ADAPTER)


def test_adapters_that_were_not_read_may_be_legacy_ones() -> None:
    outcome = only(Vm(name="x"), rows={"Msvm_SyntheticEthernetPortSettingData": ()})
    assert (outcome.result, outcome.cause) == (UNKNOWN, Cause.ADAPTERS_UNREAD)


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "rows", "says"),
    [
        (Host(vms=[Vm(name="x")], own_row=False), {}, "not its own: the account lacks rights"),
        (Host(vms=[Vm(name="x")]), {"Msvm_ComputerSystem": ()}, "answered without any row"),
        (
            Host(vms=[Vm(name="x")]),
            {"Msvm_ComputerSystem": ({"Name": "A", "ElementName": "A"}, {"Name": "B", "ElementName": "B"})},
            "2 have no GUID as their name",
        ),
        (Host(vms=[Vm(name="x")]), {"Msvm_ComputerSystem": ({"Name": None},)}, "own row can't be told"),
    ],
)
def test_a_list_of_machines_that_is_not_the_whole(host: Host, rows: dict[str, object], says: str) -> None:
    found = outcomes(source(host, rows=rows))
    assert set(found) == {"hv01"}
    assert found["hv01"].result is UNKNOWN
    assert says in found["hv01"].finding
