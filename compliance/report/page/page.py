"""Table -> one HTML file that opens anywhere: no network, a content security policy, no inline handler."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from compliance.report.gate_text import gate_lines
from compliance.report.page.data import data
from compliance.report.readiness import (
    WORST_FIRST,
    count_directions,
    direction_text,
    machine_text,
    open_machines,
    readiness_text,
)
from compliance.report.table import ATTRIBUTION, Table, by_rule, impacts
from compliance.rule import Result
from compliance.words import printable

MOST_PRINTED = 12
"""Machines of a rule on paper, which is for a board to decide by; the page itself holds them all."""

MOST_LISTED = 500
"""Machines that are not plainly ready, in the list of the page's head."""


def page(table: Table) -> str:
    """The whole file. What is on paper, and what a reader without scripts sees, is written here; the rest is drawn."""
    style, script = _part("page.css"), _part("page.js")
    told = table.headline
    machines, counted = open_machines(table), count_directions(table)
    first, *reasons = gate_lines(table.gate)
    return _template().render(
        table=table,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        data=data(table),
        title=f"{printable(table.estate.name)}: Hyper-V compliance",
        sentence=told[:1].upper() + told[1:],
        gate=first,
        reasons=[line.strip().removeprefix("- ") for line in reasons],
        counts={result.value: table.count(result) for result in Result},
        coverage=table.gate.coverage,
        direction=direction_text(table),
        words=[word.value for word in WORST_FIRST],
        readiness=[(direction, [counts[word] for word in WORST_FIRST]) for direction, counts in counted],
        machines=[(machine_text(one), one.direction, readiness_text(one)) for one in machines[:MOST_LISTED]],
        more_machines=max(len(machines) - MOST_LISTED, 0),
        failed=[(rule, impacts(rule), found) for rule, found in by_rule(table.verdicts, Result.FAILED)],
        unknown=by_rule(table.verdicts, Result.UNKNOWN),
        waived=by_rule(table.verdicts, Result.WAIVED),
        most=MOST_PRINTED,
        attribution=ATTRIBUTION,
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["plain"] = printable
    return environment.from_string(_part("page.html.j2"))
