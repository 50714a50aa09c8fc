"""Will the guest put the failover address on its adapter? What a look into it shows, link by link.

The links are those of the way from Data Exchange to the adapter, in the order of a diagnosis: the first one that is
broken is the finding, the others are told beside it. What can't be read breaks nothing, and passes nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compliance.model import (
    Answer,
    Daemon,
    FailoverAddress,
    Guest,
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
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.find import find
from compliance.rules.evidence.handover import NOTHING, beyond_question, inside_of, seen_by
from compliance.rules.evidence.system import System


@rule(
    "guest-applies-failover-ip",
    severity=Severity.ERROR,
    title="The guest has all that applies a failover address",
    issue=(
        "Data Exchange hands the failover address to a daemon inside the guest. The daemon writes it to a file and "
        "calls a script, hv_set_ifconfig, which alone puts it on the adapter. The host sees the daemon, and nothing "
        "behind it. On Windows a service, vmickvpexchange, does all of it."
    ),
    impact=(
        "Data Exchange answers and everything looks right, but after a failover the guest comes up with the address "
        "that it had, or with none."
    ),
    resolution=(
        "Do what is said of each guest: its package, service, script or file, by the names that its own system has for "
        "them. Then try a test failover.\n\n"
        "The page docs/failover-address.md of this suite tells the whole way of the address."
    ),
    violated="have a guest that would not apply its failover address",
    only_with_ways=True,
)
def guest_applies_failover_ip(vm: ReplicatedVM) -> Outcome:
    if outcome := beyond_question(vm.machine):
        return outcome
    inside = inside_of(vm)
    if inside is None:
        return not_applicable("the inventory names no way into this guest")
    if isinstance(inside, Unread):
        return unknown(f"the guest was not looked into: {inside}", evidence=NOTHING)
    return _judged(vm, inside)


@dataclass(frozen=True, slots=True)
class Link:
    """One that does not hold. ``fix`` is what to do about it; None: it is not known whether it holds."""

    finding: str
    fix: str | None


def _judged(vm: ReplicatedVM, inside: Inside) -> Outcome:
    links = [*_links(vm, inside)]
    broken = [link for link in links if link.fix is not None]
    doubtful = [link for link in links if link.fix is None]
    evidence = seen_by(inside)
    if broken:
        first, *others = broken
        outcome = with_remarks(failed(f"{inside}: {first.finding}", evidence=evidence), (first.fix or "",))
        others += doubtful
    elif doubtful:
        first, *others = doubtful
        outcome = unknown(f"{inside}: {first.finding}", evidence=evidence)
    else:
        return with_remarks(passed(_complete(vm, inside), evidence=evidence), _remarks(vm, inside))
    besides = tuple(f"besides, {link.finding}" + (f": {link.fix}" if link.fix else "") for link in others)
    return with_remarks(outcome, (*besides, *_remarks(vm, inside)))


def _links(vm: ReplicatedVM, inside: Inside) -> Iterator[Link]:
    yield from _to_hyperv(inside)
    if isinstance(inside, InsideWindows):
        yield from _to_service(inside.service)
    elif isinstance(inside, InsideUnix):
        yield from _to_daemon(inside)
        yield from _behind_daemon(vm, inside)


def _behind_daemon(vm: ReplicatedVM, inside: InsideUnix) -> Iterator[Link]:
    if inside.daemon:
        yield from _to_script(inside.daemon, inside)
        yield from _to_adapter(inside.daemon, vm, inside)
    if inside.is_freebsd and (six := [one for one in vm.machine.failover_addresses if ":" in one]):
        yield Link(f"FreeBSD takes no IPv6 address at a failover: {', '.join(six)}", "set an IPv4 failover address")


def _to_hyperv(inside: Inside) -> Iterator[Link]:
    if isinstance(inside.on_hyperv, Unread):
        yield Link(f"whether it is on Hyper-V is not known: {inside.on_hyperv}", None)
    elif not inside.on_hyperv:
        yield Link(f"it is not on Hyper-V ({inside.platform or 'its firmware names nobody'})", "name its own way in")


def _to_service(service: Service | Unread | None) -> Iterator[Link]:
    """A host starts a service again that was stopped in the guest, but not one that is disabled there (Microsoft's page
    on integration services); until it does, nothing takes an address."""
    if isinstance(service, Unread):
        yield Link(f"whether the service of Data Exchange runs is not known: {service}", None)
        return
    if service is None:
        yield Link(
            "the service of Data Exchange, vmickvpexchange, is missing",
            "install the integration services, which come by Windows Update (from Server 2012 and Windows 8.1 on they "
            "are built in: repair Windows)",
        )
        return
    if isinstance(service.disabled, Unread):
        yield Link(f"whether the service {service.name} may start is not known: {service.disabled}", None)
    elif service.disabled:
        yield Link(
            f"the service {service.name} is disabled, so that nothing starts it after a failover",
            f"Set-Service {service.name} -StartupType Manual, then Start-Service {service.name}",
        )
    if isinstance(service.running, Unread):
        yield Link(f"whether the service {service.name} runs is not known: {service.running}", None)
    elif not service.running:
        yield Link(
            f"the service {service.name} does not run",
            f"switch Data Exchange on in the settings of the virtual machine, then Start-Service {service.name}",
        )


def _to_daemon(inside: InsideUnix) -> Iterator[Link]:
    if isinstance(inside.driver, Unread):
        yield Link(f"whether its kernel has the driver hv_utils is not known: {inside.driver}", None)
    elif not inside.driver:
        yield Link("its kernel has not loaded the driver hv_utils", "modprobe hv_utils, and see that it stays")
    if not inside.device:
        yield Link(
            "the device of Data Exchange, /dev/vmbus/hv_kvp, is missing",
            "switch Data Exchange on in the settings of the virtual machine, and load hv_utils",
        )
    if inside.daemon is None:
        yield Link("the daemon of Data Exchange is not installed", f"install {_package(inside)}")


def _to_script(daemon: Daemon, inside: InsideUnix) -> Iterator[Link]:
    service = daemon.unit or daemon.program
    if isinstance(daemon.running, Unread):
        yield Link(f"whether the daemon {daemon.program} runs is not known: {daemon.running}", None)
    elif not daemon.running:
        yield Link(f"the daemon {daemon.program} does not run", f"start {service}")
    if isinstance(daemon.at_boot, Unread):
        yield Link(f"whether {service} is started at boot is not known: {daemon.at_boot}", None)
    elif not daemon.at_boot:
        yield Link(f"{service} is not started at boot, as after a failover", f"systemctl enable {service}")
    if isinstance(daemon.script_state, Unread):
        yield Link(f"whether the script is there that applies an address is not known: {daemon.script_state}", None)
    elif daemon.script_state is Script.MISSING:
        whose = f" of the package {daemon.package}" if daemon.package else ""
        yield Link(
            f"its daemon{whose} calls the script {daemon.script} to apply an address, and that is missing: the address "
            "never reaches the adapter",
            _bring_script(daemon, inside),
        )
    elif daemon.script_state is Script.NOT_EXECUTABLE:
        yield Link(
            f"the script {daemon.script}, which applies an address, is not executable", f"chmod 755 {daemon.script}"
        )
    if daemon.confined and not _asks_network_manager(daemon):
        yield Link(
            f"{service} keeps the script from changing the network ({daemon.confined})",
            f"systemctl edit {service}, with ReadWritePaths=/etc and CapabilityBoundingSet=~ in its section [Service]",
        )


def _to_adapter(daemon: Daemon, vm: ReplicatedVM, inside: InsideUnix) -> Iterator[Link]:
    """Does the script write for what configures each adapter that is to get an address?"""
    if daemon.script_state is not Script.THERE:
        return
    if isinstance(daemon.writes, Unread):
        yield Link(f"for what the script writes is not known: {daemon.writes}", None)
        return
    for adapter in _concerned(vm, inside):
        if not adapter.stacks:
            yield Link(f"what configures {adapter.name} is not known", None)
        elif not set(daemon.writes) & set(adapter.stacks):
            wrong = f"the script {daemon.script} writes for {_listed(daemon.writes)}"
            right = f"{adapter.name} is configured by {_listed(adapter.stacks)}"
            if set(daemon.writes) == {Stack.IFCFG} and Stack.NETWORK_MANAGER in adapter.stacks:
                yield Link(f"{wrong}, and {right}, which may or may not read them", None)
            else:
                lost = "so the address never reaches it"
                yield Link(f"{wrong}, but {right}, {lost}", _other_stack(inside, daemon.writes))
    synthetic = [adapter for adapter in inside.adapters if adapter.synthetic]
    wanted = len({setting.adapter_guid for setting in _applied(vm)})
    if not synthetic:
        yield Link("it shows no adapter that could get an address", None)
    elif len(synthetic) < wanted:
        yield Link(f"{wanted} adapters have a failover address, and it shows {len(synthetic)}", None)


def _concerned(vm: ReplicatedVM, inside: Inside) -> tuple[InnerAdapter, ...]:
    """Those that have a failover address, by MAC; all synthetic ones where that can't be said of each."""
    macs = {((setting.adapter and setting.adapter.mac) or "").upper() for setting in _applied(vm)}
    synthetic = tuple(adapter for adapter in inside.adapters if adapter.synthetic)
    found = tuple(adapter for adapter in synthetic if adapter.mac in macs)
    return found if {adapter.mac for adapter in found} == macs else synthetic


def _applied(vm: ReplicatedVM) -> list[FailoverAddress]:
    """Without what hangs on a legacy adapter, or on one that is not there: a failover applies none of these."""
    all_known = not isinstance(vm.machine.adapters, Unread)
    return [one for one in vm.machine.settings if not (one.adapter.legacy if one.adapter else all_known)]


def _asks_network_manager(daemon: Daemon) -> bool:
    """nmcli asks another program to write."""
    return not isinstance(daemon.writes, Unread) and daemon.writes == (Stack.NETWORK_MANAGER,)


# --- words ------------------------------------------------------------------------------------------------------------


def _complete(vm: ReplicatedVM, inside: Inside) -> str:
    if not isinstance(inside, InsideUnix):
        return f"{inside}: its service vmickvpexchange runs, and sets the address itself"
    daemon = inside.daemon
    assert daemon  # noqa: S101  # else a link was broken
    assert not isinstance(daemon.writes, Unread)  # noqa: S101
    names = ", ".join(adapter.name for adapter in _concerned(vm, inside))
    return (
        f"{inside}: its daemon {daemon.program} runs and is started at boot, and its script {daemon.script} writes for "
        f"{_listed(daemon.writes)}, as {names or 'its adapter'} needs"
    )


def _listed(stacks: tuple[Stack, ...]) -> str:
    return " and ".join(stacks) or "nothing"


def _remarks(vm: ReplicatedVM, inside: Inside) -> tuple[str, ...]:
    found = [f"{adapter.name} has its address by DHCP now" for adapter in _concerned(vm, inside) if adapter.dynamic]
    if isinstance(inside, InsideWindows):
        return (*found, *_of_version(inside.integration_services))
    return (*found, *_of_log(inside.log)) if isinstance(inside, InsideUnix) else tuple(found)


def _of_log(log: tuple[str, ...] | Unread) -> tuple[str, ...]:
    if isinstance(log, Unread):
        return (f"lines of failed attempts were not looked for: {log}",)
    return tuple(f"its log says: {line}" for line in log)


def _of_version(version: str | Unread | None) -> tuple[str, ...]:
    if isinstance(version, Unread):
        return (f"the version of its integration services is not known: {version}",)
    return (f"its integration services are {version}",) if version else ()


def _row(inside: InsideUnix) -> System | None:
    """The row of the table for the guest's system, by the words that its Data Exchange would publish."""
    name, version = ("FreeBSD", None) if inside.is_freebsd else (inside.distribution, inside.version)
    kernel = inside.kernel.partition(" ")[2]
    found = find(Guest(answer=Answer.OK, os_name=name, os_major=version, os_version=kernel))
    return None if isinstance(found, Unread) else found


def _package(inside: InsideUnix) -> str:
    row = _row(inside)
    if row and row.daemon:
        return row.daemon.package
    return "it; distributions call its package hyperv-daemons, hypervkvpd, hyper-v or linux-cloud-tools"


def _bring_script(daemon: Daemon, inside: InsideUnix) -> str:
    row = _row(inside)
    if row and row.daemon and not row.daemon.brings_script and row.daemon.script == daemon.script and row.advice:
        return row.advice
    return f"bring an executable {daemon.script} that writes for {_listed(inside.stacks)}, by a package or of your own"


def _other_stack(inside: InsideUnix, writes: tuple[Stack, ...]) -> str:
    row = _row(inside)
    if row and row.daemon and row.daemon.writes_for == writes and row.advice:
        return row.advice
    return f"let {_listed(writes)} configure the adapter, or bring a script that writes for what does"
