"""Every way to fail or to be unknown has a heading and a remedy, or a reason why nothing is to be done about it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.errors import Why
from compliance.model import Addresses, Answer, Guest, Power, ReplicatedVM, Role, Unread
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.find import find
from compliance.rules.evidence.system import System
from compliance.rules.remedies.advice import Advice
from compliance.rules.remedies.case import Family, RemedyCase
from compliance.rules.remedies.causes_text import HEADINGS, cause_heading
from compliance.rules.remedies.command import Command, Remedy, Shell
from compliance.rules.remedies.remedy import REMEDIES, WITHOUT_REMEDY
from tests.modules import module_files, nodes_of
from tests.rules.remedies.cases import GUID, NIC_GUID, case, families, machine, setting, sides

ON_MACHINE = f"Get-VM -Id '{GUID}' | "
ON_ADAPTER = f"{ON_MACHINE}Get-VMNetworkAdapter | Where-Object {{ $_.Id -like '*\\{NIC_GUID}' }} | "
SET = f"{ON_ADAPTER}Set-VMNetworkAdapterFailoverConfiguration "
OPEN = "-IPv4Address <ADDRESS> -IPv4SubnetMask <MASK> -IPv4DefaultGateway <GATEWAY> -WhatIf"


def remedy(found: RemedyCase) -> Remedy:
    return next(way for way in REMEDIES[found.cause] if way.applies(found)).remedy(found)


def on(server: str, text: str) -> Command:
    places = ", ".join(re.findall("<[A-Z]+>", text))
    return Command(Shell.POWERSHELL, f"on {server}" + (f" (fill in {places})" if places else ""), text)


def inside(text: str, shell: Shell = Shell.SH) -> Command:
    return Command(shell, "in the guest app01", text)


# --- none is left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_a_remedy_or_a_reason(cause: Cause) -> None:
    assert (cause in REMEDIES) is not (cause in WITHOUT_REMEDY)
    assert bool(cause_heading(cause)) is (cause in REMEDIES)


@pytest.mark.parametrize("cause", REMEDIES)
def test_each_cause_is_mended_whatever_its_guest_runs(cause: str) -> None:
    for family in families():
        assert remedy(case(cause, family)).text.endswith("."), family
    last: Advice = REMEDIES[cause][-1]
    assert last.applies(RemedyCase(cause=cause)), "the last way is for every other case"
    assert last.remedy(RemedyCase(cause=cause)).text


def test_a_heading_says_what_is_wrong_and_not_what_should_be() -> None:
    assert [text for text in HEADINGS.values() if text.endswith(".") or "should" in text or text[:1].isspace()] == []


def texts_of_causes() -> Iterator[str]:
    for path in module_files():
        for node in nodes_of(path):
            if isinstance(node, ast.keyword) and node.arg == "cause" and isinstance(node.value, ast.Constant):
                yield f"{path.name}: {node.value.value!r}"


def test_no_cause_is_a_text_of_its_own() -> None:
    assert [text for text in texts_of_causes() if not text.endswith(": ''")] == []


# --- what mends what --------------------------------------------------------------------------------------------------

INSTALL = {
    Family.RED_HAT: "dnf install hyperv-daemons && systemctl enable --now hypervkvpd.service",
    Family.DEBIAN: "apt-get install hyperv-daemons && systemctl enable --now hv-kvp-daemon.service",
    Family.UBUNTU: (
        "apt-get install linux-cloud-tools-5.15.0-91-generic linux-cloud-tools-generic "
        "&& systemctl enable --now hv-kvp-daemon.service"
    ),
    Family.SUSE: "zypper install hyper-v && systemctl enable --now hv_kvp_daemon.service",
}
DOCTOR = "hyperv-compliance doctor --inventory INVENTORY --server "
COMMANDS = {
    "data exchange is off on the replica": (
        case(Cause.OFFER_OFF),
        on(
            "hv02",
            f"{ON_MACHINE}Get-VMIntegrationService | Where-Object {{ $_.Id -like "
            "'*\\2A34B1C2-FD73-4043-8A5B-DD2159BC743F' } | Enable-VMIntegrationService -WhatIf",
        ),
    ),
    "it is off where the guest runs": (
        case(Cause.PARTNER_OFFER_OFF),
        on(
            "hv01",
            f"{ON_MACHINE}Get-VMIntegrationService | Where-Object {{ $_.Id -like "
            "'*\\2A34B1C2-FD73-4043-8A5B-DD2159BC743F' } | Enable-VMIntegrationService -WhatIf",
        ),
    ),
    "no switch": (
        case(Cause.NOT_CONNECTED),
        on("hv02", f"{ON_ADAPTER}Connect-VMNetworkAdapter -SwitchName <SWITCH> -WhatIf"),
    ),
    "a legacy adapter is replaced on the primary": (
        case(Cause.LEGACY_ADAPTER),
        on("hv01", f"{ON_MACHINE}Add-VMNetworkAdapter -SwitchName <SWITCH> -WhatIf"),
    ),
    "no address on the replica": (case(Cause.STATIC_WITHOUT), on("hv02", f"{SET}{OPEN}")),
    "an address that is another's": (
        case(Cause.ADDRESS_TAKEN),
        on(
            "hv02",
            f"{SET}-IPv4Address <ADDRESS> -IPv4SubnetMask '255.255.255.0' -IPv4DefaultGateway '10.2.0.1' -WhatIf",
        ),
    ),
    "shielded": (case(Cause.SHIELDED), None),
    "both run": (case(Cause.BOTH_RUN), None),
    "paused": (
        case(Cause.GUEST_PAUSED, vm=ReplicatedVM(machine=machine(power=Power.PAUSED), partner=Unread("off"))),
        on("hv02", f"{ON_MACHINE}Resume-VM -WhatIf"),
    ),
    "its server was not read": (
        case(Cause.SERVER_UNREAD, why=Why.UNREACHABLE),
        Command(Shell.SH, "where this suite runs", f"{DOCTOR}hv02"),
    ),
    "its partner's server was not read whole": (
        case(Cause.PARTNER_OFFER_UNREAD),
        Command(Shell.SH, "where this suite runs", f"{DOCTOR}hv01"),
    ),
    "Windows' service is disabled": (
        case(Cause.SERVICE_DISABLED, Family.WINDOWS),
        inside(
            "Set-Service -Name vmickvpexchange -StartupType Manual -WhatIf; "
            "Start-Service -Name vmickvpexchange -WhatIf",
            Shell.POWERSHELL,
        ),
    ),
    "a daemon that does not run": (
        case(Cause.DAEMON_STOPPED, Family.SUSE),
        inside("systemctl start hv_kvp_daemon.service"),
    ),
    "nothing starts the daemon": (
        case(Cause.DAEMON_NOT_AT_BOOT, Family.DEBIAN),
        inside("systemctl enable hv-kvp-daemon.service"),
    ),
    "no daemon for the kernel": (
        case(Cause.DAEMON_MISSING_FOR_KERNEL, Family.UBUNTU),
        inside(INSTALL[Family.UBUNTU]),
    ),
    "a script that SELinux has to know": (
        case(Cause.SCRIPT_NOT_EXECUTABLE, Family.RED_HAT),
        inside(
            "chmod 755 /usr/libexec/hypervkvpd/hv_set_ifconfig && restorecon -v /usr/libexec/hypervkvpd/hv_set_ifconfig"
        ),
    ),
    "FreeBSD has no systemd": (case(Cause.DAEMON_STOPPED, Family.FREEBSD), None),
    "nobody answered, and what it runs is not known": (case(Cause.GUEST_NO_CONTACT), None),
    **{
        f"no daemon on {family}": (case(cause, family), inside(text))
        for cause in (Cause.DAEMON_MISSING, Cause.GUEST_NO_CONTACT)
        for family, text in INSTALL.items()
    },
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_for_the_cause_and_its_place(name: str) -> None:
    found, command = COMMANDS[name]
    assert remedy(found).command == command


WRONG = {
    "a right one is kept": (setting(), "-IPv4Address '10.2.0.20' -IPv4SubnetMask '255.255.255.0' {gateway}"),
    "the address is wrong": (
        setting("10.2.0.255"),
        "-IPv4Address <ADDRESS> -IPv4SubnetMask '255.255.255.0' {gateway}",
    ),
    "it is no address": (
        setting("10.2.0.2O; calc"),
        "-IPv4Address <ADDRESS> -IPv4SubnetMask <MASK> -IPv4DefaultGateway <GATEWAY>",
    ),
    "the mask has a hole": (
        setting(subnets=("255.0.255.0",), gateways=()),
        "-IPv4Address '10.2.0.20' -IPv4SubnetMask <MASK>",
    ),
    "there is no mask": (setting(subnets=(), gateways=()), "-IPv4Address '10.2.0.20' -IPv4SubnetMask <MASK>"),
    "the gateway is elsewhere": (
        setting(gateways=("10.9.0.1",)),
        "-IPv4Address '10.2.0.20' -IPv4SubnetMask '255.255.255.0' -IPv4DefaultGateway <GATEWAY>",
    ),
    "IPv6": (
        setting("fd00:2::20", subnets=("64",), gateways=("fd00:2::1",)),
        "-IPv6Address 'fd00:2::20' -IPv6SubnetPrefixLength '64' -IPv6DefaultGateway 'fd00:2::1'",
    ),
    "DNS servers": (
        setting(gateways=(), dns_servers=("10.2.0.5", "'; calc", "10.2.0.6", "10.2.0.7")),
        (
            "-IPv4Address '10.2.0.20' -IPv4SubnetMask '255.255.255.0' -IPv4PreferredDNSServer '10.2.0.5' "
            "-IPv4AlternateDNSServer '10.2.0.6'"
        ),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_right_of_an_address_stays_in_its_correction(name: str) -> None:
    wrong, options = WRONG[name]
    expected = options.format(gateway="-IPv4DefaultGateway '10.2.0.1'")
    assert remedy(case(Cause.GATEWAY_INVALID, setting=wrong)).command == on("hv02", f"{SET}{expected} -WhatIf")


def test_the_cmdlet_sets_one_address_of_a_kind() -> None:
    two = setting("10.2.0.20", "10.2.0.21", subnets=("255.255.255.0", "255.255.0"))
    assert remedy(case(Cause.MASK_INVALID, setting=two)).command is None


def wrong_side(today: tuple[str, ...]) -> RemedyCase:
    adapters = machine().adapters
    assert not isinstance(adapters, Unread)
    nic = replace(adapters[0], today=Addresses(addresses=today, dynamic=False))
    primary = machine(Role.PRIMARY, "hv01", failover=(setting(),), adapters=(nic,))
    return case(Cause.WRONG_SIDE, vm=ReplicatedVM(machine=machine(), partner=primary, others=(primary,)), setting=None)


@pytest.mark.parametrize(
    ("today", "options"),
    [
        (
            ("10.1.0.20",),
            "-IPv4Address '10.2.0.20' -IPv4SubnetMask '255.255.255.0' -IPv4DefaultGateway '10.2.0.1' -WhatIf",
        ),
        (("10.2.0.20",), OPEN),  # it is the primary's own, and right there
        ((), OPEN),  # nobody knows
    ],
)
def test_an_address_on_the_wrong_side_is_set_on_the_replica(today: tuple[str, ...], options: str) -> None:
    assert remedy(wrong_side(today)).command == on("hv02", f"{SET}{options}")


@pytest.mark.parametrize(
    ("wait", "text"),
    [
        (
            timedelta(minutes=6, seconds=1),
            "Run again 7 minutes or more after this reading: when it was read, its guest may still have been starting.",
        ),
        (
            timedelta(),
            "Run again 1 minute or more after this reading: when it was read, its guest may still have been starting.",
        ),
        (None, "Run again when the guest has been up for longer than `boot_grace`."),
    ],
)
def test_a_guest_that_starts_is_looked_at_again(wait: timedelta | None, text: str) -> None:
    found = remedy(case(Cause.GUEST_BOOTS, wait=wait))
    assert (found.text, found.common) == (text, "Run again when the guest has been up for longer than `boot_grace`.")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"is_unknown": True}, "Name the sites of the servers in the inventory"),
        ({"setting": setting("10.9.9.9")}, "Two machines have one failover address"),
        ({"adapter_guid": "another"}, "Give one of the two adapters another"),
    ],
)
def test_an_address_that_is_set_twice_is_mended_by_where_the_other_is(changes: dict[str, object], text: str) -> None:
    both = sides("10.2.0.20")
    assert remedy(
        case(Cause.ADDRESS_TAKEN, **{"vm": both, "setting": setting("10.2.0.20"), **changes})
    ).text.startswith(text)


def test_no_replica_is_started() -> None:
    primary = machine(Role.PRIMARY, "hv01", power=Power.OFF)
    off = ReplicatedVM(machine=machine(), partner=Unread("its primary is off too"), others=(primary,))
    assert remedy(case(Cause.GUEST_NOT_SEEN, vm=off)).command == on("hv01", f"{ON_MACHINE}Start-VM -WhatIf")
    alone = ReplicatedVM(machine=machine(), partner=Unread("its other side was not read"))
    assert remedy(case(Cause.GUEST_NOT_SEEN, vm=alone)).command is None


@pytest.mark.parametrize("why", Why)
def test_a_server_that_was_not_read_has_a_next_step(why: Why) -> None:
    assert remedy(case(Cause.SERVER_UNREAD, why=why)).command is not None


def test_red_hat_7_has_yum() -> None:
    row = find(Guest(answer=Answer.OK, os_name="CentOS Linux", os_major="7"))
    assert isinstance(row, System)
    found = remedy(case(Cause.GUEST_NO_CONTACT, system=row))
    assert found.command == inside("yum install hyperv-daemons && systemctl enable --now hypervkvpd.service")


def test_the_sides_are_the_machines_own() -> None:
    vm = sides()
    assert [side and side.server for side in (case("", vm=vm).side_of(role) for role in Role)] == [
        None,
        "hv01",
        "hv02",
        None,
        None,
    ]
