"""A guest's sections become an ``InsideUnix``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from compliance.hyperv.guests.daemons import read_daemon
from compliance.hyperv.guests.lines import KeyValue, all_values, clean, first_value, read_pairs, why_incomplete
from compliance.hyperv.guests.networks import read_adapters, read_stacks
from compliance.model import InsideUnix, Unread

NEEDED = (
    "system",
    "platform",
    "driver",
    "processes",
    "programs",
    "scripts",
    "units",
    "boot",
    "adapters",
    "networkmanager",
    "networkd",
    "netplan",
    "ifupdown",
    "ifcfg",
    "addresses",
    "pool",
    "log",
)
OPTIONAL = ("lines",)
"""What snapshots of versions before 0.2 do not have."""
A_GUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def read_unix(connection: str, sections: Mapping[str, str]) -> InsideUnix | Unread:
    """Return what was seen there; Unread where the answer is not whole."""
    if reason := why_incomplete(sections, NEEDED):
        return Unread(reason)
    system = read_pairs(sections["system"])
    platform, driver = read_pairs(sections["platform"]), read_pairs(sections["driver"])
    kernel = first_value(system, "kernel") or ""
    if not kernel:
        return Unread("it does not say what its kernel is")
    return InsideUnix(
        connection=connection,
        system=_unquoted(first_value(system, "PRETTY_NAME")),
        distribution=_unquoted(first_value(system, "NAME")),
        version=_unquoted(first_value(system, "VERSION_ID")),
        kernel=kernel,
        on_hyperv=_on_hyperv(platform),
        platform=" ".join(
            text for key in ("sys_vendor", "product_name", "vm_guest") if (text := first_value(platform, key))
        ),
        driver=_driver(platform, driver, kernel),
        device=bool(first_value(driver, "device")),
        daemon=read_daemon(sections),
        adapters=read_adapters(sections),
        machine_id=_machine_id(sections["pool"]),
        stacks=read_stacks(sections),
        ifup="ifup=yes" in sections["ifupdown"].splitlines(),
        log=_log(read_pairs(sections["log"])),
    )


def _unquoted(text: str | None) -> str:
    return (text or "").strip("\"'")


def _on_hyperv(platform: Sequence[KeyValue]) -> bool | Unread:
    if ("vmbus", "yes") in platform or first_value(platform, "vm_guest") == "hv":
        return True
    if ("sys", "no") in platform and not first_value(platform, "vm_guest"):
        return Unread("/sys is not there, as in a container")
    firmware = first_value(platform, "sys_vendor"), first_value(platform, "product_name")
    return firmware == ("Microsoft Corporation", "Virtual Machine")


def _driver(platform: Sequence[KeyValue], driver: Sequence[KeyValue], kernel: str) -> bool | Unread:
    """Return whether it is loaded; FreeBSD has it in its kernel, and shows it by the device alone."""
    if ("hv_utils", "yes") in driver or (kernel.startswith("FreeBSD") and first_value(driver, "device")):
        return True
    return Unread("/sys is not there, as in a container") if ("sys", "no") in platform else False


def _machine_id(section: str) -> str | Unread | None:
    """Return it from the pool of what the host says to the guest: keys and values, each on a line of its own."""
    lines = [clean(line) for line in section.splitlines()]
    if "closed=yes" in lines:
        return Unread("the pool of Data Exchange is closed to this account")
    after = [behind for line, behind in pairwise(lines) if line == "VirtualMachineId"]
    if not after:
        return None
    return after[0].upper() if A_GUID.fullmatch(after[0]) else Unread("the pool of Data Exchange holds no GUID")


def _log(pairs: Sequence[KeyValue]) -> tuple[str, ...] | Unread:
    lines = all_values(pairs, "line")
    if lines or ("kernel", "read") in pairs:
        return tuple(dict.fromkeys(lines))
    return Unread("the kernel's log is closed to this account")
