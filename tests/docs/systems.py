"""docs/systems.md: which guests apply a failover address, from the data that the rules use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compliance.rules.evidence.system import Citation, PackagedDaemon, System
from compliance.rules.evidence.table import OTHER, SYSTEMS
from tests.docs.markdown import table_of

INTRODUCTION = """# Which systems apply a failover address

Two rules look up a guest's system here. *Static IP Injection* and *Key-Value Pair* are rows of Microsoft's pages on
each distribution. Nobody tried these systems on Hyper-V for this table: if your guests show something else, please
report it. How the address gets there, and what each distribution's script does, is on
[its own page](failover-address.md#what-each-system-does).
"""


def page() -> str:
    return f"{INTRODUCTION}\n{tables()}"


def tables() -> str:
    rows = (*SYSTEMS, OTHER)
    numbers = {
        source: number
        for number, source in enumerate(dict.fromkeys(source for row in rows for source in row.sources), 1)
    }
    statements = table_of(
        ("system", "a failover address", "", "Static IP Injection", "Key-Value Pair", "source"),
        (_statement(row, numbers) for row in rows),
    )
    sources = "".join(f"{number}. {_link(source)}\n" for source, number in numbers.items())
    daemons = table_of(("package", "service", "daemon", "the script that it calls", "writes for", "on"), _daemons())
    return f"{statements}\n## Sources\n\n{sources}\n## What answers inside, and the script that it calls\n\n{daemons}"


def _statement(row: System, numbers: Mapping[Citation, int]) -> tuple[str, ...]:
    sources = ", ".join(str(numbers[source]) for source in row.sources)
    why = "; ".join(part for part in (row.why, *row.notes) if part)
    return str(row), f"**{row.statement}**", why, row.injection, row.data_exchange, sources


def _link(source: Citation) -> str:
    return f"[{source.name}]({source.link})" if source.link else source.name


def _daemons() -> Iterator[tuple[str, ...]]:
    users: dict[PackagedDaemon, list[System]] = {}
    for row in SYSTEMS:
        if row.daemon:
            users.setdefault(row.daemon, []).append(row)
    for daemon, rows in users.items():
        script = f"{_code(daemon.script)}{'' if daemon.brings_script else ', **missing in the package**'}"
        stacks = ", ".join(daemon.writes_for) or ("nothing" if not daemon.brings_script else "not read")
        stacks += f", by {daemon.form}" if daemon.form else ""
        on = "; ".join(f"{name} {', '.join(versions)}".strip() for name, versions in _by_name(rows).items())
        yield daemon.package, daemon.service, _code(daemon.path), script if daemon.script else "none", stacks, on


def _by_name(rows: Iterable[System]) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for row in rows:
        versions.setdefault(row.distribution, []).extend([row.versions] if row.versions else [])
    return versions


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
