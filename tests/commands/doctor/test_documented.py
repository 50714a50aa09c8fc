"""docs/doctor.md: what it says of the doctor is what it does."""

from __future__ import annotations

import re
from pathlib import Path

from compliance.commands.parser import parser_for
from compliance.hyperv.queries import QUERIES
from tests.commands.doctor.ward import PASSWORD, doctor, server
from tests.running import ROOT
from tests.simulator import Fault
from tests.wsman.authority import Authority

SECTION = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
LOGIN = {"COMPLIANCE_AUDIT_USERNAME": "DR\\audit", "COMPLIANCE_AUDIT_PASSWORD": PASSWORD}


def in_general(line: str) -> str:
    """Numbers differ from run to run, and with them the room that they take."""
    return " ".join(re.sub(r"\d[\d.,:]*", "#", line).split())


def test_its_example_is_what_an_account_without_rights_gets(authority: Authority, inventory: Path) -> None:
    nothing = dict.fromkeys((query.class_name for query in QUERIES), Fault.EMPTY)
    with server(authority, faults=nothing, users={"DR\\audit": PASSWORD}) as simulator:
        inventory.write_text(
            f"defaults: {{credential: audit, ca: {authority.file}}}\n"
            f"servers: [{{name: hv01, address: 127.0.0.1, port: {simulator.port}}}]\n"
        )
        told = doctor("--inventory", inventory, environ=LOGIN)
    (example,) = re.findall(r"```text\n(.*?)```", SECTION, re.DOTALL)
    real = iter(map(in_general, told.out.splitlines()))
    for line in example.splitlines():
        assert line == "…" or in_general(line) in real, line  # in this order: an iterator remembers where it is


def test_every_option_is_documented_and_exists() -> None:
    # argparse keeps them here; its help text breaks lines within names.
    parser = parser_for(["doctor"])
    below = parser._subparsers._group_actions[0].choices["doctor"]  # type: ignore[union-attr,index]
    options = {name for action in below._actions for name in action.option_strings if name.startswith("--")}
    assert options - {"--help"} == set(re.findall(r"`(--[a-z-]+)[` ]", SECTION.split("| option |")[1]))


def test_its_commands_are_understood() -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    for line in block.replace("'", "").splitlines():
        words = line.removeprefix("hyperv-compliance ").split()
        assert parser_for(words).parse_args(words).command
