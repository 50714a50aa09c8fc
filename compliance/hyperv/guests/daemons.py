"""The daemon of Data Exchange inside a guest, how it is started, and which script it calls.

Where a daemon looks for the script is compiled into it (KVP_SCRIPTS_PATH of tools/hv/hv_kvp_daemon.c in
torvalds/linux), and distributions compile it in different ways; so its own strings are asked, not a table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from compliance.hyperv.guests.lines import Pair, groups, pairs, value, values
from compliance.model import Daemon, Script, Stack, Unread

SCRIPT = "hv_set_ifconfig"
BY_FOLDER = re.compile(r"(?:^|\s)(/[^ %]*/)%s %s")  # snprintf(…, KVP_SCRIPTS_PATH "%s %s", "hv_set_ifconfig", …)
BY_PATH = re.compile(rf"(?:^|\s)(/[^ %]*/{SCRIPT})\b")
SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/lib/hyper-v/bin")
"""Where a daemon finds a script that it calls by its name alone: systemd's PATH, and the folder of SUSE's package."""

WRITES: Mapping[str, Stack] = {
    "nmcli": Stack.NETWORK_MANAGER,
    "NetworkManager/system-connections": Stack.NETWORK_MANAGER,
    "/etc/netplan": Stack.NETPLAN,
    "netplan apply": Stack.NETPLAN,
    "/etc/network/interfaces": Stack.IFUPDOWN,
    "sysconfig/network-scripts": Stack.IFCFG,
    "sysconfig/network/": Stack.WICKED,
    "wicked": Stack.WICKED,
    "systemd/network": Stack.NETWORKD,
    "networkctl": Stack.NETWORKD,
    "rc.conf": Stack.RC_CONF,
}
"""What stands in a script outside of comments -> what it writes an address for."""

AT_BOOT = frozenset({"enabled", "alias"})
ON_DEMAND = frozenset({"static", "disabled", "indirect"})


def daemon(sections: Mapping[str, str]) -> Daemon | None:
    """The one that runs, else the first that is installed; None where there is none."""
    processes = pairs(sections["processes"])
    programs = list(groups(pairs(sections["programs"]), "program"))
    units = list(_units(sections["units"]))
    if not programs and not values(processes, "comm"):
        return None
    program = _chosen(programs, processes)
    path = program[0][1] if program else (value(processes, "line") or value(processes, "comm") or "").split(" ")[0]
    unit = _unit(units)
    script = _script(program, programs, pairs(sections["scripts"]))
    state, writes = _state(script, pairs(sections["scripts"]))
    return Daemon(
        program=path,
        package=_package(value(program, "package")),
        running=_running(processes, unit),
        at_boot=_at_boot(unit, pairs(sections["boot"])),
        unit=unit.get("Id", ""),
        script=script,
        script_state=state,
        writes=writes,
        confined=_confined(unit),
    )


def _chosen(programs: Sequence[list[Pair]], processes: Sequence[Pair]) -> list[Pair]:
    running = {line.split(" ")[0] for line in values(processes, "line")}
    return next((one for one in programs if one[0][1] in running), programs[0] if programs else [])


def _package(text: str | None) -> str | None:
    """dpkg says ``package: file``, rpm ``package version``, or in English that nobody owns it."""
    return None if not text or "not owned" in text else text.split(":")[0]


def _running(processes: Sequence[Pair], unit: Mapping[str, str]) -> bool | Unread:
    """A process that has ended and that nobody waited for keeps its name, and has no command line any more. A service
    stays active without any process where an init script started it."""
    alive = [one for one in groups(processes, "comm") if value(one, "line") != ""]
    active = unit.get("ActiveState") == "active"
    is_read = ("list", "read") in processes
    if alive or (active and not is_read):
        return True
    if active:
        return Unread("its service is active, but none of the processes that were seen is the daemon's")
    if is_read or unit.get("ActiveState") in ("inactive", "failed"):
        return False
    return Unread("this account sees no other accounts' processes, and no systemd tells")


# --- how it is started ------------------------------------------------------------------------------------------------


def _units(section: str) -> list[dict[str, str]]:
    """Blocks of ``Key=value``, as `systemctl show` prints them."""
    blocks = [dict(pairs(block)) for block in re.split(r"\n\s*\n", section) if "Id=" in block]
    return [block for block in blocks if block.get("LoadState") in ("loaded", "masked")]


def _unit(units: Sequence[dict[str, str]]) -> dict[str, str]:
    active = [unit for unit in units if unit.get("ActiveState") == "active"]
    return next(iter([*active, *units]), {})


def _at_boot(unit: Mapping[str, str], boot: Sequence[Pair]) -> bool | Unread:
    links = values(boot, "link")
    if not unit:
        return True if links else Unread("neither systemd nor a link of an init script tells")
    state = unit.get("UnitFileState", "")
    if state in AT_BOOT:
        return True
    if state == "generated":
        return bool(links)
    if state in ON_DEMAND:
        name = unit["Id"]
        return any(name in rule for rule in values(boot, "udev"))
    if "masked" in state:
        return False
    return Unread(f"its service is {state or 'in no state that systemd tells'}")


def _confined(unit: Mapping[str, str]) -> str:
    """What a service starts shares its limits: Debian's own shuts its daemon in so, and every script with it."""
    protect = unit.get("ProtectSystem", "")
    found = [f"ProtectSystem={protect}"] if protect in ("full", "strict") and not unit.get("ReadWritePaths") else []
    if "cap_net_admin" not in unit.get("CapabilityBoundingSet", "cap_net_admin"):
        found.append("CapabilityBoundingSet without CAP_NET_ADMIN")
    return " and ".join(found)


# --- the script -------------------------------------------------------------------------------------------------------


def _script(program: Sequence[Pair], programs: Sequence[list[Pair]], scripts: Sequence[Pair]) -> str | Unread:
    """The path that it calls. Ubuntu's program is a wrapper, which says nothing, around another one, which does."""
    for one in (program, *programs):
        strings = values(one, "string")
        for text in strings:
            if match := BY_PATH.search(text):
                return match[1]
        for text in strings:
            if match := BY_FOLDER.search(text):
                return match[1] + SCRIPT
        if any(SCRIPT in text for text in strings):
            there = values(scripts, "script")
            return next((path for folder in SEARCHED if (path := f"{folder}/{SCRIPT}") in there), SCRIPT)
    return Unread("which script the daemon calls can't be seen: its program can't be read, or names none")


def _state(script: str | Unread, scripts: Sequence[Pair]) -> tuple[Script | Unread, tuple[Stack, ...] | Unread]:
    if isinstance(script, Unread):
        return script, script
    found = next((group for group in groups(scripts, "script") if group[0][1] == script), None)
    if found is None:
        if script in values(scripts, "closed"):
            return Unread(f"the folder of {script} is closed to this account"), Unread("it was not read")
        return Script.MISSING, ()
    if ("executable", "yes") not in found:
        return Script.NOT_EXECUTABLE, ()
    if ("content", "read") not in found:
        return Script.THERE, Unread(f"{script} can't be read by this account")
    stacks = dict.fromkeys(WRITES[word] for word in values(found, "writes") if word in WRITES)
    return Script.THERE, tuple(stacks) or Unread(f"{script} names no file or tool of a network stack that we know")
