"""Commands for inside a guest, in the names that its own system has for packages, services and files.

Those of packages and services are in the table of systems (``evidence/packages.py``), with its sources. Paths, units
and kernels are a guest's own words: quoted, or left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compliance.model import Daemon, InsideUnix, Unread
from compliance.rules.evidence.advice import packages_of_kernel
from compliance.rules.remedies.case import Family, RemedyCase
from compliance.rules.remedies.command import Command, Shell
from compliance.rules.remedies.quoting import UnquotableError, quote_sh

WINDOWS_SERVICE = "vmickvpexchange"
FIRST_WITH_DNF = (8,)
"""Of Red Hat's versions; those before it have yum."""
APT_UPDATE = "apt-get install --only-upgrade"


@dataclass(frozen=True, slots=True)
class Tools:
    """How a family of systems gets a package; ``unit`` is its service's."""

    install: str
    update: str
    package: str
    unit: str


TOOLS: Mapping[Family, Tools] = {
    Family.RED_HAT: Tools("dnf install", "dnf upgrade", "hyperv-daemons", "hypervkvpd.service"),
    Family.DEBIAN: Tools(
        "apt-get install", "apt-get install --only-upgrade", "hyperv-daemons", "hv-kvp-daemon.service"
    ),
    Family.UBUNTU: Tools(
        "apt-get install", "apt-get install --only-upgrade", "linux-cloud-tools-virtual", "hv-kvp-daemon.service"
    ),
    Family.SUSE: Tools("zypper install", "zypper update", "hyper-v", "hv_kvp_daemon.service"),
}


# --- Windows ----------------------------------------------------------------------------------------------------------


def enable_service(case: RemedyCase) -> Command | None:
    """Return what lets the service start again and starts it. Manual is what Windows installs it with: its trigger,
    the device of Data Exchange, starts it."""
    service = f"-Name {WINDOWS_SERVICE}"
    text = f"Set-Service {service} -StartupType Manual -WhatIf; Start-Service {service} -WhatIf"
    return _in_guest(case, text, Shell.POWERSHELL)


def start_service(case: RemedyCase) -> Command | None:
    return _in_guest(case, f"Start-Service -Name {WINDOWS_SERVICE} -WhatIf", Shell.POWERSHELL)


def restart_service(case: RemedyCase) -> Command | None:
    return _in_guest(case, f"Restart-Service -Name {WINDOWS_SERVICE} -WhatIf", Shell.POWERSHELL)


# --- packages and units -----------------------------------------------------------------------------------------------


def install_daemon(case: RemedyCase) -> Command | None:
    """Return what installs the daemon, starts it, and starts it at boot."""
    tools = _tools(case)
    if tools is None:
        return None
    packages = tools.package
    if case.family is Family.UBUNTU and isinstance(case.inside, InsideUnix):
        return _with_kernels_package(case, case.inside, tools)
    return _in_guest(case, f"{tools.install} {packages} && systemctl enable --now {tools.unit}")


def install_for_kernel(case: RemedyCase) -> Command | None:
    """Return what brings the daemon for the kernel that runs, and for each that follows."""
    tools = _tools(case)
    if tools is None or case.family is not Family.UBUNTU or not isinstance(case.inside, InsideUnix):
        return None
    return _with_kernels_package(case, case.inside, tools)


def _with_kernels_package(case: RemedyCase, inside: InsideUnix, tools: Tools) -> Command | None:
    running, following = packages_of_kernel(inside)
    unit = _unit(inside.daemon) or tools.unit
    try:  # where its kernel's name was no name, the package asks for it by itself
        words = " ".join(name if name.endswith("$(uname -r)") else quote_sh(name) for name in (running, following))
        return _in_guest(case, f"{tools.install} {words} && systemctl enable --now {quote_sh(unit)}")
    except UnquotableError:
        return None


def update_daemon(case: RemedyCase) -> Command | None:
    tools = _tools(case)
    return _in_guest(case, f"{tools.update} {tools.package}") if tools else None


def start_daemon(case: RemedyCase) -> Command | None:
    return _by_unit(case, "start")


def enable_daemon(case: RemedyCase) -> Command | None:
    return _by_unit(case, "enable")


def restart_daemon(case: RemedyCase) -> Command | None:
    return _by_unit(case, "restart")


def edit_unit(case: RemedyCase) -> Command | None:
    return _by_unit(case, "edit")


def load_driver(case: RemedyCase) -> Command | None:
    """Return what loads the driver now and at each boot of a Linux guest."""
    if case.family is Family.FREEBSD or not isinstance(case.inside, InsideUnix):
        return None
    return _in_guest(case, "modprobe hv_utils && echo hv_utils > /etc/modules-load.d/hv_utils.conf")


def _by_unit(case: RemedyCase, verb: str) -> Command | None:
    """Return a command on the daemon's unit: its own, else the one of its package."""
    tools = _tools(case)
    unit = _unit(_daemon(case)) or (tools.unit if tools else "")
    try:
        return _in_guest(case, f"systemctl {verb} {quote_sh(unit)}")
    except UnquotableError:
        return None


# --- the script -------------------------------------------------------------------------------------------------------


def make_executable(case: RemedyCase) -> Command | None:
    """Return what makes the script executable; on Red Hat's systems with the label that SELinux asks for."""
    daemon = _daemon(case)
    if daemon is None or isinstance(daemon.script, Unread):
        return None
    try:
        script = quote_sh(daemon.script)
    except UnquotableError:
        return None
    label = f" && restorecon -v {script}" if case.family is Family.RED_HAT else ""
    return _in_guest(case, f"chmod 755 {script}{label}")


def reinstall_daemon(case: RemedyCase) -> Command | None:
    """Return what brings a package's script back, where the package has one: Red Hat's and SUSE's."""
    tools = _tools(case)
    verb = {Family.RED_HAT: "dnf reinstall hypervkvpd", Family.SUSE: "zypper install --force hyper-v"}
    known = verb.get(case.family) if case.family and tools else None
    return _in_guest(case, known.replace("dnf", "yum") if _has_yum_only(case) else known) if known else None


# --- parts ------------------------------------------------------------------------------------------------------------


def _tools(case: RemedyCase) -> Tools | None:
    tools = TOOLS.get(case.family) if case.family else None
    if tools and _has_yum_only(case):
        return Tools("yum install", "yum update", tools.package, tools.unit)
    return tools


def _has_yum_only(case: RemedyCase) -> bool:
    row = case.system
    return bool(case.family is Family.RED_HAT and row and row.before and row.before <= FIRST_WITH_DNF)


def _daemon(case: RemedyCase) -> Daemon | None:
    return case.inside.daemon if isinstance(case.inside, InsideUnix) else None


def _unit(daemon: Daemon | None) -> str:
    return daemon.unit if daemon else ""


def _in_guest(case: RemedyCase, text: str, shell: Shell = Shell.SH) -> Command | None:
    machine = case.guest_side or case.machine
    return Command(shell, f"in the guest {machine.name}", text) if machine else None
