"""Our options: on pytest's command line, and by the same names in its configuration file.

A policy's keys are among them. compliance.gate.policy knows them as well, but takes a tenth of a second to load.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from compliance.model import Evidence
from compliance.rule import Severity


class Grain(StrEnum):
    """What one of pytest's cases stands for, for each rule."""

    MACHINE = "machine"
    SERVER = "server"
    RULE = "rule"


POLICY_OPTIONS: dict[str, dict[str, Any]] = {
    "fail_at": {
        "choices": [severity.value for severity in Severity],
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
        "choices": [evidence.value for evidence in Evidence],
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
    "severity": f"these severities ({', '.join(Severity)})",
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
