"""Rows of Red Hat Enterprise Linux, and of what is built after it.

Its script changed three times (changelog of the package's spec): NM_CONTROLLED=no was taken out in 0-0.27 (before
8.0), from 0-0.32.el8 (8.7) and 0-0.39.el9 (9.0) on it makes NetworkManager load its ifcfg file by nmcli, and from
0-0.43.el9 (9.5) on that file is a keyfile. So NetworkManager has to manage the adapter from 8.7 on, and
NM_CONTROLLED=no would keep the address off it.
"""

from __future__ import annotations

from dataclasses import replace

from compliance.rules.evidence.faults import known_faults
from compliance.rules.evidence.packages import (
    ALL_PAGES,
    OPENELA_SPECS,
    ORACLE_PAGE,
    RED_HAT_DAEMON,
    RED_HAT_KEYFILE_DAEMON,
    RED_HAT_LOADING_DAEMON,
    RED_HAT_PAGE,
    RED_HAT_SPEC,
)
from compliance.rules.evidence.row import NOT_LISTED, NOT_MANAGED, UNLISTED, changed, silent
from compliance.rules.evidence.system import Statement, System

MANAGED = "NetworkManager manages its adapter"
BY_IFUP = "its ifup brings the adapter up from an ifcfg file"
KEEP_IT_OFF = (
    "Let a file below /etc/sysconfig/network-scripts own the adapter, with NM_CONTROLLED=no, and try a test failover."
)
LET_IT_MANAGE = (
    "Let NetworkManager manage the adapter, with no NM_CONTROLLED line in a file of it, keep hyperv-daemons updated, "
    "and try a test failover."
)
UPDATE_TO_LOADING = (
    "Update hyperv-daemons to 0-0.34.el8_7 or later, whose script makes NetworkManager load the file; or see that ifup "
    "is there and that an ifcfg file describes the adapter. Then try a test failover."
)
STILL_MAY_FAIL = "Microsoft's page still warns of NetworkManager, for which the package's script now writes"

_RED_HAT = System(
    distribution="Red Hat Enterprise Linux, CentOS",
    versions="",
    names=(
        "red hat enterprise linux",
        "red hat enterprise linux server",
        "red hat enterprise linux workstation",
        "red hat enterprise linux client",
        "red hat enterprise linux computenode",
        "centos",
        "centos linux",
        "centos stream",
    ),
    statement=Statement.WORKS_IF,
    injection="yes, note 2",
    data_exchange="yes",
    why=NOT_MANAGED,
    advice=KEEP_IT_OFF,
    daemon=RED_HAT_DAEMON,
    sources=(RED_HAT_PAGE,),
)
_ORACLE = replace(
    _RED_HAT, distribution="Oracle Linux", names=("oracle linux", "oracle linux server"), sources=(ORACLE_PAGE,)
)
_REBUILDS = replace(
    _RED_HAT,
    distribution="Rocky Linux, AlmaLinux",
    names=("rocky linux", "almalinux"),
    injection=NOT_LISTED,
    data_exchange=NOT_LISTED,
    sources=(ALL_PAGES,),
)


def _by_keyfile(row: System, versions: str, since: tuple[int, ...], before: tuple[int, ...], **more: object) -> System:
    """Return a row from 9.5 on: the script writes a keyfile and makes NetworkManager load it."""
    changes = {"why": MANAGED, "advice": LET_IT_MANAGE, "notes": (STILL_MAY_FAIL,), "daemon": RED_HAT_KEYFILE_DAEMON}
    sources = (*row.sources, RED_HAT_SPEC)
    return changed(row, versions=versions, since=since, before=before, sources=sources, **{**changes, **more})


def _by_loaded_ifcfg(
    row: System, versions: str, since: tuple[int, ...], before: tuple[int, ...], **more: object
) -> System:
    """Return a row of 8.7 and later 8, or 9.0 to 9.4: the script makes NetworkManager load an ifcfg file."""
    notes = (*known_faults(since[0]), STILL_MAY_FAIL)
    changes = {"why": MANAGED, "advice": LET_IT_MANAGE, "notes": notes, "daemon": RED_HAT_LOADING_DAEMON}
    sources = (*row.sources, OPENELA_SPECS)
    return changed(row, versions=versions, since=since, before=before, sources=sources, **{**changes, **more})


def _by_ifup(row: System, versions: str, since: tuple[int, ...], before: tuple[int, ...], **more: object) -> System:
    """Return a row of 8.0 to 8.6: the script writes an ifcfg file, without NM_CONTROLLED=no, and calls ifup."""
    changes = {"why": BY_IFUP, "advice": UPDATE_TO_LOADING, "notes": known_faults(8)}
    sources = (*row.sources, OPENELA_SPECS)
    return changed(row, versions=versions, since=since, before=before, sources=sources, **{**changes, **more})


def _after_red_hat(row: System) -> tuple[System, ...]:
    """Return the rows of Red Hat's versions, of which some publish no minor number, as CentOS does."""
    no_minor = ("it published no minor version, by which scripts differ: look inside",)
    eight = (*no_minor, *known_faults(8))
    return (
        _by_keyfile(row, "10", (10,), (11,)),
        _by_keyfile(row, "9.5 and later 9", (9, 5), (10,)),
        _by_loaded_ifcfg(row, "9.0 to 9.4", (9, 0), (9, 5)),
        _by_loaded_ifcfg(row, "9 without a minor version", (9,), (9, 0), notes=(*no_minor, *known_faults(9))),
        _by_loaded_ifcfg(row, "8.7 and later 8", (8, 7), (9,)),
        _by_ifup(row, "8.0 to 8.6", (8, 0), (8, 7)),
        _by_ifup(row, "8 without a minor version", (8,), (8, 0), why=f"{MANAGED}, or {BY_IFUP}", notes=eight),
    )


RED_HAT_ROWS: tuple[System, ...] = (
    *_after_red_hat(_RED_HAT),
    replace(_RED_HAT, versions="7", since=(7,), before=(8,), data_exchange="yes, note 4: hyperv-daemons installed"),
    silent(_RED_HAT, "in other versions"),
    _by_keyfile(_ORACLE, "10", (10,), (11,), **UNLISTED),
    _by_keyfile(_ORACLE, "9.5 and later 9", (9, 5), (10,), **UNLISTED),
    _by_loaded_ifcfg(_ORACLE, "9.1 to 9.4", (9, 1), (9, 5), **UNLISTED),
    _by_loaded_ifcfg(_ORACLE, "9.0", (9,), (9, 1)),
    _by_loaded_ifcfg(_ORACLE, "8.7 and later 8", (8, 7), (9,), **UNLISTED),
    _by_ifup(_ORACLE, "8.6", (8, 6), (8, 7), **UNLISTED),
    _by_ifup(_ORACLE, "8.0 to 8.5", (8,), (8, 6)),
    replace(_ORACLE, versions="7.3 to 7.8", since=(7, 3), before=(7, 9)),
    replace(_ORACLE, versions="6.8 to 6.10", since=(6, 8), before=(6, 11), data_exchange="yes, notes 10 and 11"),
    silent(_ORACLE, "in other versions"),
    *_after_red_hat(_REBUILDS),
    silent(_REBUILDS, "in other versions", "they follow Red Hat Enterprise Linux"),
)
