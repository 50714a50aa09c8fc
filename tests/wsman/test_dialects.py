"""The same rows, whichever dialect they come in; and the same estate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.hyperv.estate import translate
from compliance.model import Estate, Row
from compliance.wsman import envelope
from compliance.wsman.row import ParsedRow as Read
from tests.builders import snapshot, source
from tests.host_rows import host_rows
from tests.hosts import Host, Nic, Vm
from tests.profiles import examples
from tests.wire_rows import ARRAYS, wire
from tests.wsman import dialects
from tests.wsman.dialects import OMI, PROJECTED, WINDOWS, Dialect, Instance, Kind, Value, written
from tests.wsman.samples import ID, WMI

# --- any instance -----------------------------------------------------------------------------------------------------

legal = st.characters(exclude_categories=("Cs",), exclude_characters=[*map(chr, range(32)), "\ufffe", "\uffff"])
signs = st.text(legal | st.sampled_from("\t\n\r<>&'\"] "), max_size=20)
MOMENTS = [
    "1601-01-01T00:00:00Z",
    "2013-04-15T16:28:43.488171Z",
    "2026-03-09T02:57:32.5Z",
    "2026-03-09T10:57:32+08:00",
    "16010101000000.000000-000",
    "20251217095522.000000+060",
    "********000000.000000:000",
    "garbage",
]
LENGTHS = ["P0DT0H1M40S", "PT0S", "00000000000140.000000:000"]
CONTENTS = {
    Kind.TEXT: signs,
    Kind.FLAG: st.sampled_from(["true", "false"]),
    Kind.NUMBER: st.integers(0, 2**64 - 1).map(str),
    Kind.MOMENT: st.sampled_from(MOMENTS),
    Kind.LENGTH: st.sampled_from(LENGTHS),
}


@st.composite
def values(draw: st.DrawFn) -> Value:
    kind = draw(st.sampled_from(Kind))
    entry = st.none() | CONTENTS[kind]
    lists = st.lists(entry, max_size=4).filter(lambda found: found != [None])  # which is no other than NULL
    return Value(kind, draw(entry | lists))


NAMES = ["Name", "ElementName", "IPAddresses", "EnabledState", "InstallDate", "Datetime", "Items", "Item", "_x"]
instances = st.dictionaries(st.sampled_from(NAMES), values(), max_size=6)
any_dialect = st.builds(
    Dialect,
    fragment=st.booleans(),
    namespace=st.sampled_from([WMI, WMI.upper(), dialects.OF_OMI]),
    prefix=st.sampled_from(["p", "cls", "n", ""]),
    null=st.sampled_from(["true", "1"]),
    typed=st.booleans(),
    flag=st.sampled_from([str.lower, str.upper]),
    date=st.sampled_from([dialects.windows, dialects.in_a_projection, dialects.by_dsp0230, dialects.bare]),
    text=st.sampled_from([dialects.escaped, dialects.numbered, dialects.as_cdata, dialects.with_a_comment]),
    empty_is_null=st.booleans(),
    alphabetical=st.booleans(),
    first=st.booleans(),
    spare_context=st.booleans(),
    prefixes=st.sampled_from([WINDOWS.prefixes, OMI.prefixes, ("w", "s", "a", "n"), ("p", "cim", "x", "q")]),
    between=st.sampled_from(["", "\n  ", "<!-- -->"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
)
recorded = st.sampled_from([WINDOWS, PROJECTED, OMI, replace(WINDOWS, first=False), replace(OMI, first=False)])


def as_told(instance: Instance) -> Read:
    """As it stands in a row: an array of one like a scalar, one without elements not at all."""
    found: Read = {}
    for name, value in instance.items():
        told = value.told
        if isinstance(told, list) and len(told) < 2:
            if told:
                found[name] = told[0]
        else:
            found[name] = told
    return found


def alike(row: Read, instance: Instance) -> Read:
    """What dialects may differ in: an array without elements is absent or NULL, booleans have two cases."""
    empty = {name for name, value in instance.items() if value.told == []}
    flags = {name for name, value in instance.items() if value.kind is Kind.FLAG}
    return {
        name: _lower(value) if name in flags else value
        for name, value in row.items()
        if not (name in empty and value is None)
    }


def _lower(value: str | list[str | None] | None) -> str | list[str | None] | None:
    if isinstance(value, list):
        return [one and one.lower() for one in value]
    return value and value.lower()


@settings(max_examples=examples(150), deadline=None)
@given(recorded | any_dialect, st.lists(instances, max_size=3))
def test_the_same_rows_in_every_dialect(dialect: Dialect, told: list[Instance]) -> None:
    page = envelope.page(written(dialect, "Msvm_X", told), ID)
    assert [alike(row, one) for row, one in zip(page.instances, told, strict=True)] == [*map(as_told, told)]
    assert (page.last, page.repaired) == (True, False)


# --- a whole server ---------------------------------------------------------------------------------------------------

ROWS = wire(
    host_rows(
        Host(
            vms=[
                Vm(
                    name="web & <db> 東京",
                    nics=[Nic(addresses=["10.2.0.1", "fd00::1"], dns=["10.2.0.9"]), Nic(name="b")],
                ),
                Vm(name="silent", kvp=12),
                Vm(name="off", power=3, offered=3, nics=[Nic()]),
                Vm(name="plain", mode=0, state=0, kvp=None),
            ]
        )
    )
)
FLAGS = frozenset({"DHCPEnabled", "RecoveryServerEnabled"})


def as_instance(row: Row) -> Instance:
    return {name: Value(Kind.FLAG if name in FLAGS else Kind.TEXT, value) for name, value in row.items()} | {
        name: Value(Kind.TEXT, []) for name in ARRAYS if name not in row
    }


def estate_of(rows: Mapping[str, tuple[Row, ...]]) -> Estate:
    return translate(snapshot(source(Host(), rows=rows)))


def remarks_of(estate: Estate) -> set[str]:
    """All but the one that tells of arrays which are NULL, as on OMI: recorded of no Windows."""
    return {remark for server in estate.servers for remark in server.remarks if "empty-array-absent" not in remark}


WAS = estate_of(ROWS)


@settings(max_examples=examples(25), deadline=None)
@given(st.dictionaries(st.sampled_from([*ROWS]), recorded | any_dialect), recorded | any_dialect)
def test_the_same_estate_in_every_dialect(by_class: dict[str, Dialect], otherwise: Dialect) -> None:
    came = {
        name: tuple(
            envelope.page(written(by_class.get(name, otherwise), name, [*map(as_instance, rows)]), ID).instances
        )
        for name, rows in ROWS.items()
    }
    estate = estate_of(came)
    assert estate.servers[0].machines == WAS.servers[0].machines
    assert (estate.replicated, remarks_of(estate)) == (WAS.replicated, remarks_of(WAS))
