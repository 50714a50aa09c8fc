"""Classes that only add a finding or a word: refused, silent or in another form than we inferred, they say nothing.

Switches, security settings, test replicas, the server's own addresses. Which of them do not answer as we inferred, the
assumptions tell (assumptions/additions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_interface

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.rows import A_GUID, MOST_LETTERS, Rows, array, by_machine, cut, number, or_none, remembered
from compliance.model import Row, Unread

CLASSES = (queries.SWITCHES, queries.SECURITY, queries.TEST_REPLICAS, queries.HOST_ADDRESSES)


class Additions:
    """What these classes say of one server, whose machines' own rows are ``machines``."""

    def __init__(self, answers: Mapping[str, Rows | Unread], machines: Mapping[str, Row]) -> None:
        self._answers = answers
        self._machines = machines

    def _of(self, class_name: str) -> Rows:
        return or_none(self._answers[class_name])

    @cached_property
    def switches(self) -> Mapping[str, str] | None:
        """The names of the server's switches by their GUIDs; None where they were not asked for."""
        answer = self._answers[queries.SWITCHES]
        if isinstance(answer, Unread) and answer.why is Why.NOT_ASKED:
            return None
        return {
            guid.upper(): cut(name) if isinstance(name := row.get("ElementName"), str) else ""
            for row in or_none(answer)
            if isinstance(guid := row.get("Name"), str) and A_GUID.fullmatch(guid)
        }

    @cached_property
    def has_all_switches(self) -> bool:
        """Has every row of a switch the form that we know? Only then is a switch that none of them is not there."""
        names = [row.get("Name") for row in self._of(queries.SWITCHES)]
        return bool(names) and all(isinstance(name, str) and A_GUID.fullmatch(name) for name in names)

    @cached_property
    def shielded(self) -> frozenset[str]:
        """The machines for which shielding was requested."""
        return frozenset(
            guid
            for guid, rows in by_machine(self._of(queries.SECURITY)).items()
            if any(str(row.get("ShieldingRequested")).casefold() == "true" for _, row in rows)
        )

    @cached_property
    def replica_of_test(self) -> Mapping[str, str]:
        """The replica of each test replica, by their GUIDs. Which of a row's two references is which, the machines' own
        roles say."""
        pairs = [
            [self._machine_of(row.get(name)) for name in ("Antecedent", "Dependent")]
            for row in self._of(queries.TEST_REPLICAS)
        ]
        return {
            test: replica
            for pair in pairs
            for test, replica in (pair, pair[::-1])
            if test and replica and self._mode(test) == 3 and self._mode(replica) in (2, 4)
        }

    def _machine_of(self, reference: object) -> str:
        guids = [guid.upper() for guid in A_GUID.findall(reference)] if isinstance(reference, str) else []
        return next((guid for guid in guids if guid in self._machines), "")

    def _mode(self, guid: str) -> int | Unread | None:
        return number(self._machines[guid], "ReplicationMode")

    @cached_property
    def networks(self) -> tuple[str, ...] | Unread:
        """The server's own addresses with their subnets, as far as they are ones."""
        answer = self._answers[queries.HOST_ADDRESSES]
        if isinstance(answer, Unread):
            return answer
        pairs = (pair for row in answer for pair in zip(array(row, "IPAddress"), array(row, "IPSubnet"), strict=False))
        return tuple(dict.fromkeys(network for pair in pairs if (network := interface(*pair))))


def interface(address: str, subnet: str) -> str:
    """Return an address with its mask, or the length of its prefix, as ``10.2.0.5/24``; nothing where it is none."""
    return _interface(f"{address}/{subnet}")


@remembered(MOST_LETTERS)
def _interface(text: str) -> str:
    try:
        return str(ip_interface(text))
    except ValueError:
        return ""
