"""The tables of docs/failover-address.md, from the data that the rule uses.

``python -m tests.systems_table`` writes them anew between their markers; a test holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from compliance.rules.evidence.system import Citation, PackagedDaemon, System
from compliance.rules.evidence.table import OTHER, SYSTEMS

PAGE = Path(__file__).parent.parent / "docs" / "failover-address.md"
BEGIN = "<!-- systems: begin, written by python -m tests.systems_table -->\n"
END = "<!-- systems: end -->"


def written(page: str) -> str:
    """Return the page with its tables as the data are."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{tables()}{END}{after}"


def tables() -> str:
    rows = (*SYSTEMS, OTHER)
    numbers = {
        source: number
        for number, source in enumerate(dict.fromkeys(source for row in rows for source in row.sources), 1)
    }
    statements = _table(
        ("system", "a failover address", "", "Static IP Injection", "Key-Value Pair", "source"),
        (_statement(row, numbers) for row in rows),
    )
    sources = "".join(f"{number}. {_link(source)}\n" for source, number in numbers.items())
    daemons = _table(("package", "service", "daemon", "the script that it calls", "writes for", "on"), _daemons())
    return f"\n{statements}\nSources:\n\n{sources}\nWhat answers inside, and the script that it calls:\n\n{daemons}\n"


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


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
