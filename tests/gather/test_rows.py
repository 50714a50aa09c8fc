"""A refused query is not yet WQL refused, and what nobody asked for is not kept."""

from __future__ import annotations

import re

import pytest

from compliance.errors import ReadError, Why
from compliance.gather.rows import RowReader
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from tests.wsman.samples import fault, first, fragment, typed, wmi_error, wsman_fault
from tests.wsman.test_conversation import Host, Reply

ONE, TWO, THREE = (Query(f"Msvm_Class{number}", ("Name", "Value"), bulky=("Value",)) for number in range(1, 4))
MIXED = f"<p:Name>a</p:Name>{'<p:Other>x</p:Other>' * 50}<p:Value>1</p:Value>"


def whole(asked: str) -> bytes:
    return first(typed("Msvm_Class", MIXED), relates_to=asked)


def projected(asked: str) -> bytes:
    return first(fragment("<Name>a</Name><Value>1</Value><Other>x</Other>"), relates_to=asked)


def refuses(subcode: str, code: int) -> Reply:
    return lambda asked: fault(subcode, wsman_fault(str(code)), relates_to=asked)


INVALID_QUERY = refuses("n:CannotProcessFilter", 2150858778)
"""The same for an unknown property, an unknown class, and a host that refuses WQL (WinRb's recordings)."""
NO_DIALECT = refuses("n:FilterDialectRequestedUnavailable", 2150858777)


class Server:
    """Says what it is told to say, and keeps how it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self._host = Host(*replies)
        self.asked: list[str] = []
        self.rows = RowReader(self._send, 60.0)

    def _send(self, message: bytes) -> bytes:
        text = message.decode()
        query = re.search(r"SELECT ([^<]*) FROM", text)
        self.asked.append(f"WQL {query[1]}" if query else "whole")
        return self._host(message)


KEPT = [{"Name": "a", "Value": "1"}]
WQL = "WQL Name, Value"


def test_a_query_that_is_refused_says_nothing_of_the_next_class() -> None:
    server = Server(INVALID_QUERY, whole, projected, INVALID_QUERY, whole)
    assert [list(server.rows.read_rows(query)) for query in (ONE, TWO, THREE)] == [KEPT] * 3
    assert server.asked == [WQL, "whole", WQL, WQL, "whole"]
    assert [*server.rows.notes()] == [
        "refused the query of Msvm_Class1, which was enumerated whole",
        "refused the query of Msvm_Class3, which was enumerated whole",
    ]


@pytest.mark.parametrize(
    ("replies", "asked"),
    [
        ((INVALID_QUERY, whole, INVALID_QUERY, whole, whole), [WQL, "whole", WQL, "whole", "whole"]),
        ((NO_DIALECT, whole, whole, whole), [WQL, "whole", "whole", "whole"]),
    ],
)
def test_wql_that_is_refused_is_not_tried_for_ever(replies: tuple[Reply, ...], asked: list[str]) -> None:
    server = Server(*replies)
    assert [list(server.rows.read_rows(query)) for query in (ONE, TWO, THREE)] == [KEPT] * 3
    assert server.asked == asked
    assert [*server.rows.notes()] == [queries.REFUSES_WQL]


def test_what_a_namespace_refuses_says_nothing_of_another() -> None:
    server = Server(NO_DIALECT, whole, projected)
    server.rows.read_rows(ONE)
    server.rows.read_rows(queries.CLOCK)
    assert server.asked == [WQL, "whole", "WQL Version, LocalDateTime"]


def test_what_is_too_large_is_left_out() -> None:
    server = Server(refuses("w:EncodingLimit", 2150858824), projected)
    assert list(server.rows.read_rows(ONE)) == [{"Name": "a"}]
    assert (server.asked, server.rows.too_large) == ([WQL, "WQL Name"], ["Msvm_Class1.Value"])


@pytest.mark.parametrize("code", [2150858752, 0x8004100E])
def test_a_class_that_is_not_there_is_absent_by_the_plain_enumerations_word(code: int) -> None:
    absent = refuses("a:DestinationUnreachable", code)
    server = Server(INVALID_QUERY, absent)
    with pytest.raises(ReadError) as caught:
        server.rows.read_rows(ONE)
    assert caught.value.why is Why.ABSENT
    assert [*server.rows.notes()] == []


def test_no_cluster_costs_one_message() -> None:
    absent: Reply = lambda asked: fault("n:CannotProcessFilter", wmi_error(0x8004100E, 3), relates_to=asked)  # noqa: E731
    server = Server(absent)
    with pytest.raises(ReadError):
        server.rows.read_rows(queries.NODE_OF)
    assert len(server.asked) == 1
