"""Guest connections of an inventory: those that lead to their machines, to others, and nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Unread
from compliance.rule import Outcome, Result
from compliance.rules.connections import guests_were_read
from compliance.rules.evidence.causes import Cause
from compliance.snapshot.snapshot import GuestRecord
from tests.builders import snapshot, source, unread_source
from tests.guests.replies import guest, sections
from tests.hosts import Host, Vm, replica_of

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
SQL = Vm(name="sql01")
WAY = "ssh://audit@sql01.dr.example"


def of_connections(*guests: GuestRecord, blind: bool = False) -> Outcome:
    sources = [source(Host(vms=[SQL])), *([unread_source("hv09")] if blind else [])]
    (verdict,) = judge(translate(replace(snapshot(*sources), guests=guests)), [guests_were_read])
    return verdict.outcome


def test_connections_that_lead_to_their_guests() -> None:
    outcome = of_connections(guest("sql01", seen=sections(SQL)))
    assert (outcome.result, outcome.finding) == (
        PASSED,
        "1 guest connection (`guests:`) leads to its machine",
    )


def test_connections_that_do_not() -> None:
    good = guest("sql01", seen=sections(SQL), way="ssh://good")
    stray = guest("web9*", "db01", seen=sections(SQL), way="ssh://stray")
    dead = guest("sql01", seen=Unread("ssh://dead: it does not answer", Why.TIMED_OUT), way="ssh://dead")
    wrong = guest("sql01", seen=sections(Vm(name="another")), way="ssh://wrong")
    outcome = of_connections(good, stray, dead, wrong)
    assert outcome.result is FAILED
    assert outcome.finding == "3 of 4 guest connections (`guests:`) lead to no machine that they are for"
    assert outcome.remarks == (
        "ssh://stray: no machine of the estate is called web9* or db01",
        "ssh://dead: it does not answer",
        "ssh://wrong: what answers there is not known to be the guest of hv01/sql01",
    )
    assert of_connections(good, dead, wrong).result is UNKNOWN
    assert of_connections(good, stray, blind=True).result is UNKNOWN


# connections, the machine on the server that was read, whether another one was not read -> outcome
REPLICA = replace(replica_of(SQL), power=3, uptime=0)
GOOD = guest("sql01", seen=sections(SQL), way="ssh://good")
THERE = guest("web01", seen=Unread("ssh://there: it does not answer"), way="ssh://there")
BY_NAME = guest("hv02/web01", seen=sections(SQL), way="ssh://there")
MISSPELLED = guest("hv01/web01", seen=sections(SQL), way="ssh://there")
NOT_ASKED_FOR = "not asked for, since --hv-limit left out the server on which the guest would run: ssh://there"
LIMITED: dict[str, tuple[tuple[GuestRecord, ...], Vm, bool, Result, tuple[str, ...]]] = {
    "both read": ((GOOD,), SQL, False, PASSED, ()),
    "one on a server that was left out": ((GOOD, THERE), SQL, False, PASSED, (NOT_ASKED_FOR,)),
    "the same, named by its server": ((GOOD, BY_NAME), SQL, False, PASSED, (NOT_ASKED_FOR,)),
    "none on a server that was read": ((THERE,), SQL, False, NOT_APPLICABLE, (NOT_ASKED_FOR,)),
    "its replica is here": ((replace(GOOD, name="ssh://there"),), REPLICA, False, NOT_APPLICABLE, (NOT_ASKED_FOR,)),
    "it is off, here and alone": (
        (GOOD,),
        Vm(name="sql01", power=3, uptime=0, hosts=()),
        False,
        UNKNOWN,
        ("ssh://good: what answers there is not known to be the guest of hv01/sql01",),
    ),
    "a server that was read has no such machine": (
        (GOOD, MISSPELLED),
        SQL,
        False,
        FAILED,
        ("ssh://there: no machine of the estate is called hv01/web01",),
    ),
    "a server that was not read may have it": (
        (GOOD, THERE),
        SQL,
        True,
        UNKNOWN,
        ("ssh://there: no machine of the estate is called web01",),
    ),
}


@pytest.mark.parametrize("case", LIMITED)
def test_a_connection_whose_server_a_limit_left_out_was_not_asked_for(case: str) -> None:
    guests, vm, blind, result, remarks = LIMITED[case]
    sources = [source(Host(name="HV01", vms=[vm])), *([unread_source("hv09")] if blind else [])]
    taken = replace(snapshot(*sources), guests=guests, limit="hv01", left_out=("hv02", "HV02.dr.example"))
    (verdict,) = judge(translate(taken), [guests_were_read])
    assert (verdict.outcome.result, verdict.outcome.remarks) == (result, remarks)


def test_insecure_choices_are_told() -> None:
    seen = replace(guest("sql01", seen=sections(SQL)), insecure="its host key was not checked (`verify: false`)")
    assert of_connections(seen).remarks == (f"{WAY}: its host key was not checked (`verify: false`)",)


def test_many_connections_that_lead_nowhere_fit_into_a_report() -> None:
    outcome = of_connections(*(guest("none", seen=sections(SQL), way=f"ssh://g{number}") for number in range(70)))
    assert len(outcome.remarks) == 51
    assert outcome.remarks[-1] == "and 20 connections more"


def test_a_connection_that_matches_no_machine_is_a_finding_of_its_own() -> None:
    one = of_connections(guest("none", seen=sections(SQL), way="ssh://a"))
    assert one.cause == Cause.CONNECTIONS_LOST
    assert one.finding == "1 of 1 guest connection (`guests:`) matches no machine"
    two = of_connections(*(guest("none", seen=sections(SQL), way=f"ssh://{name}") for name in "ab"))
    assert two.finding == "2 of 2 guest connections (`guests:`) match no machine"
    assert one.rests_on != two.rests_on
