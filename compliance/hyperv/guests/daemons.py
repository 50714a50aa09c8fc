"""The daemon of Data Exchange inside a guest, how it is started, and which script it calls.

Where a daemon looks for the script is compiled into it (KVP_SCRIPTS_PATH of tools/hv/hv_kvp_daemon.c in
torvalds/linux), and distributions compile it in different ways; so its own strings are asked, not a table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from compliance.hyperv.guests.lines import KeyValue, all_values, first_value, read_pairs, split_groups
from compliance.hyperv.guests.scripts import effect_of, state_of
from compliance.model import Daemon, Unread

SCRIPT = "hv_set_ifconfig"
BY_FOLDER = re.compile(r"(?:^|\s)(/[^ %]*/)%s %s")  # snprintf(…, KVP_SCRIPTS_PATH "%s %s", "hv_set_ifconfig", …)
BY_PATH = re.compile(rf"(?:^|\s)(/[^ %]*/{SCRIPT})\b")
CALL = re.compile(r"(?:(?:^|\s)/[^ %]*/|^(?:sh )?)%s((?: %s)+)")
"""The first %s is the script's name, each other one a file. hv_get_dhcp_info is called with one, so that a daemon which
hands over two has both strings (hv_kvp_daemon.c)."""
SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/lib/hyper-v/bin")
"""Where a daemon finds a script that it calls by its name alone: systemd's PATH, and the folder of SUSE's package."""

AT_BOOT = frozenset({"enabled", "alias"})
ON_DEMAND = frozenset({"static", "disabled", "indirect"})

ETC = ("/etc",)
"""What a script writes of which nothing is known."""
BY_KERNEL = "/usr/lib/linux-tools"
"""Below it Ubuntu keeps a daemon for each kernel; /usr/sbin/hv_kvp_daemon is a shell script that starts it."""


def read_daemon(sections: Mapping[str, str]) -> Daemon | None:
    """Return the one that runs, else the first that is installed; None where there is none."""
    processes = read_pairs(sections["processes"])
    programs = list(split_groups(read_pairs(sections["programs"]), "program"))
    units = list(_units(sections["units"]))
    if not programs and not all_values(processes, "comm"):
        return None
    program = _chosen(programs, processes)
    path = (
        program[0][1]
        if program
        else (first_value(processes, "line") or first_value(processes, "comm") or "").split(" ")[0]
    )
    unit = _unit(units)
    scripts = read_pairs(sections["scripts"])
    script = _script(program, programs, scripts)
    state, hands_over = state_of(script, scripts), _hands_over(program, programs)
    effect = effect_of(script, state, scripts, sections.get("lines"), hands_over)
    return Daemon(
        program=path,
        package=_package(first_value(program, "package")),
        running=_running(processes, unit),
        at_boot=_at_boot(unit, read_pairs(sections["boot"])),
        unit=unit.get("Id", ""),
        script=script,
        script_state=state,
        writes=effect.writes,
        takes=effect.takes,
        hands_over=hands_over,
        loads=effect.loads,
        calls_ifup=effect.calls_ifup,
        confined=_confined(unit, effect.folders if effect.writes and not isinstance(effect.writes, Unread) else ETC),
        wrapper=_is_wrapper(programs),
    )


def _chosen(programs: Sequence[list[KeyValue]], processes: Sequence[KeyValue]) -> list[KeyValue]:
    running = {line.split(" ")[0] for line in all_values(processes, "line")}
    return next((program for program in programs if program[0][1] in running), programs[0] if programs else [])


def _is_wrapper(programs: Sequence[list[KeyValue]]) -> bool:
    """Return whether there is nothing but a wrapper: no program with strings of a daemon's."""
    if not programs or any(all_values(program, "string") for program in programs):
        return False
    if any(program[0][1].startswith(BY_KERNEL) for program in programs):
        return False
    return any(("wrapper", "yes") in program or _is_ubuntus(program) for program in programs)


def _is_ubuntus(program: Sequence[KeyValue]) -> bool:
    """Return whether it is by its package, in snapshots of versions before 0.2."""
    package = _package(first_value(program, "package")) or ""
    return package.startswith("linux-cloud-tools") and ("strings", "read") in program


def _package(text: str | None) -> str | None:
    """Return what dpkg prints as ``package: file``, rpm as ``package version``, or in English where nobody owns it."""
    return None if not text or "not owned" in text else text.split(":")[0]


def _running(processes: Sequence[KeyValue], unit: Mapping[str, str]) -> bool | Unread:
    """Return whether it runs. A process that has ended and that nobody waited for keeps its name, and has no command
    line any more. A service stays active without any process where an init script started it."""
    alive = [process for process in split_groups(processes, "comm") if first_value(process, "line") != ""]
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
    """Return blocks of ``Key=value``, as `systemctl show` prints them."""
    blocks = [dict(read_pairs(block)) for block in re.split(r"\n\s*\n", section) if "Id=" in block]
    return [block for block in blocks if block.get("LoadState") in ("loaded", "masked")]


def _unit(units: Sequence[dict[str, str]]) -> dict[str, str]:
    active = [unit for unit in units if unit.get("ActiveState") == "active"]
    return next(iter([*active, *units]), {})


def _at_boot(unit: Mapping[str, str], boot: Sequence[KeyValue]) -> bool | Unread:
    links = all_values(boot, "link")
    if not unit:
        return True if links else Unread("neither systemd nor a link of an init script tells")
    state = unit.get("UnitFileState", "")
    if state in AT_BOOT:
        return True
    if state == "generated":
        return bool(links)
    if state in ON_DEMAND:
        name = unit["Id"]
        return any(name in rule for rule in all_values(boot, "udev"))
    if "masked" in state:
        return False
    return Unread(f"its service is {state or 'in no state that systemd tells'}")


def _confined(unit: Mapping[str, str], folders: Sequence[str]) -> str:
    """Return the settings of a service that keep its script from writing files of the network: what a service starts
    shares its limits. What the script asks another program for, over D-Bus, they do not stop."""
    settings = []
    protect, writable = unit.get("ProtectSystem", ""), _paths(unit, "ReadWritePaths")
    if protect in ("full", "strict") and not _all_within(folders, writable):
        settings.append(f"ProtectSystem={protect}")
    for name in ("ReadOnlyPaths", "InaccessiblePaths"):
        closed = [path for path in _paths(unit, name) if any(_is_within(folder, path) for folder in folders)]
        if closed and not _all_within(folders, [path for path in writable if path not in closed]):
            settings.append(f"{name}={' '.join(closed)}")
    if folders and "cap_net_admin" not in unit.get("CapabilityBoundingSet", "cap_net_admin"):
        settings.append("CapabilityBoundingSet without CAP_NET_ADMIN")
    return " and ".join(settings)


def _paths(unit: Mapping[str, str], name: str) -> list[str]:
    """Return the folders of a setting; `-` and `+` before one say what is done where it is missing."""
    return [path.lstrip("-+") for path in unit.get(name, "").split()]


def _all_within(folders: Sequence[str], paths: Sequence[str]) -> bool:
    return all(any(_is_within(folder, path) for path in paths) for folder in folders)


def _is_within(folder: str, path: str) -> bool:
    return f"{folder}/".startswith(f"{path.rstrip('/')}/")


# --- the script -------------------------------------------------------------------------------------------------------


def _script(
    program: Sequence[KeyValue], programs: Sequence[list[KeyValue]], scripts: Sequence[KeyValue]
) -> str | Unread:
    """Return the path that it calls. Ubuntu's program is a wrapper, which names none, around another one that does."""
    for candidate in (program, *programs):
        strings = all_values(candidate, "string")
        for text in strings:
            if match := BY_PATH.search(text):
                return match[1]
        for text in strings:
            if match := BY_FOLDER.search(text):
                return match[1] + SCRIPT
        if any(SCRIPT in text for text in strings):
            there = all_values(scripts, "script")
            return next((path for folder in SEARCHED if (path := f"{folder}/{SCRIPT}") in there), SCRIPT)
    return Unread("which script the daemon calls can't be seen: its program can't be read, or names none")


def _hands_over(program: Sequence[KeyValue], programs: Sequence[list[KeyValue]]) -> int | None:
    for candidate in (program, *programs):
        calls = [match for text in all_values(candidate, "string") if (match := CALL.search(text))]
        by_folder = [match for match in calls if "/" in match[0]]
        if calls:
            return max(match[1].count("%s") for match in by_folder or calls)
    return None
