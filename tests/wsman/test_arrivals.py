"""Whatever arrives, the parsers answer with a value or a ReadError; no damage makes it look complete or harmless."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import ReadError, Why
from compliance.wsman import envelope
from compliance.wsman.fault import Fault
from tests.profiles import examples
from tests.wsman.samples import ID, fault, first, machine, pulled, typed
from tests.wsman.samples import envelope as sample
from tests.wsman.test_envelope import PAGES, ROWS
from tests.wsman.test_fault import FORMS, TABLE

SEEDS = [
    *(case[1] for case in (*PAGES, *FORMS)),
    *(fault(subcode, detail(str(code))) for _, detail, subcode, code, _ in TABLE),
    *(first(typed("X", properties)) for _, properties, _ in ROWS),
]
MORE = [
    first(machine("a"), machine("b"), context="uuid:1"),
    pulled(machine("a"), context="uuid:2"),
    pulled(context="7"),
    sample("<n:EnumerateResponse><n:EnumerationContext>uuid:1</n:EnumerationContext></n:EnumerateResponse>"),
]
"""Answers of which the host says that more is to come."""


def _read(reply: bytes) -> None:
    for read in (
        lambda: envelope.page(reply, ID),
        lambda: envelope.instance(reply, ID),
        lambda: envelope.identity(reply),
    ):
        try:
            read()
        except ReadError as error:
            assert str(error).isprintable()  # noqa: PT017 - any line will do, more than one won't


def _is_said_to_go_on(reply: bytes) -> bool:
    try:
        return not envelope.page(reply, ID).last
    except ReadError:
        return True


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(reply: bytes) -> None:
    _read(reply)


# --- damage -----------------------------------------------------------------------------------------------------------


def spliced(data: st.DataObject, seed: bytes) -> bytes:
    at = data.draw(st.integers(0, len(seed)))
    to = data.draw(st.integers(at, min(len(seed), at + 30)))
    return seed[:at] + data.draw(st.binary(max_size=8) | st.sampled_from(SEEDS)) + seed[to:]


def cut(data: st.DataObject, seed: bytes) -> bytes:
    at = data.draw(st.integers(0, len(seed)))
    return seed[:at] + seed[at + data.draw(st.integers(1, 400)) :]


def flipped(data: st.DataObject, seed: bytes) -> bytes:
    damaged = bytearray(seed)
    for at in data.draw(st.lists(st.integers(0, len(seed) - 1), min_size=1, max_size=3)):
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(damaged)


def in_another_encoding(data: st.DataObject, seed: bytes) -> bytes:
    encodings = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037"]
    return seed.decode(errors="replace").encode(data.draw(st.sampled_from(encodings)), "replace")


DAMAGES = st.sampled_from([spliced, cut, flipped, in_another_encoding])


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(SEEDS), st.lists(DAMAGES, min_size=1, max_size=2), st.data())
def test_damaged_answers_raise_nothing_else(
    seed: bytes, damages: list[Callable[[st.DataObject, bytes], bytes]], data: st.DataObject
) -> None:
    for damage in damages:
        seed = damage(data, seed) or b"\0"
    _read(seed)


@settings(deadline=None)
@given(st.sampled_from(MORE), st.sampled_from([cut, flipped, in_another_encoding]), st.data())
def test_no_damage_ends_an_enumeration(
    seed: bytes, damage: Callable[[st.DataObject, bytes], bytes], data: st.DataObject
) -> None:
    assert _is_said_to_go_on(damage(data, seed))


# --- parts that were moved, doubled, renamed or lost ------------------------------------------------------------------

URIS = sorted({element.tag[1:].partition("}")[0] for seed in MORE for element in ElementTree.fromstring(seed).iter()})
LOCALS = ["Body", "Header", "Fault", "Items", "Item", "EnumerationContext", "PullResponse", "RelatesTo", "XmlFragment"]
weird = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=9)
tags = st.tuples(st.sampled_from(["", *URIS, *map(str.upper, URIS)]), st.sampled_from(LOCALS) | st.just("x"))


def _doubled(_: st.DataObject, parent: Element, at: int, __: list[Element]) -> None:
    parent.insert(at, copy.deepcopy(parent[at]))


def _lost(_: st.DataObject, parent: Element, at: int, __: list[Element]) -> None:
    del parent[at]


def _moved(data: st.DataObject, parent: Element, at: int, parts: list[Element]) -> None:
    target = data.draw(st.sampled_from(parts))
    target.append(copy.deepcopy(parent[at]))
    if target is not parent[at]:
        del parent[at]


def _renamed(data: st.DataObject, parent: Element, at: int, _: list[Element]) -> None:
    parent[at].tag = "{{{}}}{}".format(*data.draw(tags))


def _said(data: st.DataObject, parent: Element, at: int, _: list[Element]) -> None:
    parent[at].text = data.draw(weird)
    parent[at].set("{http://www.w3.org/2001/XMLSchema-instance}nil", data.draw(st.sampled_from(["true", "1", "TRUE"])))


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from([*SEEDS[:8], *MORE]),
    st.lists(st.sampled_from([_doubled, _lost, _moved, _renamed, _said]), min_size=1, max_size=3),
    st.data(),
)
def test_answers_of_other_parts_raise_nothing_else_and_end_nothing(
    seed: bytes,
    changes: list[Callable[[st.DataObject, Element, int, list[Element]], None]],
    data: st.DataObject,
) -> None:
    root = ElementTree.fromstring(seed)
    for change in changes:
        places = [(parent, at) for parent in root.iter() for at in range(len(parent))]
        if places:
            change(data, *data.draw(st.sampled_from(places)), list(root.iter()))
    changed = ElementTree.tostring(root)
    _read(changed)
    assert b"EndOfSequence" in changed or _is_said_to_go_on(changed)


@pytest.mark.parametrize("seed", MORE)
def test_no_part_that_decides_may_stand_twice(seed: bytes) -> None:
    """To read the first of two would hide the second: rows, or what is to come."""
    root = ElementTree.fromstring(seed)
    deciding = ["Header", "Body", "RelatesTo", "EnumerateResponse", "PullResponse", "EnumerationContext"]
    found = [
        (parent, at) for parent in root.iter() for at in range(len(parent)) if parent[at].tag.split("}")[-1] in deciding
    ]
    assert len(found) == 5
    for parent, at in found:
        parent.insert(at, copy.deepcopy(parent[at]))
        with pytest.raises(ReadError, match="more than one"):
            envelope.page(ElementTree.tostring(root), ID)
        del parent[at]


# --- DOCTYPE ----------------------------------------------------------------------------------------------------------

DOCTYPES = [
    "<!DOCTYPE s>",
    '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE s SYSTEM "http://127.0.0.1:9/a.dtd">',
    '<!DOCTYPE s [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    "<!DOCTYPE\n\ts\n[<!-- ]> --><!ATTLIST s a CDATA #FIXED 'x'>]\n>",
]
DECLARATION = '<?xml version="1.0" encoding="{}"?>'
AROUND = st.lists(
    st.sampled_from(
        ["", " ", "\r\n\t", "<!-- <s:Envelope> -->", "<!---->", "<?a <b ?>", '<?a "<!--" ?>', "\ufeff", "<!-- > -->"]
        + [DECLARATION.format(encoding) for encoding in ("utf-8", "UTF-16", "utf-7", "klingon", "iso-8859-1")]
    ),
    max_size=3,
).map("".join)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


@settings(max_examples=examples(200), deadline=None)
@given(AROUND, st.sampled_from(DOCTYPES) | st.sampled_from(DOCTYPES).map("<!-- {} -->".format), AROUND, st.data())
def test_a_doctype_never_reaches_the_parser(before: str, doctype: str, after: str, data: st.DataObject) -> None:
    """What expat makes of it depends on expat's version. An error of expat's would be this error's cause."""
    encoding = data.draw(st.sampled_from(ENCODINGS))
    answer = data.draw(st.sampled_from([*MORE, first(machine("&b;"))])).decode()
    reply = f"{before}{doctype}{after}{answer}".encode(encoding)
    for read in (envelope.page, envelope.instance):
        with pytest.raises(ReadError, match=r"DOCTYPE|does not begin with an element") as caught:
            read(reply, ID)
        assert (caught.value.__cause__, caught.value.why) == (None, Why.BROKEN)


@pytest.mark.parametrize("hidden", ["<\x01", "<\ufffe", "&#60;", "<s", "<s:Envelope>", "\x00<", "<\ud800"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_doctype_that_is_none_yet_never_becomes_one(hidden: str, encoding: str) -> None:
    """Forbidden characters are replaced and the rest is read again: never as anything that could be a DOCTYPE."""
    reply = f"{hidden}{DOCTYPES[1][1:]}{first(machine('&b;')).decode()}".encode(encoding, "surrogatepass")
    with pytest.raises(ReadError, match=r"is not XML|DOCTYPE"):
        envelope.page(reply, ID)


# --- faults of any shape ----------------------------------------------------------------------------------------------

PARTS = [
    "Code",
    "Subcode",
    "Value",
    "Reason",
    "Text",
    "Detail",
    "WSManFault",
    "Message",
    "ProviderFault",
    "faultstring",
]
ERRORS = ["MSFT_WmiError", "Msvm_Error", "OMI_Error", "CIMStatusCode", "MessageID", "error_Code", "ExtendedError", "x"]
codes = st.sampled_from(
    ["5", "0", "-1", "0x80041003", "-2147217405", "2150858779", "9" * 5_000, "0x", "٥", "1_0", "5 "]
)
words = (
    codes
    | st.sampled_from(["a:AccessDenied", "HRESULT 0x80041010", "x" * 5_000, "\u202e\x85\u2028\t\n", "a\nb"])
    | weird
)
attributes = st.dictionaries(
    st.sampled_from(["Code", "Machine", "provider", "path", "{http://x}IsCIM_Error"]),
    words | st.just("true"),
    max_size=3,
)


def _part(drawn: tuple[tuple[str, str], dict[str, str], str, list[Element]]) -> Element:
    (uri, local), attributes, text, below = drawn
    element = Element(f"{{{uri}}}{local}" if uri else local, {key: _legal(text) for key, text in attributes.items()})
    element.text = _legal(text)
    element.extend(below)
    return element


def _legal(text: str) -> str:
    return "".join(sign for sign in text if sign in "\t\n" or (sign >= " " and sign not in "\ufffe\uffff"))


names = st.tuples(st.sampled_from(["", *URIS, "http://x"]), st.sampled_from([*PARTS, *ERRORS]))
trees = st.recursive(
    st.tuples(names, attributes, words, st.just([])).map(_part),
    lambda below: st.tuples(names, attributes, words, st.lists(below, max_size=4)).map(_part),
    max_leaves=8,
)
LONGEST_FAULT = 1_200  # what the host says is cut at 300, its subcode and provider at 80 each; the rest is ours


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(trees, max_size=4), st.sampled_from([ID, None]))
def test_a_fault_of_any_shape_is_one_readable_line(parts: list[Element], relates_to: str | None) -> None:
    body = b"".join(ElementTree.tostring(part) for part in parts).decode()
    reply = sample(f"<s:Fault>{body}</s:Fault>", relates_to)
    for read in (
        lambda: envelope.page(reply, ID),
        lambda: envelope.instance(reply, ID),
        lambda: envelope.identity(reply),
    ):
        with pytest.raises(Fault) as caught:
            read()
        line = str(caught.value)
        assert isinstance(caught.value.why, Why)
        assert line.isprintable()
        assert 0 < len(line) <= LONGEST_FAULT


def test_a_full_answer_is_read_quickly() -> None:
    properties = "".join(f"<p:Property{n}>value {n}</p:Property{n}>" for n in range(39))
    reply = first(*[typed("Msvm_ComputerSystem", properties)] * 225)
    started = time.process_time()
    assert len(envelope.page(reply, ID).instances) == 225
    assert time.process_time() - started < 1.0  # about 15 ms; only a change of its order is an error
