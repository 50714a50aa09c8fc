"""A guest's sections become an ``InsideUnix``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from compliance.hyperv.guests.daemons import daemon
from compliance.hyperv.guests.lines import Pair, clean, incomplete, pairs, value, values
from compliance.hyperv.guests.networks import adapters, stacks
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


def understand(connection: str, sections: Mapping[str, str]) -> InsideUnix | Unread:
    """What was seen there; Unread where the answer is not whole."""
    if reason := incomplete(sections, NEEDED):
        return Unread(reason)
    system = pairs(sections["system"])
    platform, driver = pairs(sections["platform"]), pairs(sections["driver"])
    kernel = value(system, "kernel") or ""
    if not kernel:
        return Unread("it does not say what its kernel is")
    return InsideUnix(
        connection=connection,
        system=_unquoted(value(system, "PRETTY_NAME")),
        distribution=_unquoted(value(system, "NAME")),
        version=_unquoted(value(system, "VERSION_ID")),
        kernel=kernel,
        on_hyperv=_on_hyperv(platform),
        platform=" ".join(text for key in ("sys_vendor", "product_name", "vm_guest") if (text := value(platform, key))),
        driver=_driver(platform, driver, kernel),
        device=bool(value(driver, "device")),
        daemon=daemon(sections),
        adapters=adapters(sections),
        machine_id=_machine_id(sections["pool"]),
        stacks=stacks(sections),
        ifup="ifup=yes" in sections["ifupdown"].splitlines(),
        log=_log(pairs(sections["log"])),
    )


def _unquoted(text: str | None) -> str:
    return (text or "").strip("\"'")


def _on_hyperv(platform: Sequence[Pair]) -> bool | Unread:
    if ("vmbus", "yes") in platform or value(platform, "vm_guest") == "hv":
        return True
    if ("sys", "no") in platform and not value(platform, "vm_guest"):
        return Unread("/sys is not there, as in a container")
    firmware = value(platform, "sys_vendor"), value(platform, "product_name")
    return firmware == ("Microsoft Corporation", "Virtual Machine")


def _driver(platform: Sequence[Pair], driver: Sequence[Pair], kernel: str) -> bool | Unread:
    """FreeBSD has it in its kernel, and shows it by the device alone."""
    if ("hv_utils", "yes") in driver or (kernel.startswith("FreeBSD") and value(driver, "device")):
        return True
    return Unread("/sys is not there, as in a container") if ("sys", "no") in platform else False


def _machine_id(section: str) -> str | Unread | None:
    """From the pool of what the host says to the guest: keys and values, each on a line of its own."""
    lines = [clean(line) for line in section.splitlines()]
    if "closed=yes" in lines:
        return Unread("the pool of Data Exchange is closed to this account")
    after = [behind for line, behind in pairwise(lines) if line == "VirtualMachineId"]
    if not after:
        return None
    return after[0].upper() if A_GUID.fullmatch(after[0]) else Unread("the pool of Data Exchange holds no GUID")


def _log(found: Sequence[Pair]) -> tuple[str, ...] | Unread:
    lines = values(found, "line")
    if lines or ("kernel", "read") in found:
        return tuple(dict.fromkeys(lines))
    return Unread("the kernel's log is closed to this account")
