"""Our options: on pytest's command line, and by the same names in its configuration file.

A policy's keys are among them. compliance.gate.policy knows them as well, but takes a tenth of a second to load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

SEVERITIES = ("error", "warning", "information")
EVIDENCE = ("observed", "bpa")
"""Both by their words: the model that has them as values takes a tenth of pytest's own start to load, in every run of
everybody who has this installed."""


class Grain(StrEnum):
    """What one of pytest's cases stands for, for each rule."""

    MACHINE = "machine"
    SERVER = "server"
    RULE = "rule"


POLICY_OPTIONS: dict[str, dict[str, Any]] = {
    "fail_at": {
        "choices": SEVERITIES,
        "help": "failed and unknown findings of this severity or worse close the gate (default: warning)",
    },
    "least_servers_read": {
        "metavar": "PERCENT",
        "type": float,
        "help": "how many of the servers must be read, or the gate is closed (default: 100)",
    },
    "least_machines_judged": {
        "metavar": "PERCENT",
        "type": float,
        "help": "virtual machines with a failover address whose readiness must be known (default: 100)",
    },
    "oldest_snapshot": {
        "metavar": "HOURS",
        "type": float,
        "help": "a snapshot older than this closes the gate (default: no limit)",
    },
    "direction": {
        "choices": ["failover", "failback", "both"],
        "help": "findings about a failover, a failback or both close the gate (default: both)",
    },
    "expired_waivers": {
        "choices": ["fail", "tell"],
        "help": "findings whose waiver has ended: close the gate (fail, the default), or stay waived (tell)",
    },
    "unused_waivers": {
        "choices": ["fail", "tell"],
        "help": "waivers that match no finding: exit code 4 (fail), or list them (tell, the default)",
    },
    "partial_clusters": {
        "choices": ["fail", "tell"],
        "help": "clusters with nodes missing from the inventory: close the gate (fail, the default) or list (tell)",
    },
    "evidence": {
        "choices": EVIDENCE,
        "help": "what counts: the guest's own answer (observed, the default) or Microsoft's test alone (bpa)",
    },
    "boot_grace": {
        "metavar": "MINUTES",
        "type": float,
        "help": "how long after its start a virtual machine's guest may stay silent (default: 10)",
    },
}
"""A policy's keys as pytest's options."""

FILES = ("hv_inventory", "hv_snapshot", "hv_save", "hv_policy", "hv_waivers", "hv_baseline", "hv_report_dir")
"""Options that name files: those of a configuration file stand relative to it."""
SELECTION: dict[str, str] = {
    "site": "servers and machines of these sites",
    "group": "servers and machines of these groups",
    "server": "these servers",
    "vm": "these virtual machines (name, server/name or GUID)",
    "rule": "these rules (key)",
    "severity": f"these severities ({', '.join(SEVERITIES)})",
}
REPEATABLE = frozenset(
    {"hv_snapshot", "hv_policy", "hv_waivers", "hv_severity_of", *(f"hv_{name}" for name in SELECTION)}
)
POLICY_KEYS = ("hv_policy", "hv_severity_of", *(f"hv_{name}" for name in POLICY_OPTIONS))
"""Options that say what closes the gate."""
OPTIONS: tuple[str, ...] = (
    *(name for name in FILES if name not in POLICY_KEYS),
    "hv_limit",
    "hv_grain",
    "hv_author",
    *(f"hv_{name}" for name in SELECTION),
    *POLICY_KEYS,
)
"""Every option of ours, as pytest keeps it and as a configuration file names it."""
NEEDS_ESTATE = tuple(name for name in OPTIONS if name not in ("hv_inventory", "hv_snapshot"))


class Option(NamedTuple):  # a dataclass takes a hundredth of pytest's start to make
    """One option, as pytest and argparse take it. Where another plugin owns its first name, the last is kept."""

    names: tuple[str, ...]
    dest: str
    attributes: Mapping[str, Any]


def estate_options() -> Iterator[Option]:
    """Yield every option of ours, in the order of the help."""
    repeatable: dict[str, Any] = {"action": "append", "default": []}
    inventory = "the Hyper-V servers to read and judge (YAML, or an inventory of Ansible)"
    yield Option(("--inventory", "--hv-inventory"), "hv_inventory", {"metavar": "FILE", "help": inventory})
    snapshot = "judge what an earlier run saved, without any network; give several to join sites that were read apart"
    yield Option(("--snapshot", "--hv-snapshot"), "hv_snapshot", {"metavar": "FILE", "help": snapshot, **repeatable})
    for name, attributes in _OWN.items():
        yield Option((f"--hv-{name.replace('_', '-')}",), f"hv_{name}", attributes)
    for name, attributes in POLICY_OPTIONS.items():
        yield Option((f"--hv-{name.replace('_', '-')}",), f"hv_{name}", attributes)
    severity = "give a rule another severity: error, warning or information; repeatable"
    attributes = {"metavar": "RULE=SEVERITY", "help": severity, **repeatable}
    yield Option(("--hv-severity-of",), "hv_severity_of", attributes)
    for name, what in SELECTION.items():
        attributes = {"metavar": "GLOB", "help": f"judge only {what}; repeatable", **repeatable}
        yield Option((f"--hv-{name}",), f"hv_{name}", attributes)


_OWN: dict[str, dict[str, Any]] = {
    "limit": {"metavar": "PATTERN", "help": "read only these servers and groups; written like Ansible's --limit"},
    "save": {"metavar": "FILE", "help": "save what is read in this file (JSON lines; gzip if its name ends in .gz)"},
    "policy": {
        "metavar": "FILE",
        "action": "append",
        "default": [],
        "help": "a file that says what closes the gate (YAML); it wins over the inventory's `policy:`; repeatable",
    },
    "waivers": {
        "metavar": "FILE",
        "action": "append",
        "default": [],
        "help": "a file of findings that are waived until a day (YAML); repeatable",
    },
    "baseline": {
        "metavar": "FILE",
        "help": "results.json of an earlier run: its findings no longer close the gate",
    },
    "report_dir": {"metavar": "DIR", "help": "write every report and gate.json into this folder"},
    "author": {
        "metavar": "NAME",
        "help": "who ran this, as reports name it (default: your account and this machine, user@host); off: nobody",
    },
    "grain": {
        "choices": [grain.value for grain in Grain],
        "help": "one test case for each rule and machine (the default), for each rule and server, or for each rule",
    },
}
