"""Items from inside a guest: whatever the guest wrote, the others are read and nothing is raised."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.hyperv.kvp import MAX_ITEM, MAX_VALUE, parse_item, parse_items
from tests.host_rows import kvp_item

GOOD = kvp_item("OSName", "Windows Server 2019 Standard")
READ = {"OSName": "Windows Server 2019 Standard"}


def item(*properties: str, head: str = "", tag: str = "INSTANCE") -> str:
    return f'{head}<{tag} CLASSNAME="Msvm_KvpExchangeDataItem">{"".join(properties)}</{tag}>'


def value(name: str, content: str) -> str:
    return f'<PROPERTY NAME="{name}" TYPE="string"><VALUE>{content}</VALUE></PROPERTY>'


NAME, DATA = value("Name", "OSName"), value("Data", "x")
LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY l0 "lol">'
    + "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))
    + "]>"
)

READABLE = {
    "name first": (item(NAME, DATA), {"OSName": "x"}),
    "data first": (item(DATA, NAME), {"OSName": "x"}),
    "others between": (item(value("Source", "2"), DATA, value("Caption", "y"), NAME), {"OSName": "x"}),
    "five entities": (item(NAME, value("Data", "&amp;&lt;&gt;&quot;&apos;")), {"OSName": "&<>\"'"}),
    "numbered entities": (item(NAME, value("Data", "&#233;&#x1F600;")), {"OSName": "é😀"}),
    "escaped once only": (item(NAME, value("Data", "&amp;amp;")), {"OSName": "&amp;"}),
    "markup as CDATA": (item(NAME, value("Data", "<![CDATA[<b>&]]>")), {"OSName": "<b>&"}),
    "letters of all scripts": (item(NAME, value("Data", "宿主 é")), {"OSName": "宿主 é"}),
    "empty value": (item(NAME, value("Data", "")), {"OSName": ""}),
    "no VALUE": (item(NAME, '<PROPERTY NAME="Data" TYPE="string"></PROPERTY>'), {"OSName": ""}),
    "white space around": (f" \n{item(NAME, DATA)}\n", {"OSName": "x"}),
    "a comment": (item("<!-- &amp; -->", NAME, DATA), {"OSName": "x"}),
    "a declaration": (item(NAME, value("Data", "é"), head='<?xml version="1.0"?>'), {"OSName": "é"}),
    "declared as Latin 1": (
        item(NAME, value("Data", "é"), head='<?xml version="1.0" encoding="ISO-8859-1"?>'),
        {"OSName": "é"},
    ),
    "declared as UTF-16": (item(NAME, DATA, head='<?xml version="1.0" encoding="utf-16"?>'), {"OSName": "x"}),
    "in an encoding that nobody knows": (
        item(NAME, DATA, head='<?xml version="1.0" encoding="klingon"?>'),
        {"OSName": "x"},
    ),
    "in an encoding that is no text": (item(NAME, DATA, head='<?xml version="1.0" encoding="hex"?>'), {"OSName": "x"}),
}


@pytest.mark.parametrize(("text", "found"), READABLE.values(), ids=READABLE.keys())
def test_an_item_is_found_by_the_names_of_its_properties(text: str, found: dict[str, str]) -> None:
    assert parse_items([text]) == found


LOST = {
    "NULL": None,
    "empty": "",
    "no name": item(DATA),
    "no data": item(NAME),
    "an empty name": item(value("Name", ""), DATA),
    "another root": item(NAME, DATA, tag="CLASS"),
    "a wrapped instance": f"<VALUE>{item(NAME, DATA)}</VALUE>",
    "no XML": "OSName=Windows",
    "cut off": item(NAME, DATA)[:-4],
    "two roots": item(NAME, DATA) * 2,
    "a NUL": item(NAME, value("Data", "a\0b")),
    "a control character": item(NAME, value("Data", "\x1b[31m")),
    "an unknown entity": item(NAME, value("Data", "&nbsp;")),
    "a DOCTYPE": item(NAME, DATA, head="<!DOCTYPE INSTANCE>"),
    "an entity of its own": item(NAME, value("Data", "&e;"), head='<!DOCTYPE a [<!ENTITY e "x">]>'),
    "a file's entity": item(NAME, value("Data", "&e;"), head='<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
    "a foreign DTD": item(NAME, DATA, head='<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">'),
    "billion laughs": item(NAME, value("Data", "&l11;"), head=LAUGHS),
    "deep nesting": "<a>" * 9_000 + "</a>" * 9_000,
    "deep nesting, never closed": "<a>" * 21_000,
    "an attribute twice": item(NAME, DATA.replace(" TYPE", ' TYPE="string" TYPE')),
    "too long": item(NAME, value("Data", "x" * MAX_ITEM)),
}


@pytest.mark.parametrize("text", LOST.values(), ids=LOST.keys())
def test_a_broken_or_hostile_item_loses_only_itself(text: str | None) -> None:
    started = time.process_time()
    assert parse_items([text, GOOD]) == READ
    assert parse_items([GOOD, text]) == READ
    assert time.process_time() - started < 2


def test_nesting_within_a_property_is_not_its_value() -> None:
    deep = f"<PROPERTY NAME='Data'>{'<a>' * 4000}<VALUE>x</VALUE>{'</a>' * 4000}</PROPERTY>"
    assert parse_items([item(NAME, deep)]) == {"OSName": ""}


def test_a_long_value_is_cut() -> None:
    assert parse_items([kvp_item("OSName", "x" * (MAX_VALUE + 1))]) == {"OSName": "x" * MAX_VALUE}


def test_the_first_of_doubled_names_wins() -> None:
    items = [kvp_item("OSName", "Windows"), kvp_item("OSName", "Linux"), kvp_item("OSVersion", "10")]
    assert parse_items(items) == {"OSName": "Windows", "OSVersion": "10"}


def test_a_lost_item_does_not_take_the_name() -> None:
    assert parse_items([item(NAME, value("Data", "&bad;")), GOOD]) == READ


# --- anything ---------------------------------------------------------------------------------------------------------

anything = st.text(st.characters(exclude_categories=()), max_size=60)
MARKUP = (
    "<INSTANCE> </INSTANCE> <PROPERTY </PROPERTY> NAME='Name' NAME='Data' > <VALUE> </VALUE> <?xml version='1.0' "
    "encoding='hex' ?> <!DOCTYPE <![CDATA[ ]]> &amp; &#0; &#xD800; <!-- --> \ud800 \0 é xmlns='a'"
)
of_markup = st.lists(st.sampled_from([NAME, DATA, *MARKUP.split(" ")]), max_size=12).map(" ".join)
of_declarations = anything.map(lambda encoding: item(NAME, DATA, head=f'<?xml version="1.0" encoding="{encoding}"?>'))


@settings(deadline=None)
@given(st.lists(st.none() | anything | of_markup | of_declarations, max_size=4))
def test_nothing_that_a_guest_writes_is_raised(items: list[str | None]) -> None:
    found = parse_items([GOOD, *items])
    assert found["OSName"] == READ["OSName"]
    assert all(isinstance(name, str) and len(data) <= MAX_VALUE for name, data in found.items())


printable = st.characters(exclude_categories=("C",))


@settings(deadline=None)
@given(st.dictionaries(st.text(printable, min_size=1, max_size=20), st.text(printable, max_size=40), max_size=6))
def test_what_a_guest_publishes_is_what_is_read(published: dict[str, str]) -> None:
    assert parse_items([kvp_item(*pair) for pair in published.items()]) == published


# --- the short way, for items as hosts write them ---------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">',
        "</INSTANCE>",
        '<PROPERTY NAME="Name" TYPE="string">',
        '<PROPERTY NAME="Name" PROPAGATED="true" TYPE="string">',
        '<PROPERTY NAME="Data" TYPE="string">',
        '<PROPERTY NAME="Data" TYPE="string" TYPE="string">',
        '<PROPERTY NAME="Source" TYPE="uint16">',
        "</PROPERTY>",
        "<VALUE>",
        "</VALUE>",
        "<VALUE>OSName</VALUE>",
        "</VALUE></PROPERTY>",
        "&amp;",
        "]]>",
        "\r",
        " ",
        "",
    ]
)
TEXTS = st.one_of(PIECES, st.text(max_size=4))


@given(st.lists(st.tuples(st.sampled_from(["Name", "Data", "Source"]), st.none() | st.lists(TEXTS, max_size=3))))
def test_an_item_as_hosts_write_it_says_the_same_without_a_parser(pairs: list[tuple[str, list[str] | None]]) -> None:
    inner = "".join(f'<PROPERTY NAME="{name}" TYPE="string">{_value(texts)}</PROPERTY>' for name, texts in pairs)
    item = f'<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">{inner}</INSTANCE>'
    # a comment that says nothing sends it the long way
    assert parse_item(item) == parse_item(item.replace("</INSTANCE>", "<!-- --></INSTANCE>"))


@given(st.lists(PIECES, max_size=12))
def test_no_item_is_better_without_a_parser(pieces: list[str]) -> None:
    item = "".join(pieces)
    assert parse_item(item) == parse_item(f"<?xml version='1.0'?>{item}")


def _value(texts: list[str] | None) -> str:
    return "" if texts is None else f"<VALUE>{''.join(texts)}</VALUE>"
