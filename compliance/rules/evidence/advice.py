"""What to do in a guest, in the names that its own distribution has for packages and files."""

from __future__ import annotations

import re

from compliance.model import Answer, Daemon, Guest, InnerAdapter, InsideUnix, Stack, Unread
from compliance.rules.evidence.find import find
from compliance.rules.evidence.system import System

ANY_PACKAGE = "it; distributions call its package hyperv-daemons, hypervkvpd, hyper-v or linux-cloud-tools"
LOAD_IT = "let the script call nmcli connection load, then nmcli connection up, with the file that it wrote"
A_KERNEL = re.compile(r"[0-9][0-9A-Za-z.+~-]{0,60}")
FLAVOUR = re.compile(r"-([a-z][a-z0-9-]{0,30})$")


def row_of(inside: InsideUnix) -> System | None:
    """Return the row of the table for the guest's system, by the words that its Data Exchange would publish."""
    name, version = ("FreeBSD", None) if inside.is_freebsd else (inside.distribution, inside.version)
    row = find(Guest(answer=Answer.OK, os_name=name, os_major=version, os_version=_release(inside)))
    return None if isinstance(row, Unread) else row


def names_of(stacks: tuple[Stack, ...]) -> str:
    return " and ".join(stacks) or "nothing"


def package_of(inside: InsideUnix) -> str:
    row = row_of(inside)
    return row.daemon.package if row and row.daemon else ANY_PACKAGE


def packages_of_kernel(inside: InsideUnix) -> tuple[str, str]:
    """Return the package with the daemon for the kernel that runs, and the one that follows its kernels; by Ubuntu's
    names: linux-cloud-tools-5.15.0-91-generic, linux-cloud-tools-generic."""
    release = _release(inside)
    if not A_KERNEL.fullmatch(release):
        return "linux-cloud-tools-$(uname -r)", "linux-cloud-tools-virtual"
    flavour = FLAVOUR.search(release)
    return f"linux-cloud-tools-{release}", f"linux-cloud-tools-{flavour[1] if flavour else 'virtual'}"


def _release(inside: InsideUnix) -> str:
    return inside.kernel.partition(" ")[2]


def bring_script(daemon: Daemon, inside: InsideUnix) -> str:
    row = row_of(inside)
    if row and row.daemon and not row.daemon.brings_script and row.daemon.script == daemon.script and row.advice:
        return row.advice
    return f"bring an executable {daemon.script} that writes for {names_of(inside.stacks)}, by a package or of your own"


def other_stack(adapter: InnerAdapter, inside: InsideUnix, writes: tuple[Stack, ...]) -> str:
    """Return how script and adapter come together: Red Hat's script is NetworkManager's, and an ifcfg file may keep it
    off its adapter."""
    if writes == (Stack.NETWORK_MANAGER,) and Stack.IFCFG in adapter.stacks:
        return f"let NetworkManager manage {adapter.name}: take NM_CONTROLLED=no out of its ifcfg file, and reload that"
    row = row_of(inside)
    if row and row.daemon and row.daemon.writes_for == writes and row.advice:
        return row.advice
    return f"let {names_of(writes)} configure the adapter, or bring a script that writes for what does"
