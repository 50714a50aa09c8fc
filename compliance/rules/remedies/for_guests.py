"""What mends a cause that is inside a guest, system by system: its service or daemon, its script, its network stack."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from compliance.model import Inside
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.links import links_of
from compliance.rules.remedies import guests, hosts
from compliance.rules.remedies.advice import Advice, Ways, always, on
from compliance.rules.remedies.case import Family, RemedyCase
from compliance.words import plural

IN_WINDOWS = (
    "Start the service vmickvpexchange (Microsoft Hyper-V Data Exchange Service) in the guest, and keep Windows "
    "updated."
)
ON_FREEBSD = "Start hv_kvp_daemon in the guest; from FreeBSD 10 on it is part of the system, and devd starts it."
LOOK_INSIDE = (
    "Name a connection into the guest in the inventory (`guests`), so that its network is looked at; or run a test "
    "failover, which shows it."
)
LET_IT_READ = (
    "Let the account of the guest's connection read what the reason names, or look there by hand. A test failover "
    "shows it as well."
)


def _installed(text: str) -> tuple[Advice, ...]:
    """Return the ways on the systems that get their daemon by a package."""
    return tuple(
        on(family, text.format(package=tools.package, unit=tools.unit), guests.install_daemon)
        for family, tools in guests.TOOLS.items()
    )


def _run_again(case: RemedyCase) -> str:
    if case.wait is None:
        return ""
    minutes = max(1, ceil(case.wait.total_seconds() / 60))
    later = plural(minutes, "minute")
    return f"Run again {later} or more after this reading: when it was read, its guest may still have been starting."


def _by_link(case: RemedyCase) -> str:
    """Return what the link says that is broken: by the guest's own files and stacks."""
    if case.vm is None or not isinstance(case.inside, Inside):
        return ""
    fixes = (link.fix for link in links_of(case.vm, case.inside) if link.cause == case.cause and link.fix)
    return _sentence(next(fixes, ""))


def _by_system(case: RemedyCase) -> str:
    """Return what the table of systems advises."""
    return case.system.advice if case.system else ""


def _sentence(text: str) -> str:
    """Return a sentence of what may hold a guest's words; nothing where that is not plain."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text.isprintable() else ""


ANSWERS: Mapping[str, Ways] = {
    Cause.GUEST_BOOTS: (
        Advice(text="Run again when the guest has been up for longer than `boot_grace`.", specific=_run_again),
    ),
    Cause.GUEST_NO_CONTACT: (
        on(Family.WINDOWS, IN_WINDOWS, guests.enable_service),
        *_installed("Install {package} in the guest, or start its service {unit}, and have it started at boot."),
        on(Family.FREEBSD, ON_FREEBSD),
        Advice(
            text=(
                "Start or install in the guest what answers Data Exchange: on Windows the service vmickvpexchange, on "
                "Linux the package hyperv-daemons (Ubuntu: linux-cloud-tools-virtual, SUSE: hyper-v)."
            )
        ),
    ),
    Cause.GUEST_LOST: (
        on(Family.WINDOWS, "Restart the service vmickvpexchange in the guest, and run again.", guests.restart_service),
        *(
            on(family, f"Restart the service {tools.unit} in the guest, and run again.", guests.restart_daemon)
            for family, tools in guests.TOOLS.items()
        ),
        on(Family.FREEBSD, "Restart hv_kvp_daemon in the guest, and run again."),
        Advice(text="Restart the guest's Data Exchange service or daemon, and run again."),
    ),
    Cause.GUEST_NO_PROTOCOL: (
        on(Family.WINDOWS, "Install the guest's Windows updates: they bring newer integration services."),
        *(
            on(family, f"Update the guest's kernel and its package {tools.package}.", guests.update_daemon)
            for family, tools in guests.TOOLS.items()
        ),
        Advice(text="Update the guest: its system and its integration services are too old for this host."),
    ),
    Cause.SYSTEM_NOT_PUBLISHED: always(LOOK_INSIDE),
    Cause.SYSTEM_NOT_AS_INSTALLED: (
        Advice(
            text="Do what the documentation's table of systems advises for it, and run a test failover.",
            specific=_by_system,
        ),
    ),
    Cause.SYSTEM_KNOWN_NOT: (
        Advice(
            text=(
                "Bring a script of your own to the path that its daemon calls, or let DHCP give the address, with a "
                "reservation at the replica's site."
            ),
            specific=_by_system,
        ),
    ),
    Cause.TAKES_NO_IPV6: always("Set an IPv4 failover address: its system takes no other.", hosts.add_ipv4_address),
}

CONNECTIONS: Mapping[str, Ways] = {
    Cause.CONNECTIONS_LOST: always(
        "Correct each connection that is named in the inventory's `guests`, or take it out there."
    ),
    Cause.CONNECTIONS_UNKNOWN: always("Do what is said beside each connection, and run again."),
    Cause.GUEST_NOT_LOOKED_INTO: always(
        "Mend the connection to the guest, as the reason says, and run again; or run a test failover."
    ),
    Cause.GUEST_NOT_ON_HYPERV: always(
        "Correct its connection in the inventory's `guests`: another machine answers there."
    ),
    Cause.ON_HYPERV_UNKNOWN: always(LET_IT_READ),
}

WINDOWS: Mapping[str, Ways] = {
    Cause.SERVICE_MISSING: always(
        "Install the integration services in the guest, by Windows Update. From Server 2012 and Windows 8.1 on they "
        "are built in: repair Windows there."
    ),
    Cause.SERVICE_UNKNOWN: always(LET_IT_READ),
    Cause.SERVICE_DISABLED: always("Let the service vmickvpexchange start, and start it.", guests.enable_service),
    Cause.SERVICE_START_UNKNOWN: always(LET_IT_READ),
    Cause.SERVICE_STOPPED: always(
        "See that Data Exchange is switched on in the settings of the virtual machine, and start the service.",
        guests.start_service,
    ),
    Cause.SERVICE_STATE_UNKNOWN: always(LET_IT_READ),
}


def _is_not_offered(case: RemedyCase) -> bool:
    side = case.guest_side
    return side is not None and side.data_exchange_offered is False


DAEMON: Mapping[str, Ways] = {
    Cause.DRIVER_MISSING: (
        on(Family.FREEBSD, "Use a kernel that has Hyper-V's drivers, as GENERIC has."),
        Advice(text="Load the driver hv_utils in the guest, now and at each boot.", command=guests.load_driver),
    ),
    Cause.DRIVER_UNKNOWN: always(LET_IT_READ),
    Cause.DEVICE_MISSING: (
        Advice(
            when="its host does not offer Data Exchange",
            applies=_is_not_offered,
            text="Switch Data Exchange on in the integration services of the virtual machine.",
            command=hosts.enable_where_the_guest_runs,
        ),
        Advice(
            text="See that Data Exchange is switched on in the settings of the virtual machine, and load hv_utils.",
            command=guests.load_driver,
        ),
    ),
    Cause.DAEMON_MISSING: (
        *_installed("Install {package} in the guest, and start its service {unit}."),
        on(Family.FREEBSD, ON_FREEBSD),
        Advice(
            text=(
                "Install the daemon of Data Exchange in the guest; distributions call its package hyperv-daemons, "
                "hypervkvpd, hyper-v or linux-cloud-tools."
            )
        ),
    ),
    Cause.DAEMON_MISSING_FOR_KERNEL: always(
        "Install the package with the daemon for the kernel that runs, and the one that brings it with each later one.",
        guests.install_for_kernel,
    ),
    Cause.DAEMON_STOPPED: (
        on(Family.FREEBSD, ON_FREEBSD),
        Advice(text="Start the daemon of Data Exchange in the guest.", command=guests.start_daemon),
    ),
    Cause.DAEMON_STATE_UNKNOWN: always(LET_IT_READ),
    Cause.DAEMON_NOT_AT_BOOT: (
        on(Family.FREEBSD, "Have hv_kvp_daemon started at boot, by devd or rc.conf."),
        Advice(text="Have the daemon of Data Exchange started at boot.", command=guests.enable_daemon),
    ),
    Cause.DAEMON_AT_BOOT_UNKNOWN: always(LET_IT_READ),
}

SCRIPT: Mapping[str, Ways] = {
    Cause.SCRIPT_MISSING: (
        Advice(
            when=str(Family.RED_HAT),
            applies=lambda case: case.family is Family.RED_HAT,
            text="Install hypervkvpd again: its package brings the script, with the label that SELinux asks for.",
            command=guests.reinstall_daemon,
        ),
        Advice(
            when=str(Family.SUSE),
            applies=lambda case: case.family is Family.SUSE,
            text="Install hyper-v again: its package brings the script.",
            command=guests.reinstall_daemon,
        ),
        Advice(
            text="Bring an executable script that writes for the guest's network to the path that its daemon calls.",
            specific=_by_link,
            is_foreign=True,
        ),
    ),
    Cause.SCRIPT_UNKNOWN: always(LET_IT_READ),
    Cause.SCRIPT_NOT_EXECUTABLE: (
        on(
            Family.RED_HAT,
            "Make the script executable, with the label that SELinux asks for.",
            guests.make_executable,
        ),
        Advice(text="Make the script executable.", command=guests.make_executable),
    ),
    Cause.SCRIPT_TAKES_OTHER_FILES: always(
        "Use the daemon and the script of one package and version: update it, or change the script to take as many "
        "files as the daemon hands over.",
        guests.update_daemon,
    ),
    Cause.SCRIPT_FILES_UNKNOWN: always(LET_IT_READ),
    Cause.SCRIPT_CONFINED: always(
        "Add ReadWritePaths=/etc and CapabilityBoundingSet=~ to the section [Service] of the daemon's unit, and "
        "restart it.",
        guests.edit_unit,
    ),
    Cause.SCRIPT_LOADS_NOTHING: (
        on(
            Family.RED_HAT,
            "Update hyperv-daemons: from 0-0.34.el8_7 and 0-0.41.el9 on its script makes NetworkManager load what it "
            "writes.",
            guests.update_daemon,
        ),
        Advice(
            text=(
                "Let the script call nmcli connection load, then nmcli connection up, with the file that it wrote: "
                "NetworkManager does not look for it."
            )
        ),
    ),
    Cause.SCRIPT_LOADS_UNKNOWN: always(LET_IT_READ),
    Cause.SCRIPT_WRITES_UNKNOWN: always(LET_IT_READ),
    Cause.SCRIPT_OTHER_STACK: (
        Advice(
            text="Let what the script writes for configure the adapter, or bring a script that writes for what does.",
            specific=_by_link,
            is_foreign=True,
        ),
    ),
    Cause.STACK_UNKNOWN: always(
        "See by hand what configures the adapter in the guest, and whether the script writes for it; or run a test "
        "failover."
    ),
    Cause.INNER_ADAPTER_NOT_SEEN: always(
        "See that the guest has a synthetic adapter for each failover address, with Hyper-V's network driver loaded."
    ),
}

FOR_GUESTS: Mapping[str, Ways] = {**ANSWERS, **CONNECTIONS, **WINDOWS, **DAEMON, **SCRIPT}
