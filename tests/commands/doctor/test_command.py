"""The command: its options, its exit codes, what it prints for people and for programs, what it records."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.commands.doctor.one_server import inventory_from, inventory_text
from compliance.commands.parser import parser_for
from compliance.errors import UsageError
from compliance.inventory.entries import Entry
from compliance.inventory.own_file import read_inventory
from compliance.judge.scope import Scope
from compliance.snapshot.read import read_snapshot
from tests.commands.doctor.ward import HOST, NAMED, PASSWORD, WAYS, doctor, played, server, to
from tests.hosts import Host, Vm
from tests.portable import posix
from tests.running import ROOT, RunCommand, RunPytest
from tests.simulator import Fault, Simulator
from tests.wsman.authority import Authority
from tests.wsman.listener import listening

AS_A_COMMAND = "import runpy; runpy.run_module('compliance', run_name='__main__')"


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "nobody named": ((), "name one server (HOST), or a file"),
    "both named": (("hv01", "--inventory", "x.yaml"), "name one server (HOST), or a file"),
    "no such file": (("--inventory", "none.yaml"), "none.yaml: is not there: name another file"),
    "an option of HOST": (("--inventory", "x.yaml", "--user", "me"), "--user is for HOST"),
    "a choice without a file": (("hv01", "--server", "hv*"), "--server chooses from an inventory"),
    "no user": (("hv01",), "--transport ntlm needs --user"),
    "no password": (("hv01", "--user", "me"), "COMPLIANCE_DOCTOR_PASSWORD"),
    "two ports": (("hv01:5985", "--port", "5986", "--user", "me"), "names another port"),
    "no port": (("hv01", "--port", "99999", "--user", "me"), "--port: expected at most 65535, got `99999`"),
    "no host": (("https://hv01/", "--user", "me"), "HOST: expected a name or an IP address"),
    "basic in clear": (
        ("hv01", "--user", "me", "--scheme", "http", "--transport", "basic"),
        "the password is readable",
    ),
    "no such CA": (("hv01", "--user", "me", "--ca", "none.pem"), "--ca: no such file: `none.pem`"),
    "a keytab for ntlm": (
        ("hv01", "--user", "me", "--keytab", "x.yaml"),
        "--keytab: transport `ntlm` has no use for it",
    ),
}


@pytest.mark.parametrize(("arguments", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_before_anything_is_sent(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text("servers: [{name: hv01, credential: audit}]\n")
    with pytest.raises(UsageError) as error:
        doctor(*arguments, environ={})
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_an_inventory_of_ansibles_brings_its_logins(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    with Simulator(
        played(Host(name="HV01", vms=[Vm(name="sql01")])), auth="ntlm", users={"audit": "canary"}
    ) as simulator:
        login = "ansible_connection=winrm ansible_winrm_transport=ntlm ansible_user=audit ansible_password=canary"
        authority = Path(simulator.ca).as_posix()  # a backslash means something in an INI file of Ansible's
        place = f"ansible_host=127.0.0.1 ansible_port={simulator.port} ansible_winrm_ca_trust_path={authority}"
        path.write_text(f"hv01 {login} {place}\n")
        done = doctor("--inventory", path, environ={})
    assert "canary" not in done.out
    assert simulator.principals_seen


def test_a_credential_that_is_not_there_is_a_mistake(inventory: Path) -> None:
    inventory.write_text("servers: [{name: hv01, credential: audit}, {name: hv02, credential: other}]\n")
    with pytest.raises(UsageError, match="COMPLIANCE_OTHER_USERNAME"):
        doctor("--inventory", inventory, environ=NAMED)
    with pytest.raises(UsageError, match="no server is called so; there are hv01, hv02"):
        doctor("--inventory", inventory, "--server", "hv*", "--server", "fra-*", environ=NAMED)


def test_an_inventory_of_a_snapshot_has_no_server_to_examine() -> None:
    with pytest.raises(UsageError, match="names a snapshot"):
        doctor("--inventory", ROOT / "inventories" / "demo.yaml")


def test_a_record_that_can_not_be_written_is_known_before(authority: Authority, tmp_path: Path) -> None:
    with server(authority) as simulator:
        with pytest.raises(UsageError, match="can't be written"):
            doctor(*to(simulator, authority, "--record", tmp_path))
        assert simulator.requests_seen == []


def test_the_password_is_asked_for_on_a_terminal(authority: Authority) -> None:
    asked: list[str] = []

    def answers(prompt: str) -> str:
        asked.append(prompt)
        return PASSWORD

    with server(authority) as simulator:
        assert doctor(*to(simulator, authority), environ={}, ask=answers).code == 0
    assert asked == ["Password of audit: "]

    def leaves(_prompt: str) -> str:
        raise EOFError

    with pytest.raises(UsageError, match="COMPLIANCE_DOCTOR_PASSWORD"):
        doctor("hv01", "--user", "me", environ={}, ask=leaves)


MISTAKES: list[tuple[list[str], str]] = [
    ([], "`hyperv-compliance init` asks for servers and writes one"),
    (["hv01", "--inventory", "x.yaml"], "`hyperv-compliance init` asks for servers and writes one"),
    (["--inventory", "none.yaml"], "name another file, or write one by `hyperv-compliance init`"),
    (["--inventory", "site.yaml", "--user", "a"], "an inventory says it itself"),
    (["--inventory", "site.yaml", "--server", "hv09"], "there are hv01"),
    (
        ["--inventory", "site.yaml"],
        "COMPLIANCE_AUDIT_PASSWORD are missing or empty, so set them",
    ),
    (["--server", "hv01", "hv01"], "give --inventory FILE"),
    (["hv01"], r'give --user "DOMAIN\name"'),
    (["hv01", "--user", "a"], "set it, or use one"),
    (["hv01:1", "--port", "2", "--user", "a"], "keep one of the two"),
]


@pytest.mark.parametrize(("arguments", "ends"), MISTAKES)
def test_every_refusal_ends_with_the_next_thing_to_do(
    arguments: list[str], ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("site.yaml").write_text("servers: [hv01]\ndefaults: {credential: audit}\n")
    with pytest.raises(UsageError) as refusal:
        doctor(*arguments, environ={})
    assert str(refusal.value).endswith(ends)


# --- as a user starts it ----------------------------------------------------------------------------------------------


def test_exit_codes(authority: Authority, inventory: Path, command: RunCommand) -> None:
    with server(authority) as simulator:
        inventory.write_text(
            f"defaults: {{credential: audit, ca: {authority.file}}}\n"
            f"servers: [{{name: hv01, address: 127.0.0.1, port: {simulator.port}}}]\n"
        )
        good = command("doctor", "--inventory", inventory, env=NAMED)
        ill = command("doctor", "--inventory", inventory, env={**NAMED, "COMPLIANCE_AUDIT_PASSWORD": "no"})
    wrong = command("doctor", "--inventory", inventory)
    unknown = command("doctor", "--nonsense")
    assert [one.returncode for one in (good, ill, wrong, unknown)] == [0, 1, 4, 4]
    assert good.stdout.splitlines()[-1] == "1 server can be audited."
    assert ill.stdout.splitlines()[-1] == "0 of 1 server can be audited; not: hv01 (login)."
    for mistake in (wrong, unknown):
        assert re.fullmatch("ERROR: .+\n", mistake.stderr)
        assert mistake.stdout == ""
    assert good.stderr == ill.stderr == ""


@posix
def test_an_interruption_is_exit_code_2(inventory: Path) -> None:
    over, arrived = threading.Event(), threading.Event()

    def holds(_plug: object) -> None:
        arrived.set()
        over.wait(30)

    with listening(holds) as silent:
        inventory.write_text(
            f"servers: [{{name: hv01, address: 127.0.0.1, scheme: http, port: {silent.port}, credential: audit}}]\n"
        )
        # Who starts a job in the background hands down a SIGINT that is ignored; a person doesn't.
        as_a_person = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        process = subprocess.Popen(
            [sys.executable, "-c", f"{as_a_person}{AS_A_COMMAND}", "doctor", "--inventory", str(inventory)],
            cwd=ROOT,
            env={**os.environ, **NAMED},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert arrived.wait(30)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        over.set()
    assert (process.returncode, told) == (2, "interrupted\n")


def test_commands_are_listed_and_unknown_ones_are_a_mistake(command: RunCommand) -> None:
    listed, none, unknown = command("--help"), command(), command("operate")
    assert (listed.returncode, none.returncode, unknown.returncode) == (0, 0, 4)
    assert "doctor" in listed.stdout
    assert "operate" in unknown.stderr


# --- what it tells ----------------------------------------------------------------------------------------------------


def test_what_people_read(authority: Authority) -> None:
    with server(authority) as simulator:
        told = doctor(*to(simulator, authority))
    lines = told.out.splitlines()
    assert lines[0] == f"127.0.0.1 (127.0.0.1:{simulator.port}, https, ntlm as audit)"
    assert [line.split()[1] for line in lines if line.startswith("  ok ")] == [
        "name",
        "port",
        "tls",
        "listener",
        "login",
        "identify",
        "namespace",
        "classes",
        "rights",
        "clock",
        "assumptions",
        "audit",
    ]
    assert re.search(r"Msvm_ComputerSystem +3 +\d+\.\d\d +2 +[\d,]+$", told.out, re.MULTILINE)
    assert all(len(line) <= 100 for line in lines)


def test_lines_keep_to_the_width_but_for_commands(authority: Authority) -> None:
    with server(authority, faults={"*": Fault.ACCESS_CIM}) as simulator:
        lines = doctor(*to(simulator, authority), width=72).out.splitlines()
    long = [line for line in lines if len(line) > 72]
    # A table's row, a fingerprint, the name of a file and a command have no place to break.
    unbroken = re.compile(r"^ {9}\S|  [\d,]+$|[0-9A-F]{64}|octets|ca.pem")
    assert [line for line in long if not unbroken.search(line)] == []


def test_what_a_host_says_does_not_reach_the_terminal_as_it_is(authority: Authority) -> None:
    """The ward looks at every run for what is not printable."""
    evil = Host(name="HV\u202e01\u2028x", vms=[Vm(name="sql\u202e01" + "y" * 5000)])
    with server(authority, played(evil, computer="HV01")) as simulator:
        people = doctor(*to(simulator, authority))
        programs = doctor(*to(simulator, authority, "--json"))
    assert len(people.out) < 6000
    assert json.loads(programs.out)["servers"][0]["works"]


def test_several_servers_side_by_side(authority: Authority, inventory: Path) -> None:
    with server(authority) as good, server(authority, faults={"*": Fault.REFUSED}) as ill:
        inventory.write_text(
            f"defaults: {{credential: audit, ca: {authority.file}}}\n"
            "servers:\n"
            f"  - {{name: bln-hv01, address: 127.0.0.1, port: {good.port}}}\n"
            f"  - {{name: fra-hv01, address: 127.0.0.1, port: {ill.port}}}\n"
        )
        both = doctor("--inventory", inventory, environ=NAMED)
        one = doctor("--inventory", inventory, "--server", "BLN-*", environ=NAMED)
    assert (both.code, one.code) == (1, 0)
    assert both.out.splitlines()[-1] == "1 of 2 servers can be audited; not: fra-hv01 (namespace)."
    assert "fra-hv01" not in one.out
    assert "As an inventory" not in both.out  # there is one


# --- the way in, as an inventory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_printed_inventory_is_the_one_that_worked(
    way: dict[str, str], authority: Authority, tmp_path: Path
) -> None:
    with server(authority, **way) as simulator:
        told = doctor(*to(simulator, authority))
        pasted = tmp_path / "pasted.yaml"
        pasted.write_text(told.out[told.out.index("servers:") : told.out.index("1 server can")], encoding="utf-8")
        (entry,) = read_inventory(pasted).servers
        named = {"COMPLIANCE_DOCTOR_USERNAME": "audit", "COMPLIANCE_DOCTOR_PASSWORD": PASSWORD}
        again = doctor("--inventory", pasted, environ=named)
    assert again.code == 0
    assert entry == Entry(
        name="127.0.0.1",
        port=simulator.port,
        scheme=way["scheme"],  # type: ignore[arg-type]
        transport=way["auth"],  # type: ignore[arg-type]
        credential="doctor",
        ca=authority.file if way["scheme"] == "https" else None,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("hv01.dr.example",), {"name": "hv01.dr.example"}),
        (("hv01:5999",), {"name": "hv01", "port": 5999}),
        (("hv01:5986",), {"name": "hv01"}),
        (("[2001:db8::2]:443",), {"name": "2001-db8--2", "address": "2001:db8::2", "port": 443}),
        (("fe80::1%eth0",), {"name": "fe80--1-eth0", "address": "fe80::1%eth0"}),
        (("null",), {"name": "null"}),
        (("hv01", "--scheme", "http", "--no-verify"), {"name": "hv01", "scheme": "http", "verify": False}),
    ],
)
def test_how_a_server_can_be_named(arguments: tuple[str, ...], expected: dict[str, object], tmp_path: Path) -> None:
    given = ["doctor", *arguments, "--user", "me"]
    options = parser_for(given).parse_args(given)
    options.transport, options.scheme = "ntlm", options.scheme or "https"
    (entry,) = inventory_from(inventory_text(options)).servers
    assert entry == Entry(credential="doctor", **expected)  # type: ignore[arg-type]


def test_a_name_that_hides_something_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"^HOST: contains an invisible character, U\+202E$"):
        doctor("hv\u202e01", "--user", "me")


# --- the record -------------------------------------------------------------------------------------------------------


def outcomes(path: Path) -> Counter[str]:
    return Counter(verdict.outcome.result.value for verdict in judge_snapshot(read_snapshot(path), Scope()).verdicts)


def test_what_is_recorded_is_judged_alike_and_names_nobody(
    authority: Authority, tmp_path: Path, run_pytest: RunPytest
) -> None:
    record, saved = tmp_path / "record.jsonl", tmp_path / "saved.jsonl.gz"
    with server(authority) as simulator:
        told = doctor(*to(simulator, authority, "--record", record))
        (tmp_path / "site.yaml").write_text(told.out[told.out.index("servers:") : told.out.index("1 server can")])
        named = {"COMPLIANCE_DOCTOR_USERNAME": "audit", "COMPLIANCE_DOCTOR_PASSWORD": PASSWORD}
        run = run_pytest(tmp_path, "--inventory", "site.yaml", "--hv-save", saved, env=named)
    offline = run_pytest(tmp_path, "--snapshot", record)
    assert run.returncode == offline.returncode
    assert outcomes(record) == outcomes(saved)
    text = record.read_text(encoding="ascii")
    names = [HOST.name, PASSWORD, "audit", *(vm.name for vm in HOST.vms), *(vm.id for vm in HOST.vms)]
    assert [name for name in names if name.casefold() in text.casefold()] == []
    assert "is sent nowhere: look at it (JSON lines), then attach it to your report" in told.err
    assert f"hyperv-compliance audit --snapshot {record}" in told.err


def test_a_server_that_was_not_read_is_recorded_too(authority: Authority, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    with server(authority, context=authority.server("127.0.0.9")) as simulator:
        doctor(*to(simulator, authority, "--record", record))
    assert outcomes(record)["unknown"] == sum(outcomes(record).values()) > 0
