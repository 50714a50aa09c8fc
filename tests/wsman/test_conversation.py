"""Conversations with canned replies: what is asked, in which order, and when it ends."""

from __future__ import annotations

import re
import textwrap
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import LinkError, LostError, ReadError, Why
from compliance.wsman import conversation
from compliance.wsman.conversation import Allowance, class_uri, enumerate_instances, get, hold, identify, wildcard_uri
from compliance.wsman.fault import Fault
from tests.profiles import examples
from tests.wsman.samples import IDENTIFY_RESPONSE, envelope, fault, first, fragment, machine, pulled, typed, wsman_fault

RESOURCE = class_uri("root/virtualization/v2", "Msvm_ComputerSystem")
Reply = Callable[[str], bytes] | ReadError


class Host:
    """Gives its replies in order, each with the id of the question; keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[str] = []

    def __call__(self, message: bytes) -> bytes:
        text = message.decode()
        action = re.search(r">[^<]*/(\w+)</a:Action>", text)
        context = re.search(r"<n:EnumerationContext>([^<]*)<", text)
        self.asked.append(" ".join(found[1] for found in (action, context) if found) or "Identify")
        reply = self._replies.pop(0)
        if isinstance(reply, ReadError):
            raise reply
        message_id = re.search(r"<a:MessageID>([^<]*)<", text)
        return reply(message_id[1] if message_id else "")


def begins(*names: str, context: str = "") -> Reply:
    return lambda asked: first(*map(machine, names), context=context, relates_to=asked)


def goes_on(*names: str, context: str = "") -> Reply:
    return lambda asked: pulled(*map(machine, names), context=context, relates_to=asked)


def refuses(code: int) -> Reply:
    return lambda asked: fault("w:X", wsman_fault(str(code)), relates_to=asked)


def says(reply: bytes) -> Reply:
    return lambda _asked: reply


def read(host: Host, query: str | None = None) -> list[str]:
    listing = hold(enumerate_instances(RESOURCE, query), host)
    return [str(row["Name"]) for row in listing.instances]


def test_one_answer_is_enough() -> None:
    host = Host(begins("a"))
    assert (read(host), host.asked) == (["a"], ["Enumerate"])


def test_the_newest_context_is_asked_with() -> None:
    host = Host(begins("a", context="1"), goes_on("b", "c", context="2"), goes_on(context="3"), goes_on("d"))
    assert read(host) == ["a", "b", "c", "d"]
    assert host.asked == ["Enumerate", "Pull 1", "Pull 2", "Pull 3"]


def test_a_query_is_sent() -> None:
    sent: list[bytes] = []

    def send(message: bytes) -> bytes:
        sent.append(message)
        return host(message)

    host = Host(begins())
    hold(enumerate_instances(wildcard_uri("root/cimv2"), "SELECT Name FROM Win32_Service"), send)
    assert b"/root/cimv2/*</w:ResourceURI>" in sent[0]
    assert b">SELECT Name FROM Win32_Service</w:Filter>" in sent[0]


@pytest.mark.parametrize("code", [2150858779, 2150858759, 2150858884])
def test_a_forgotten_enumeration_is_begun_again_once(code: int) -> None:
    host = Host(begins("a", context="1"), refuses(code), begins("a", context="2"), goes_on("b"))
    assert read(host) == ["a", "b"]
    assert host.asked == ["Enumerate", "Pull 1", "Enumerate", "Pull 2"]
    twice = Host(begins("a", context="1"), refuses(code), begins("a", context="2"), refuses(code))
    with pytest.raises(Fault):
        read(twice)
    assert twice.asked == ["Enumerate", "Pull 1", "Enumerate", "Pull 2"]


def lost_context(relates_to: str | None = None) -> Reply:
    """As for a class that is not there."""
    return lambda asked: fault("a:DestinationUnreachable", "", relates_to=relates_to and asked)


@pytest.mark.parametrize("loses", [lost_context(), lost_context("ours"), refuses(2150858752), refuses(0x80041010)])
def test_a_context_that_was_lost_is_no_class_that_is_not_there(loses: Reply) -> None:
    host = Host(begins("a", context="1"), loses, begins("a", context="2"), goes_on("b"))
    assert read(host) == ["a", "b"]
    assert host.asked == ["Enumerate", "Pull 1", "Enumerate", "Pull 2"]
    twice = Host(begins("a", context="1"), loses, begins("a", context="2"), goes_on(context="3"), loses)
    with pytest.raises(ReadError, match="lost the enumeration half-way") as caught:
        read(twice)
    assert caught.value.why is Why.BROKEN
    never = Host(loses)
    with pytest.raises(Fault) as caught:
        read(never)
    assert (caught.value.why, never.asked) == (Why.ABSENT, ["Enumerate"])


# --- floods -----------------------------------------------------------------------------------------------------------


def wide(asked: str, context: str = "1", *, name: str = "Other", cells: int = 1_000) -> bytes:
    properties = "<p:Name>a</p:Name>" + f"<p:{name}>x</p:{name}>" * cells
    return first(typed("Msvm_ComputerSystem", properties), context=context, relates_to=asked)


def test_only_what_was_asked_for_is_kept() -> None:
    host = Host(lambda asked: wide(asked, ""))
    listing = hold(enumerate_instances(RESOURCE, properties=frozenset({"Name", "Missing"})), host)
    assert listing.instances == [{"Name": "a"}]


@pytest.mark.slow
def test_a_flood_of_what_nobody_asked_for_leaves_no_memory_behind() -> None:
    """Twelve answers of 1 MB each: kept whole they cost 13 MB and more, and what was asked for some kilobytes."""
    flood = wide("", context="1", cells=8_000).replace(b">x<", f">{'y' * 100}<".encode())
    pages: list[Reply] = [
        lambda asked: flood.replace(b"RelatesTo><", f"RelatesTo>{asked}<".encode()) for _ in range(12)
    ]
    memory = {}
    for wanted in (frozenset({"Name"}), None):
        tracemalloc.start()
        listing = hold(enumerate_instances(RESOURCE, properties=wanted), Host(*pages, begins("b")))
        memory[wanted is None] = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(listing.instances) == 13
    assert memory[False] < 100_000
    assert memory[True] > 10_000_000


@pytest.mark.parametrize(
    ("allowance", "name", "most"),
    [
        (Allowance(octets=100_000), "Other", 4),  # an answer has some 24,000 octets
        (Allowance(cells=10_000), "Name", 9),  # and 1,001 values
    ],
)
def test_a_host_has_an_allowance_for_all_its_classes(allowance: Allowance, name: str, most: int) -> None:
    read_in_all = 0
    for _ in range(most):
        host = Host(lambda asked: wide(asked, "", name=name))
        listing = hold(enumerate_instances(RESOURCE, properties=frozenset({"Name"}), allowance=allowance), host)
        read_in_all += listing.pages
    with pytest.raises(LinkError, match="no host has so many") as caught:
        hold(enumerate_instances(RESOURCE, allowance=allowance), Host(lambda asked: wide(asked, "", name=name)))
    assert (caught.value.why, read_in_all) == (Why.TOO_LARGE, most)


def test_the_largest_honest_host_is_far_below_the_caps() -> None:
    """1,024 machines, four adapters and twenty checkpoints each: 86,016 rows of failover settings are the most."""
    row = fragment(
        f"<InstanceID>Microsoft:{'0' * 36}\\{'0' * 36}</InstanceID><DHCPEnabled>false</DHCPEnabled>"
        "<ProtocolIFType>4096</ProtocolIFType><IPAddresses>192.168.100.100</IPAddresses>"
        "<Subnets>255.255.255.0</Subnets><DefaultGateways>192.168.100.1</DefaultGateways>"
        "<DNSServers>192.168.100.2</DNSServers><DNSServers>192.168.100.3</DNSServers>"
    )
    rows = 1_024 * 4 * 21
    page = first(*[row] * 100, context="")
    listing = hold(enumerate_instances(RESOURCE), Host(lambda asked: first(*[row] * 100, relates_to=asked)))
    cells = sum(len(value) if isinstance(value, list) else 1 for row in listing.instances for value in row.values())
    assert rows * len(page) / 100 < conversation.MAX_OCTETS_OF_A_HOST / 2
    assert rows * cells / 100 < conversation.MAX_CELLS_OF_A_HOST / 3
    assert rows < conversation.MAX_INSTANCES / 2


RELEASES: dict[str, tuple[Reply, Why]] = {
    "answer that is no XML": (says(b"<s:Envelope"), Why.BROKEN),
    "timed out": (refuses(2150858780), Why.TIMED_OUT),
    "refused while asking": (ReadError("too large", why=Why.TOO_LARGE), Why.TOO_LARGE),
}


@pytest.mark.parametrize(("reply", "why"), RELEASES.values(), ids=RELEASES.keys())
@pytest.mark.parametrize("last", [says(b""), refuses(5), LinkError("gone", why=Why.UNREACHABLE)])
def test_an_enumeration_left_early_is_released(reply: Reply, why: Why, last: Reply) -> None:
    host = Host(begins("a", context="1"), reply, last)
    with pytest.raises(ReadError) as caught:
        read(host)
    assert caught.value.why is why
    assert host.asked == ["Enumerate", "Pull 1", "Release 1"]


def test_a_connection_that_was_lost_while_releasing_is_told() -> None:
    """Or the next question would go over it, and the whole server be unread for it."""
    host = Host(begins("a", context="1"), refuses(2150858780), LostError("gone", why=Why.UNREACHABLE))
    with pytest.raises(LostError, match="gone"):
        read(host)


def test_nothing_is_sent_over_a_broken_link() -> None:
    host = Host(begins("a", context="1"), LinkError("gone", why=Why.UNREACHABLE))
    with pytest.raises(LinkError, match="gone"):
        read(host)
    assert host.asked == ["Enumerate", "Pull 1"]
    shifted = Host(begins("a", context="1"), says(pulled(relates_to="uuid:other")))
    with pytest.raises(LinkError):
        read(shifted)
    assert shifted.asked == ["Enumerate", "Pull 1"]


def test_answers_without_instances_come_to_an_end() -> None:
    host = Host(*[begins(context="1"), *[goes_on(context="1")] * conversation.MAX_EMPTY, says(b"")])
    with pytest.raises(ReadError, match="no end") as caught:
        read(host)
    assert caught.value.why is Why.BROKEN
    assert host.asked[-1] == "Release 1"


def test_one_instance_an_answer_comes_to_an_end() -> None:
    host = Host(*[begins("a", context="1"), *[goes_on("a", context="1")] * conversation.MAX_PAGES])
    with pytest.raises(ReadError, match="no end") as caught:
        read(host)
    assert caught.value.why is Why.TOO_LARGE
    assert host.asked[-1] == "Release 1"


def test_the_same_context_again_is_no_error() -> None:
    host = Host(begins("a", context="7"), goes_on("b", context="7"), goes_on("c"))
    assert read(host) == ["a", "b", "c"]


def test_repaired_text_is_told() -> None:
    listing = hold(enumerate_instances(RESOURCE), Host(begins("a\x01", context="1"), goes_on("b")))
    assert (listing.repaired, listing.pages, listing.instances[0]) == (True, 2, {"Name": "a\ufffd"})


def test_get_and_identify() -> None:
    host = Host(lambda asked: envelope(machine("a"), asked), says(IDENTIFY_RESPONSE.format(version="0.0.0").encode()))
    assert hold(get(RESOURCE, {"Name": "a"}), host) == {"Name": "a"}
    assert hold(identify(), host).version is None
    assert host.asked == ["Get", "Identify"]


def test_resource_uris() -> None:
    wmi = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
    assert class_uri(r"root\virtualization\v2", "Msvm_X") == f"{wmi}/root/virtualization/v2/Msvm_X"
    assert wildcard_uri("/root/cimv2/") == f"{wmi}/root/cimv2/*"


def test_other_errors_of_a_transport_are_not_swallowed() -> None:
    def stops(_message: bytes) -> bytes:
        raise StopIteration

    with pytest.raises(StopIteration):
        hold(identify(), stops)


# --- the protocol as the module teaches it ---


def test_the_example_in_the_docstring_is_a_conversation() -> None:
    lines = (conversation.__doc__ or "").split("::\n\n")[1].partition("\n\nWhoever")[0]
    taught: dict[str, object] = {}
    exec(textwrap.dedent(lines), vars(conversation) | taught, taught)  # noqa: S102  # our own text
    count_rows = cast(Callable[[str], conversation.Conversation[int]], taught["count_rows"])
    host = Host(begins("a", context="1"), goes_on("b", "c", context="2"), goes_on("d"))
    assert hold(count_rows(RESOURCE), host) == 4
    assert host.asked == ["Enumerate", "Pull 1", "Pull 2"]


# --- a host that answers whatever it likes ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """One answer: what comes, and what it means to who enumerates."""

    name: str
    reply: Reply
    rows: tuple[str, ...] = ()
    goes_on: bool = False
    ends: bool = False
    restarts: bool = False
    cuts: bool = False

    def __repr__(self) -> str:
        return f"{self.name} {len(self.rows)}"


def good(names: tuple[str, ...], context: str, reply: Callable[..., Reply]) -> Move:
    return Move(f"good {context or 'end'}", reply(*names, context=context), names, bool(context), not context)


def shifted(names: list[str]) -> Move:
    return Move("of another message", says(pulled(*map(machine, names), relates_to="uuid:other")), cuts=True)


def endless_page(asked: str) -> bytes:
    return pulled(machine("lost"), relates_to=asked).replace(b"<n:EndOfSequence/>", b"")


names = st.lists(st.text("ab", min_size=1, max_size=2), max_size=3)
pages = st.builds(
    good, names.map(tuple), st.sampled_from(["uuid:1", "uuid:2", "7", ""]), st.sampled_from([begins, goes_on])
)
codes = st.sampled_from([2150858779, 2150858884, 2150858793, 5, 0, 2150858824])
faults = codes.map(lambda code: Move(f"fault {code}", refuses(code), restarts=code in (2150858779, 2150858884)))
noise = st.binary(max_size=30) | st.sampled_from([b"", b"<s:Envelope", pulled()[:-40], b"<!DOCTYPE html><html/>"])
nonsense = noise.map(lambda reply: Move("garbage", says(reply)))
broken = st.sampled_from(
    [
        Move("cut", ReadError("cut", why=Why.TOO_LARGE)),
        Move("gone", LinkError("gone", why=Why.UNREACHABLE), cuts=True),
        Move("without an end", endless_page),
        Move("an answer to something else", lambda asked: envelope("<n:ReleaseResponse/>", asked)),
        Move("two answers", lambda asked: envelope("<n:PullResponse/><n:PullResponse/>", asked)),
    ]
)
moves = st.one_of(pages, pages, pages, faults, nonsense, names.map(shifted), broken)


class Adversary:
    """Plays its moves, the last of them for ever; keeps what it was asked, and with what it answered."""

    def __init__(self, moves: list[Move], for_ever: Move) -> None:
        self._moves = [*moves]
        self._for_ever = for_ever
        self._most = len(moves) + conversation.MAX_EMPTY * 2 + 2
        self.said: list[tuple[str, Move]] = []

    def __call__(self, message: bytes) -> bytes:
        assert len(self.said) <= self._most, "it does not come to an end"
        move = self._moves.pop(0) if self._moves else self._for_ever
        host = Host(move.reply)
        try:
            return host(message)
        finally:
            self.said.append((host.asked[0].split()[0], move))


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(moves, max_size=30), moves.filter(lambda move: not (move.goes_on and move.rows)))
def test_a_conversation_ends_and_lists_only_what_was_whole(played: list[Move], for_ever: Move) -> None:
    adversary = Adversary(played, for_ever)
    listing = None
    try:
        listing = hold(enumerate_instances(RESOURCE), adversary)
    except ReadError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other errors are what this test is about
    asked = [what for what, _ in adversary.said]
    assert asked.count("Enumerate") <= (2 if any(move.restarts for _, move in adversary.said) else 1)
    assert asked.count("Release") <= 2
    assert not any(move.cuts for _, move in adversary.said[:-1])  # nothing is sent over a broken link
    since = len(asked) - 1 - asked[::-1].index("Enumerate")
    last = [move for what, move in adversary.said[since:] if what != "Release"]
    assert all(move.goes_on for move in last[:-1])
    if listing is None:
        assert not last[-1].ends
    else:
        assert last[-1].ends
        assert [row["Name"] for row in listing.instances] == [name for move in last for name in move.rows]
        assert (listing.pages, listing.repaired) == (len(last), False)
        assert "Release" not in asked
