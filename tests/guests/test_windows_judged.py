"""What a look into a Windows guest says of its failover address, and what of it the founding rule takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from compliance.errors import Why
from compliance.model import Evidence, Judging, Row, Unread
from compliance.rule import Outcome, Result
from compliance.rules.failover import failover_ip_needs_integration_services as FOUNDING  # noqa: N812
from compliance.rules.guests import guest_can_apply_failover_ip
from compliance.snapshot.snapshot import RowsOrUnread
from tests.guests.replies import WINRM, answers, rows, service, windows_guest
from tests.guests.test_windows import ID, OTHER, SQL, VERSION
from tests.hosts import Vm
from tests.rules.test_inside import FAILED, LOST, NO_CONTACT, NOT_APPLICABLE, PASSED, UNKNOWN, outcomes

Changes = Mapping[str, RowsOrUnread | Sequence[Row]]
NOTHING: Changes = {}
SEEN = f"seen inside the guest, by {WINRM}"
REFUSED = Unread("Access is denied", Why.NOT_PERMITTED)
NAME = "Microsoft Windows Server 2022 Standard 10.0.20348"


def only(changes: Changes = NOTHING, vm: Vm = SQL) -> Outcome:
    return outcomes(windows_guest("sql01", seen=answers(vm, changes)), vm=vm)["hv01/sql01"]


def of_service(**changes: str) -> Changes:
    return {"Win32_Service": [service("WinRM"), service(**changes)]}


# what differs -> outcome, its finding, a part of a remark
CASES: dict[str, tuple[Changes, Result, str, str]] = {
    "all there": (
        {},
        PASSED,
        f"{NAME}: its service vmickvpexchange runs, and sets the address itself",
        "its integration services are 10.0.20348",
    ),
    "missing": (
        {"Win32_Service": [service("WinRM")]},
        FAILED,
        f"{NAME}: the service of Data Exchange, vmickvpexchange, is missing",
        "install the integration services, which come by Windows Update",
    ),
    "stopped": (
        of_service(State="Stopped"),
        FAILED,
        f"{NAME}: the service vmickvpexchange does not run",
        "then Start-Service vmickvpexchange",
    ),
    "disabled, and runs until the next start": (
        of_service(StartMode="Disabled"),
        FAILED,
        f"{NAME}: the service vmickvpexchange is disabled, so that nothing starts it after a failover",
        "Set-Service vmickvpexchange -StartupType Manual",
    ),
    "disabled and stopped": (
        of_service(StartMode="Disabled", State="Stopped"),
        FAILED,
        f"{NAME}: the service vmickvpexchange is disabled, so that nothing starts it after a failover",
        "besides, the service vmickvpexchange does not run: ",
    ),
    "on its way": (
        of_service(State="Start Pending"),
        UNKNOWN,
        f"{NAME}: whether the service vmickvpexchange runs is not known: its state is Start Pending",
        "",
    ),
    "start mode not told": (
        of_service(StartMode=""),
        UNKNOWN,
        f"{NAME}: whether the service vmickvpexchange may start is not known: its start mode is not shown",
        "",
    ),
    "no services are shown": (
        {"Win32_Service": []},
        UNKNOWN,
        f"{NAME}: whether the service of Data Exchange runs is not known: this account is shown no services",
        "",
    ),
    "services refused": (
        {"Win32_Service": REFUSED},
        UNKNOWN,
        f"{NAME}: whether the service of Data Exchange runs is not known: Access is denied",
        "",
    ),
    "not known to be on Hyper-V": (
        {"Win32_ComputerSystem": REFUSED},
        UNKNOWN,
        f"{NAME}: whether it is on Hyper-V is not known: Access is denied",
        "",
    ),
    "the registry refused: its service still counts": (
        {ID: REFUSED, VERSION: REFUSED},
        PASSED,
        f"{NAME}: its service vmickvpexchange runs, and sets the address itself",
        "the version of its integration services is not known: Access is denied",
    ),
    "its system not told": (
        {"Win32_OperatingSystem": REFUSED},
        PASSED,
        "Windows: its service vmickvpexchange runs, and sets the address itself",
        "",
    ),
    "by DHCP": (
        {
            "Win32_NetworkAdapterConfiguration": [
                {**row, "DHCPEnabled": "true"} for row in rows(SQL)["Win32_NetworkAdapterConfiguration"]
            ]
        },
        PASSED,
        f"{NAME}: its service vmickvpexchange runs, and sets the address itself",
        "Microsoft Hyper-V Network Adapter (1) has its address by DHCP now",
    ),
}


@pytest.mark.parametrize(("changes", "result", "finding", "remark"), CASES.values(), ids=CASES)
def test_each_link(changes: Changes, result: Result, finding: str, remark: str) -> None:
    outcome = only(changes)
    assert (outcome.result, outcome.finding, outcome.evidence) == (result, finding, SEEN)
    assert remark in "\n".join(outcome.remarks)


def test_what_contradicts_is_another_machines() -> None:
    told = outcomes(windows_guest("sql01", seen=answers(OTHER)))["hv01/sql01"]
    assert (told.result, "is not known to be this machine" in told.finding) == (UNKNOWN, True)
    firmware: Changes = {"Win32_ComputerSystem": [{"Manufacturer": "QEMU", "Model": "PC"}]}
    elsewhere = only(firmware)
    assert (elsewhere.result, "is not on Hyper-V (its firmware is QEMU PC)" in elsewhere.finding) == (UNKNOWN, True)


def test_the_replica_inherits_what_was_seen_on_the_primary() -> None:
    found = outcomes(windows_guest("sql01", seen=answers(SQL, of_service(State="Stopped"))))
    assert (found["hv02/sql01"].result, found["hv02/sql01"].evidence) == (FAILED, SEEN)


def test_where_somebody_looked_the_table_is_silent() -> None:
    told = outcomes(windows_guest("sql01", seen=answers(SQL)), rule=guest_can_apply_failover_ip)["hv01/sql01"]
    assert (told.result, "was looked into" in told.finding) == (NOT_APPLICABLE, True)


# --- the founding rule ------------------------------------------------------------------------------------------------


def founding(vm: Vm, changes: Changes = NOTHING, settings: Judging = Judging(), seen: Vm | None = None) -> Outcome:
    way = windows_guest("sql01", seen=answers(seen or vm, changes))
    return outcomes(way, vm=vm, rule=FOUNDING, settings=settings)["hv01/sql01"]


def test_a_service_that_runs_inside_is_an_answer_where_the_host_saw_none() -> None:
    told = founding(LOST)
    assert (told.result, told.evidence) == (PASSED, SEEN)
    assert told.finding == "inside the guest the Data Exchange service vmickvpexchange runs"


@pytest.mark.parametrize(
    "changes",
    [of_service(State="Stopped"), of_service(State="Start Pending"), {"Win32_Service": REFUSED}, {"Win32_Service": []}],
)
def test_a_service_that_was_not_seen_running_is_no_answer(changes: Changes) -> None:
    assert founding(LOST, changes).result is UNKNOWN


def test_another_machines_service_is_no_answer() -> None:
    assert founding(LOST, seen=OTHER).result is UNKNOWN


def test_what_the_host_saw_fail_stays_failed() -> None:
    told = founding(NO_CONTACT)
    assert told.result is FAILED
    assert f"inside the guest the Data Exchange service vmickvpexchange runs, {SEEN}" in told.remarks


@pytest.mark.parametrize("changes", [of_service(StartMode="Disabled"), of_service(State="Stopped"), {VERSION: REFUSED}])
def test_what_is_wrong_inside_never_changes_what_the_host_saw(changes: Changes) -> None:
    assert founding(SQL, changes) == outcomes(vm=SQL, rule=FOUNDING)["hv01/sql01"]


def test_bpa_asks_no_guest() -> None:
    settings = Judging(evidence=Evidence.BPA)
    assert founding(LOST, settings=settings) == outcomes(vm=LOST, rule=FOUNDING, settings=settings)["hv01/sql01"]
