"""A whole run with Windows guests: servers and guests over the wire, reports, and the same again offline."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.canary import CANARY, is_in
from tests.guests.replies import registry, rows, service
from tests.guests.test_windows import ID, played
from tests.host_rows import host_rows
from tests.hosts import Host, Vm, replica_of
from tests.lab import closed_port
from tests.running import RunPytest
from tests.simulator import Fault, Played, Simulator

LOGIN = {
    "COMPLIANCE_AUDIT_USERNAME": "audit",
    "COMPLIANCE_AUDIT_PASSWORD": CANARY,
    "COMPLIANCE_GUESTS_USERNAME": "audit",
    "COMPLIANCE_GUESTS_PASSWORD": CANARY,
}
VMS = {name: Vm(name=name) for name in ("good", "stopped", "gone", "closed", "refused", "stranger", "garbage", "dead")}


def with_services(vm: Vm, *services: Mapping[str, object]) -> Played:
    return played(vm, rows={**rows(vm), "Win32_Service": [service("WinRM"), *services]})


GUESTS: dict[str, tuple[Played, dict[str, Fault]]] = {
    "good": (played(VMS["good"]), {}),
    "stopped": (with_services(VMS["stopped"], service(State="Stopped")), {}),
    "gone": (with_services(VMS["gone"]), {}),
    "closed": (played(VMS["closed"]), {"Win32_Service": Fault.EMPTY}),
    "refused": (played(VMS["refused"]), {"StdRegProv": Fault.REFUSED}),
    "stranger": (played(VMS["good"], registry={}), {}),
    "garbage": (played(VMS["garbage"], registry={**registry(VMS["garbage"]), ID: ("<0>", "x" * 9000)}), {}),
}


@dataclass(frozen=True, kw_only=True)
class Ran:
    live: CompletedProcess[str]
    offline: CompletedProcess[str]
    folder: Path
    guests: dict[str, Simulator]
    servers: list[Simulator]

    def outcomes(self, rule: str) -> dict[str, tuple[str, str]]:
        """Label -> result and finding; of passed ones results.json has the label alone."""
        found = json.loads((self.folder / "live" / "results.json").read_text())
        told = {one["label"]: (one["result"], one["finding"]) for one in found["results"] if one["rule"] == rule}
        passed = [label for one in found["passed"] if one["rule"] == rule for label in one["labels"]]
        return told | dict.fromkeys(passed, ("passed", ""))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("run")
    vms = list(VMS.values())
    with ExitStack() as stack:
        lines = ["name: lab", "defaults: {credential: audit, transport: basic}", "servers:"]
        servers = []
        for host in (Host(name="HV01", vms=vms), Host(name="HV02", vms=[replica_of(vm) for vm in vms])):
            one = Simulator(Played(rows=host_rows(host), version=host.version, computer=host.name))
            servers.append(stack.enter_context(one))
            lines.append(f"- {{name: {host.name.lower()}, address: 127.0.0.1, port: {one.port}, ca: {one.ca}}}")
        lines.append("guests:")
        guests = {
            name: stack.enter_context(Simulator(playing, auth="ntlm", scheme="http", faults=faults))
            for name, (playing, faults) in GUESTS.items()
        }
        ports = {name: one.port for name, one in guests.items()} | {"dead": closed_port()}
        for name, port in ports.items():
            way: dict[str, Any] = {"machine": name, "connection": f"winrm://127.0.0.1:{port}", "scheme": "http"}
            lines.append(f"- {json.dumps({**way, 'credential': 'guests'})}")
        (folder / "lab.yaml").write_text("\n".join([*lines, ""]))
        report = ("--junitxml", "x.xml", "--html", "x.html", "--self-contained-html", "-v", "-rA", "--log-level=DEBUG")
        live = run_pytest(
            folder, "--inventory", "lab.yaml", "--hv-save", "x.jsonl.gz", "--hv-report-dir", "live", *report, env=LOGIN
        )
        offline = run_pytest(folder, "--snapshot", "x.jsonl.gz", "--hv-report-dir", "offline")
        yield Ran(live=live, offline=offline, folder=folder, guests=guests, servers=servers)


@pytest.mark.parametrize("side", ["hv01", "hv02"])
def test_each_guest_is_judged_on_both_sides(side: str, ran: Ran) -> None:
    assert ran.live.returncode == 1, ran.live.stdout + ran.live.stderr
    told = ran.outcomes("guest-applies-failover-ip")
    for name, (expected, words) in {
        "good": ("passed", ""),
        "stopped": ("failed", "the service vmickvpexchange does not run"),
        "gone": ("failed", "vmickvpexchange, is missing"),
        "closed": ("unknown", "this account is shown no services"),
        "refused": ("passed", ""),
        "stranger": ("unknown", "is not known to be this machine: it has an adapter 00:15:5D:"),
        "garbage": ("passed", ""),
        "dead": ("unknown", "connection refused"),
    }.items():
        result, finding = told[f"{side}/{name}"]
        assert (result, words in finding) == (expected, True), (name, finding)


def test_the_host_alone_was_content(ran: Ran) -> None:
    assert {result for result, _ in ran.outcomes("failover-ip-needs-integration-services").values()} == {"passed"}


def test_offline_is_online(ran: Ran) -> None:
    assert ran.offline.returncode == 1
    for name in ("results.json", "results.csv"):
        live, offline = ((ran.folder / folder / name).read_text() for folder in ("live", "offline"))
        assert live == offline


def test_no_server_is_asked_for_a_method_and_each_guest_for_two_values(ran: Ran) -> None:
    for one in ran.servers:
        assert {message.action for message in one.log} <= {"Identify", "Enumerate", "Pull", "Release"}
    for one in ran.guests.values():
        assert [message.action for message in one.log].count("GetStringValue") == 2
        assert len(one.log) <= 8


def test_no_password_in_any_output(ran: Ran) -> None:
    outputs = [ran.live.stdout.encode(), ran.live.stderr.encode(), ran.offline.stdout.encode()]
    written = [path for path in ran.folder.iterdir() if path.name.startswith("x.")]
    for path in (*written, *(ran.folder / "live").iterdir()):
        content = path.read_bytes()
        outputs.append(gzip.decompress(content) if path.suffix == ".gz" else content)
    assert len(outputs) > 8
    assert not any(is_in(output) for output in outputs)
