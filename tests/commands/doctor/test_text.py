"""What people and programs are told, whatever a host put into it."""

from __future__ import annotations

import json

from compliance.commands.doctor.document import document
from compliance.commands.doctor.examination import STEPS, ClassRead, Examination, Grant, GrantBasis, Status, Step
from compliance.commands.doctor.text import LONGEST, examination_lines, summary
from compliance.errors import Why
from compliance.model import Unread
from compliance.snapshot.snapshot import ServerRecord

EVIL = "\x1b[31m\u202e\u2028\x07evil\x00"


def examination(*steps: Step, name: str = "hv01", **changes: object) -> Examination:
    taken = {step.key: step for step in steps}
    values: dict[str, object] = {
        "name": name,
        "endpoint": f"{name}:5986",
        "way": "https, ntlm as audit",
        "steps": tuple(taken.get(key, Step(key=key, status=Status.OK, text="fine")) for key in STEPS),
        "source": ServerRecord(name=name, reading=Unread("not read")),
        **changes,
    }
    return Examination(**values)  # type: ignore[arg-type]


def everywhere_evil() -> Examination:
    unread = Unread(f"reason {EVIL}", Why.BROKEN)
    return examination(
        Step(key="tls", status=Status.FAILED, text=EVIL * 500, details=(EVIL,), facts={"subject": EVIL}),
        name=f"hv{EVIL}",
        classes=(ClassRead(name="C", namespace="n", rows=0, seconds=0, messages=1, octets=2, unread=unread),),
        grants=(Grant(key="k", missing=EVIL, why=EVIL, commands=(f"net {EVIL}",), basis=GrantBasis.INFERRED),),
    )


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    text = "\n".join((*examination_lines(everywhere_evil(), 100), summary([everywhere_evil()])))
    assert text.replace("\n", "").isprintable()
    assert "\\u001b[31m\\u202e" in text
    assert len(text) < LONGEST * 10


def test_programs_get_ascii_and_the_text_itself() -> None:
    text = document([everywhere_evil()], tool="t", time="now", inventories=[None], next_steps=[""])
    assert text.isascii()
    assert json.loads(text)["servers"][0]["grants"][0]["missing"] == EVIL


def test_the_last_line() -> None:
    good, ill = examination(), examination(Step(key="login", status=Status.FAILED, text="no"), name="hv02")
    untried = examination(Step(key="login", status=Status.NOT_TRIED, text="may lock"), name="hv03")
    assert summary([good]) == "1 server can be audited."
    assert summary([good, good]) == "2 servers can be audited."
    assert summary([good, ill, untried]) == "1 of 3 servers can be audited; not: hv02 (login), hv03 (login)."


def test_a_warning_is_no_failure() -> None:
    assert examination(Step(key="clock", status=Status.WARNING, text="late")).works


def test_classes_that_fail_alike_are_told_once() -> None:
    unread = Unread("refused", Why.NOT_PERMITTED)
    classes = tuple(
        ClassRead(name=name, namespace="n", rows=0, seconds=0, messages=1, octets=2, unread=unread) for name in "ABCDE"
    )
    lines = [line.strip() for line in examination_lines(examination(classes=classes), 100)]
    assert lines.count("A and 4 more: refused") == 1
    assert not any(line.startswith("B:") for line in lines)
