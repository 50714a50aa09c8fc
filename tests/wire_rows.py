"""The same rows as they come over the wire: text, lists and NULL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.hyperv.queries import OF_REPLICATION, QUERIES
from compliance.model import Row


def wire(rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, tuple[Row, ...]]:
    """What a projection of each class gives: absent arrays, NULL scalars, numbers as text."""
    return {
        query.class_name: tuple(_wire_row(row, query.properties) for row in rows[query.class_name])
        for query in (*QUERIES, *OF_REPLICATION)
        if query.class_name in rows
    }


ARRAYS = frozenset(
    [
        "IPAddresses",
        "Subnets",
        "DefaultGateways",
        "DNSServers",
        "OperationalStatus",
        "StatusDescriptions",
        "GuestIntrinsicExchangeItems",
        "HostResource",
        "IPAddress",
        "IPSubnet",
    ]
)


def _wire_row(row: Mapping[str, object], properties: Sequence[str]) -> Row:
    found: dict[str, str | list[str | None] | None] = {}
    for name in sorted(properties, key=str.casefold):
        value = row.get(name)
        if name in ARRAYS:
            entries = [_wire_text(entry) for entry in value or ()]  # type: ignore[attr-defined]
            if entries:
                found[name] = entries[0] if len(entries) == 1 else entries
        else:
            found[name] = _wire_text(value)
    return found


def _wire_text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
