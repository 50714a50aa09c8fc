"""What options may be. compliance.policy knows a policy's keys as well, but takes a tenth of a second to load."""

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
        "help": "the least severity that closes the gate, failed and unknown alike (default: warning)",
    },
    "least_servers_read": {"metavar": "PERCENT", "type": float, "help": "servers that must have been read (100)"},
    "least_machines_judged": {
        "metavar": "PERCENT",
        "type": float,
        "help": "replicated virtual machines that must have been judged (100)",
    },
    "oldest_snapshot": {"metavar": "HOURS", "type": float, "help": "an older snapshot closes the gate (no limit)"},
    "expired_waivers": {
        "choices": ["fail", "tell"],
        "help": "does a waiver hold past its end (tell), or close what it covered the gate again (fail, the default)?",
    },
    "unused_waivers": {
        "choices": ["fail", "tell"],
        "help": "is a waiver that meets no finding a mistake (fail), or listed (tell, the default)?",
    },
    "evidence": {
        "choices": [evidence.value for evidence in Evidence],
        "help": "what verdicts rest on: the guest's answer (observed), or Microsoft's own test alone (bpa)",
    },
    "boot_grace": {
        "metavar": "MINUTES",
        "type": float,
        "help": "what a virtual machine has after its start until its guest must answer (10)",
    },
}
"""A policy's keys as pytest's options."""
