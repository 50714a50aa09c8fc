"""The links from Data Exchange to an adapter inside a guest, in the order of a diagnosis.

A link that is broken has what to do about it; one that could not be read breaks nothing, and passes nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compliance.model import (
    Daemon,
    FailoverAddress,
    InnerAdapter,
    Inside,
    InsideUnix,
    InsideWindows,
    ReplicatedVM,
    Script,
    Service,
    Stack,
    Unread,
)
from compliance.rules.evidence import advice
from compliance.rules.evidence.causes import Cause
from compliance.words import join_names, plural


@dataclass(frozen=True, slots=True)
class Link:
    """One that does not hold. ``fix`` is what to do about it; None: it is not known whether it holds."""

    cause: Cause
    finding: str
    fix: str | None


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """What is asked of one link: its causes where it is broken and where that is not known, and the words for both."""

    broken: Cause
    unknown: Cause
    doubt: str
    finding: str
    fix: str

    def links(self, holds: bool | Unread) -> Iterator[Link]:
        """Return nothing where it holds, else the one link."""
        if isinstance(holds, Unread):
            yield Link(self.unknown, f"{self.doubt} is not known: {holds}", None)
        elif not holds:
            yield Link(self.broken, self.finding, self.fix)


def links_of(vm: ReplicatedVM, inside: Inside) -> Iterator[Link]:
    """Return the links that do not hold, the first one to repair first."""
    firmware = inside.platform or "its firmware names nobody"
    yield from LinkCheck(
        Cause.GUEST_NOT_ON_HYPERV,
        Cause.ON_HYPERV_UNKNOWN,
        "whether it is on Hyper-V",
        f"it is not on Hyper-V ({firmware})",
        "correct its connection in the inventory's `guests`",
    ).links(inside.on_hyperv)
    if isinstance(inside, InsideWindows):
        yield from _check_service(inside.service)
    elif isinstance(inside, InsideUnix):
        yield from _check_driver(inside)
        if inside.daemon:
            yield from _check_daemon(inside.daemon, inside)
            yield from _check_script(inside.daemon, inside)
            yield from _check_adapters(inside.daemon, vm, inside)
        if inside.is_freebsd and (six := [address for address in vm.machine.failover_addresses if ":" in address]):
            yield Link(
                Cause.TAKES_NO_IPV6,
                f"FreeBSD takes no IPv6 address at a failover: {join_names(six)}",
                "set an IPv4 failover address",
            )


# --- Windows ----------------------------------------------------------------------------------------------------------


def _check_service(service: Service | Unread | None) -> Iterator[Link]:
    """A host starts a service again that was stopped in the guest, but not one that is disabled there (Microsoft's page
    on integration services); until it does, nothing takes an address."""
    if not isinstance(service, Service):
        yield from LinkCheck(
            Cause.SERVICE_MISSING,
            Cause.SERVICE_UNKNOWN,
            "whether the service of Data Exchange runs",
            "the service of Data Exchange, vmickvpexchange, is missing",
            "install the integration services, which come by Windows Update (from Server 2012 and Windows 8.1 on they "
            "are built in: repair Windows)",
        ).links(service or False)
        return
    name = service.name
    yield from LinkCheck(
        Cause.SERVICE_DISABLED,
        Cause.SERVICE_START_UNKNOWN,
        f"whether the service {name} may start",
        f"the service {name} is disabled, so that nothing starts it after a failover",
        f"Set-Service {name} -StartupType Manual, then Start-Service {name}",
    ).links(service.disabled if isinstance(service.disabled, Unread) else not service.disabled)
    yield from LinkCheck(
        Cause.SERVICE_STOPPED,
        Cause.SERVICE_STATE_UNKNOWN,
        f"whether the service {name} runs",
        f"the service {name} does not run",
        f"switch Data Exchange on in the settings of the virtual machine, then Start-Service {name}",
    ).links(service.running)


# --- driver and daemon ------------------------------------------------------------------------------------------------


def _check_driver(inside: InsideUnix) -> Iterator[Link]:
    yield from LinkCheck(
        Cause.DRIVER_MISSING,
        Cause.DRIVER_UNKNOWN,
        "whether its kernel has the driver hv_utils",
        "its kernel has not loaded the driver hv_utils",
        "modprobe hv_utils, and see that it stays",
    ).links(inside.driver)
    yield from LinkCheck(
        Cause.DEVICE_MISSING,
        Cause.DRIVER_UNKNOWN,
        "whether the device of Data Exchange is there",
        "the device of Data Exchange, /dev/vmbus/hv_kvp, is missing",
        "switch Data Exchange on in the settings of the virtual machine, and load hv_utils",
    ).links(inside.device)
    if inside.daemon is None:
        package = advice.package_of(inside)
        yield Link(Cause.DAEMON_MISSING, "the daemon of Data Exchange is not installed", f"install {package}")


def _check_daemon(daemon: Daemon, inside: InsideUnix) -> Iterator[Link]:
    service = daemon.unit or daemon.program
    if daemon.wrapper and daemon.running is not True:
        package, keeps = advice.packages_of_kernel(inside)
        yield Link(
            Cause.DAEMON_MISSING_FOR_KERNEL,
            f"its kernel has no daemon of Data Exchange: the package {package} is missing, and {daemon.program} only "
            "starts that package's program",
            f"apt-get install {package}, and {keeps}, which brings it with each new kernel; then start {service}",
        )
    else:
        yield from LinkCheck(
            Cause.DAEMON_STOPPED,
            Cause.DAEMON_STATE_UNKNOWN,
            f"whether the daemon {daemon.program} runs",
            f"the daemon {daemon.program} does not run",
            f"start {service}",
        ).links(daemon.running)
    yield from LinkCheck(
        Cause.DAEMON_NOT_AT_BOOT,
        Cause.DAEMON_AT_BOOT_UNKNOWN,
        f"whether {service} is started at boot",
        f"{service} is not started at boot, as after a failover",
        f"systemctl enable {service}",
    ).links(daemon.at_boot)


# --- the script -------------------------------------------------------------------------------------------------------


def _check_script(daemon: Daemon, inside: InsideUnix) -> Iterator[Link]:
    if not (daemon.wrapper and isinstance(daemon.script, Unread)):  # the package that is missing names it
        yield from _check_state(daemon, inside)
    if daemon.script_state is Script.THERE:
        yield from _check_files(daemon)
    if daemon.confined:
        service = daemon.unit or daemon.program
        yield Link(
            Cause.SCRIPT_CONFINED,
            f"{service} keeps the script from writing files below /etc ({daemon.confined})",
            f"systemctl edit {service}, with ReadWritePaths=/etc and CapabilityBoundingSet=~ in its section [Service]",
        )


def _check_state(daemon: Daemon, inside: InsideUnix) -> Iterator[Link]:
    state, script = daemon.script_state, daemon.script
    by = f" of the package {daemon.package}" if daemon.package else ""
    yield from LinkCheck(
        Cause.SCRIPT_MISSING,
        Cause.SCRIPT_UNKNOWN,
        "whether the script is there that applies an address",
        f"its daemon{by} calls the script {script} to apply an address, and that is missing: the address never reaches "
        "the adapter",
        advice.bring_script(daemon, inside),
    ).links(state if isinstance(state, Unread) else state is not Script.MISSING)
    yield from LinkCheck(
        Cause.SCRIPT_NOT_EXECUTABLE,
        Cause.SCRIPT_UNKNOWN,
        "",
        f"the script {script}, which applies an address, is not executable",
        f"chmod 755 {script}",
    ).links(state is not Script.NOT_EXECUTABLE)


def _check_files(daemon: Daemon) -> Iterator[Link]:
    """A script that gets fewer files than it needs, or more than it takes, ends before it did anything."""
    count = plural(daemon.hands_over, "file") if daemon.hands_over else "files"
    yield from LinkCheck(
        Cause.SCRIPT_TAKES_OTHER_FILES,
        Cause.SCRIPT_FILES_UNKNOWN,
        f"whether the script {daemon.script} takes the {count} that its daemon hands over",
        f"its daemon hands over {count}, and the script {daemon.script} takes {daemon.takes}: it ends without applying "
        "the address",
        "use the daemon and the script of one package and version, or change the script to take "
        f"{'one file' if daemon.hands_over == 1 else 'both files'}",
    ).links(daemon.takes.fits(daemon.hands_over))


# --- the adapter ------------------------------------------------------------------------------------------------------


def _check_adapters(daemon: Daemon, vm: ReplicatedVM, inside: InsideUnix) -> Iterator[Link]:
    """Does the script write for what configures each adapter that is to get an address?"""
    if daemon.script_state is not Script.THERE:
        return
    if isinstance(daemon.writes, Unread):
        yield Link(Cause.SCRIPT_WRITES_UNKNOWN, f"for what the script writes is not known: {daemon.writes}", None)
        return
    for adapter in concerned(vm, inside):
        yield from _check_adapter(adapter, daemon, daemon.writes, inside)
    synthetic = [adapter for adapter in inside.adapters if adapter.synthetic]
    wanted = len({setting.adapter_guid for setting in _applied(vm)})
    if not synthetic:
        yield Link(Cause.INNER_ADAPTER_NOT_SEEN, "it shows no adapter that could get an address", None)
    elif len(synthetic) < wanted:
        finding = f"{wanted} adapters have a failover address, and it shows {len(synthetic)}"
        yield Link(Cause.INNER_ADAPTER_NOT_SEEN, finding, None)


def _check_adapter(
    adapter: InnerAdapter, daemon: Daemon, writes: tuple[Stack, ...], inside: InsideUnix
) -> Iterator[Link]:
    if not adapter.stacks:
        yield Link(Cause.STACK_UNKNOWN, f"what configures {adapter.name} is not known", None)
        return
    wrong = f"the script {daemon.script} writes for {advice.names_of(writes)}"
    right = f"{adapter.name} is configured by {advice.names_of(adapter.stacks)}"
    managed = Stack.NETWORK_MANAGER in adapter.stacks
    if set(writes) == {Stack.IFCFG} and managed:
        yield from _check_ifcfg(adapter, daemon, f"{wrong}, and {right}", inside)
    elif not set(writes) & set(adapter.stacks):
        lost = "so the address never reaches it"
        fix = advice.other_stack(adapter, inside, writes)
        yield Link(Cause.SCRIPT_OTHER_STACK, f"{wrong}, but {right}, {lost}", fix)
    elif managed and Stack.NETWORK_MANAGER in writes:
        yield from LinkCheck(
            Cause.SCRIPT_LOADS_NOTHING,
            Cause.SCRIPT_LOADS_UNKNOWN,
            f"whether the script {daemon.script} makes NetworkManager load the connection that it writes",
            f"the script {daemon.script} writes a connection and does not make NetworkManager load it, which "
            f"configures {adapter.name}: the address is not applied",
            advice.LOAD_IT,
        ).links(daemon.loads)


def _check_ifcfg(adapter: InnerAdapter, daemon: Daemon, both: str, inside: InsideUnix) -> Iterator[Link]:
    """Does an ifcfg file count for an adapter of NetworkManager's? By ifup, which loads it, as RHEL 8.0 to 8.6 do; or
    where NetworkManager is started again."""
    if daemon.loads is True:
        return
    if daemon.calls_ifup is False:
        finding = f"{both}, which the script does not make load them: the address is not applied"
        yield Link(Cause.SCRIPT_LOADS_NOTHING, finding, advice.LOAD_IT)
    elif daemon.calls_ifup and not inside.ifup:
        finding = f"{both}; the script calls ifup to make them count, and there is none: the address is not applied"
        yield Link(Cause.SCRIPT_LOADS_NOTHING, finding, f"update hyperv-daemons, or {advice.LOAD_IT}")
    elif not (inside.ifup and Stack.IFCFG in adapter.stacks):
        yield Link(Cause.STACK_UNKNOWN, f"{both}, which may or may not read them", None)


def concerned(vm: ReplicatedVM, inside: Inside) -> tuple[InnerAdapter, ...]:
    """Return the adapters that have a failover address, by MAC; all synthetic ones where that is not known of each."""
    macs = {((setting.adapter and setting.adapter.mac) or "").upper() for setting in _applied(vm)}
    synthetic = tuple(adapter for adapter in inside.adapters if adapter.synthetic)
    matching = tuple(adapter for adapter in synthetic if adapter.mac in macs)
    return matching if {adapter.mac for adapter in matching} == macs else synthetic


def _applied(vm: ReplicatedVM) -> list[FailoverAddress]:
    """Return the settings without those on a legacy adapter, or on none that is there: a failover applies none of
    these."""
    all_known = not isinstance(vm.machine.adapters, Unread)
    return [
        setting for setting in vm.machine.settings if not (setting.adapter.legacy if setting.adapter else all_known)
    ]
