"""Reading one row: NULL, absent, list and nonsense are four different things."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.hyperv import rows
from compliance.hyperv.rows import by_machine, by_system_name, first_label, or_none, setting_guids
from compliance.model import Row, Unread

A, B = "4EA7033C-356C-4EBA-9F77-1A3399CFCD72", "A1576C71-F505-4D1B-9B78-2CFD971B0F31"
ABSENT: Row = {}
WORDS = {2: "on", 3: "off"}


def row(value: str | list[str | None] | None) -> Row:
    return {"P": value}


def words(one: Row, name: str) -> object:
    return rows.read_word(one, name, WORDS)


CASES: dict[Callable[[Row, str], object], list[tuple[Row, object]]] = {
    rows.text: [
        (row("x"), "x"),
        (row(""), ""),
        (row(" x "), " x "),
        (row(None), None),
        (ABSENT, Unread("P was asked for and did not come")),
        (row(["x", "y"]), Unread("P came as a list")),
        (row([]), Unread("P came as a list")),
    ],
    rows.number: [
        (row("0"), 0),
        (row("2"), 2),
        (row("18446744073709551615"), 2**64 - 1),
        (row("007"), 7),
        (row(None), None),
        (ABSENT, Unread("P was asked for and did not come")),
        (row(["2"]), Unread("P came as a list")),
        *[
            (row(text), Unread("P is no number"))
            for text in ("", " ", "-1", "+1", "2.0", " 2", "1e3", "0x2", "1_000", "٣", "²", "true", "9" * 21)
        ],
    ],
    words: [
        (row("2"), "on"),
        (row("3"), "off"),
        (row("9"), Unread("P is 9, which has no meaning here")),
        (row(None), Unread("P is not given")),
        (row("x"), Unread("P is no number")),
        (ABSENT, Unread("P was asked for and did not come")),
    ],
    rows.array: [
        (ABSENT, ()),
        (row(None), ()),
        (row([]), ()),
        (row([None]), ()),
        (row("x"), ("x",)),
        (row(["x", None, "y"]), ("x", "y")),
        (row(["", " x"]), ("", " x")),
    ],
    rows.filled: [
        (ABSENT, ()),
        (row(None), ()),
        (row(""), ()),
        (row(["", "  ", "\t\n", None]), ()),
        (row([" 10.0.0.1 ", "", "::1"]), ("10.0.0.1", "::1")),
        (row("10.0.0.1"), ("10.0.0.1",)),
    ],
    rows.first_number: [
        (ABSENT, None),
        (row(None), None),
        (row([]), None),
        (row("12"), 12),
        (row(["12", "2"]), 12),
        (row(["x", "2"]), None),
        (row(["", "2"]), None),
        (row([None, "2"]), None),  # the second number is another thing than the first
    ],
}
ALL = [
    pytest.param(function, one, expected, id=f"{function.__name__}-{one.get('P', 'absent')!r:.24}")
    for function, cases in CASES.items()
    for one, expected in cases
]


@pytest.mark.parametrize(("function", "one", "expected"), ALL)
def test_reading_one_property(function: Callable[[Row, str], object], one: Row, expected: object) -> None:
    assert function(one, "P") == expected


def at(instance: str | list[str | None] | None) -> Row:
    return {"InstanceID": instance}


OF_MACHINE = {
    "a device": (f"Microsoft:{A}\\{B}", {A: [B]}),
    "lower case": (f"Microsoft:{A.lower()}\\{B.lower()}", {A: [B.lower()]}),
    "deeper": (f"Microsoft:{A}\\{B}\\C", {A: [f"{B}\\C"]}),
    "a relationship": (f"Microsoft:{A}\\HVR\\0", {A: ["HVR\\0"]}),
    "no rest": (f"Microsoft:{A}", {}),
    "an empty rest": (f"Microsoft:{A}\\", {}),
    "a template": (f"Microsoft:Definition\\{A}\\Default", {}),
    "a pool": (f"Microsoft:Pool\\{A}", {}),
    "the host's name": ("Microsoft:HV01\\HVR", {}),
    "braces": (f"Microsoft:{{{A}}}\\{B}", {}),
    "something before": (f"xMicrosoft:{A}\\{B}", {}),
    "no GUID": (f"Microsoft:{A[:-1]}\\{B}", {}),
    "NULL": (None, {}),
    "a list": ([f"Microsoft:{A}\\{B}"], {}),
}


@pytest.mark.parametrize(("instance", "found"), OF_MACHINE.values(), ids=OF_MACHINE.keys())
def test_rows_by_machine(instance: str | None, found: dict[str, list[str]]) -> None:
    bucket = by_machine((at(instance),))
    assert {guid: [rest for rest, _ in rows] for guid, rows in bucket.items()} == found


A_FORM = re.compile(rf"Microsoft:({rows.GUID})\\(.+)", re.DOTALL)
HEADS = st.sampled_from(["Microsoft:", "microsoft:", "Microſoft:", "xMicrosoft:", "Microsoft", ""])
GUIDS = st.sampled_from([A, A.lower(), B, A[:-1], f"{A}0", f"{A[:-1]}\u0661", ""])
RESTS = st.sampled_from(["\\", "\\\n", "\\x\\y", "\n", "x", "", f"\\{B}"])


@given(st.tuples(HEADS, GUIDS, RESTS).map("".join))
@settings(max_examples=500)
def test_a_machine_is_found_as_by_one_expression(instance: str) -> None:
    match = A_FORM.fullmatch(instance)
    assert rows.of_machine(instance) == (match and (match[1].upper(), match[2]))


def test_rows_beside_a_bucket_are_those_that_speak_of_no_machine() -> None:
    all_of_them = (at(f"Microsoft:{A}\\1"), at("Microsoft:Pool\\x"), at(f"Microsoft:{A}\\1"), ABSENT)
    assert rows.rows_beside(by_machine(all_of_them), all_of_them) == [all_of_them[1], ABSENT]
    assert rows.rows_beside(by_machine(all_of_them[:1]), all_of_them[:1]) == []


def test_words_tell_apart_what_a_row_may_say() -> None:
    said = [{}, {"P": None}, {"P": ""}, {"P": "a"}, {"P": []}, {"P": ["a"]}, {"P": [None]}, {"P": ["a", "b"]}]
    assert len({rows.words_of(one, ("P", "Q")) for one in said}) == len(said)


def test_rows_of_one_machine_stand_together_whatever_their_case() -> None:
    bucket = by_machine((at(f"Microsoft:{A}\\1"), ABSENT, at(f"Microsoft:{B}\\2"), at(f"Microsoft:{A.lower()}\\3")))
    assert {guid: [rest for rest, _ in rows] for guid, rows in bucket.items()} == {A: ["1", "3"], B: ["2"]}


def test_rows_by_system_name() -> None:
    names: list[Row] = [{"SystemName": A.lower()}, {"SystemName": A}, {"SystemName": None}, {}, {"SystemName": [B]}]
    assert by_system_name(tuple(names)) == {A: names[:2]}


def test_setting_guids() -> None:
    instances = [f"Microsoft:{A}", f"Microsoft:{B.lower()}", None, "Microsoft:HV01", f"Microsoft:{A}\\HVR\\0", [A]]
    assert setting_guids((*map(at, instances), ABSENT)) == {A, B}


LABELS = [
    ("hv01", "hv01"),
    ("HV01", "hv01"),
    ("hv01.dr.example", "hv01"),
    ("HV01.DR.EXAMPLE.", "hv01"),
    (" hv01\t", "hv01"),
    ("STRASSE", "strasse"),
    ("Straße.example", "strasse"),
    ("10.0.0.1", "10.0.0.1"),
    ("10.0.0.2", "10.0.0.2"),
    ("10-0-0-1.example", "10-0-0-1"),
    ("2001:DB8::1", "2001:db8::1"),
    ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ("fe80::1%eth0.5", "fe80::1%eth0.5"),
    ("", ""),
    ("  ", ""),
]


@pytest.mark.parametrize(("host", "label"), LABELS)
def test_the_label_of_a_host(host: str, label: str) -> None:
    assert first_label(host) == label


def test_two_addresses_never_share_a_label() -> None:
    assert first_label("::ffff:10.0.0.1") != first_label("::ffff:10.0.0.2")
    assert first_label("10.0.0.1") != first_label("10.0.0.2")


def test_no_rows_where_there_is_a_reason() -> None:
    assert or_none(Unread("refused")) == ()
    assert or_none((ABSENT,)) == (ABSENT,)


values = st.none() | st.text(max_size=25) | st.lists(st.none() | st.text(max_size=25), max_size=4)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["P", "InstanceID", "SystemName"]), values))
def test_no_row_raises(one: dict[str, str | list[str | None] | None]) -> None:
    for function in CASES:
        function(one, "P")
    by_machine((one,))
    by_system_name((one,))
    setting_guids((one,))


VALUES = st.none() | st.text(max_size=3) | st.lists(st.none() | st.text(max_size=3), max_size=3)


@given(VALUES)
@settings(max_examples=300)
def test_an_array_is_filled_where_one_of_its_entries_is(value: str | list[str | None] | None) -> None:
    assert rows.is_filled(row(value), "P") is bool(rows.filled(row(value), "P"))
    assert rows.filled(row(value), "P") == tuple(
        entry.strip() for entry in rows.array(row(value), "P") if entry.strip()
    )


def test_what_is_short_is_worked_out_once_and_what_is_long_each_time() -> None:
    asked = []

    @rows.remembered(3)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [length(text) for text in ("abc", "abc", "abcd", "abcd")] == [3, 3, 4, 4]
    assert asked == ["abc", "abcd", "abcd"]
