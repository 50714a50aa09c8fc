"""A whole run: servers over the wire, their guests over ssh, reports, and the same again offline."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.guests.sshd import Sshd, sshd
from tests.guests.test_connection import clients
from tests.guests.trees import DEBIAN, RED_HAT, UBUNTU, Tree, downloaded, enter, grown
from tests.host_rows import host_rows, mac_of
from tests.hosts import Host, Vm, replica_of
from tests.lab import closed_port
from tests.running import RunPytest
from tests.simulator import Played, Simulator

SPELLED = "00:15:5d:01:02:03"
LOGIN = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": "canary-5e1d"}
GUESTS = {"deb01": DEBIAN, "rhel01": RED_HAT, "ubu01": UBUNTU}
VMS = [Vm(name=name) for name in (*GUESTS, "here", "dead", "unnamed")]


@dataclass(frozen=True, kw_only=True)
class Ran:
    live: CompletedProcess[str]
    offline: CompletedProcess[str]
    folder: Path
    guests: dict[str, Sshd]

    def outcomes(self, folder: str, rule: str = "guest-applies-failover-ip") -> dict[str, tuple[str, str]]:
        """Label -> result and finding; of passed ones results.json has the label alone."""
        found = json.loads((self.folder / folder / "results.json").read_text())
        told = {one["label"]: (one["result"], one["finding"]) for one in found["results"] if one["rule"] == rule}
        passed = [label for one in found["passed"] if one["rule"] == rule for label in one["labels"]]
        return told | dict.fromkeys(passed, ("passed", ""))


def of(tree: Tree, vm: Vm) -> Tree:
    """With the MAC address that its host says."""
    mac = mac_of(vm)
    spelled = ":".join(mac[at : at + 2] for at in range(0, 12, 2)).lower()
    files = {
        name: content.replace(SPELLED, spelled) if isinstance(content, str) else content
        for name, content in tree.files.items()
    }
    return Tree(files=files, links=tree.links, devices=tree.devices)


@pytest.fixture(scope="module")
def ran(tools: Path, tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("run")
    with ExitStack() as stack:
        servers, ways, guests = [], [], {}
        for host in (Host(name="HV01", vms=VMS), Host(name="HV02", vms=[replica_of(vm) for vm in VMS])):
            played = Played(rows=host_rows(host), version=host.version, computer=host.name)
            one = stack.enter_context(Simulator(played, users={"audit": LOGIN["COMPLIANCE_AUDIT_PASSWORD"]}))
            servers.append(f"- {{name: {host.name.lower()}, address: 127.0.0.1, port: {one.port}, ca: {one.ca}}}")
        for vm in VMS[:4]:
            instead = ""
            if tree := GUESTS.get(vm.name):
                package = downloaded(folder) if tree is DEBIAN else None
                instead = enter(tree, grown(of(tree, vm), tools, folder / vm.name, package))
            guests[vm.name] = stack.enter_context(sshd(folder / f"sshd-{vm.name}", instead=instead))
            ways.append(way(vm.name, guests[vm.name].entry().connection))
        ways.append(way("dead", f"ssh://127.0.0.1:{closed_port()}", "here"))
        (folder / "lab.yaml").write_text(
            "\n".join(
                [
                    "name: lab",
                    "defaults: {credential: audit, transport: basic}",
                    "servers:",
                    *servers,
                    "guests:",
                    *ways,
                    "",
                ]
            )
        )
        report = ("--junitxml", "x.xml", "--html", "x.html", "--self-contained-html", "-v", "-rA", "--log-level=DEBUG")
        live = run_pytest(
            folder, "--inventory", "lab.yaml", "--hv-save", "x.jsonl.gz", "--hv-report-dir", "live", *report, env=LOGIN
        )
        offline = run_pytest(folder, "--snapshot", "x.jsonl.gz", "--hv-report-dir", "offline")
        yield Ran(live=live, offline=offline, folder=folder, guests=guests)


def way(machine: str, connection: str, keys: str = "") -> str:
    folder = f"sshd-{keys or machine}"
    return (
        f"- {{machine: {machine}, connection: '{connection}', key: {folder}/user, known_hosts: {folder}/known_hosts, "
        f"ssh_config: {folder}/ssh_config}}"
    )


def test_each_guest_is_judged_on_both_sides(ran: Ran) -> None:
    assert ran.live.returncode == 1, ran.live.stdout + ran.live.stderr
    told = ran.outcomes("live")
    for side in ("hv01", "hv02"):
        result, finding = told[f"{side}/deb01"]
        assert (result, "hv_set_ifconfig to apply an address, and that is missing" in finding) == ("failed", True)
        assert told[f"{side}/rhel01"] == ("passed", "")
        result, finding = told[f"{side}/ubu01"]
        assert (result, "writes for ifupdown, but eth0 is configured by netplan" in finding) == ("failed", True)
        result, finding = told[f"{side}/here"]
        assert (result, "is not on Hyper-V" in finding) == ("unknown", True)
        result, finding = told[f"{side}/dead"]
        assert (result, "nobody listens at its port" in finding) == ("unknown", True)
        assert told[f"{side}/unnamed"] == ("not applicable", "the inventory names no connection into this guest")


def test_the_host_alone_was_content(ran: Ran) -> None:
    founding = ran.outcomes("live", "failover-ip-needs-integration-services")
    assert {result for result, _ in founding.values()} == {"passed"}


def test_offline_is_online(ran: Ran) -> None:
    assert ran.offline.returncode == 1
    for name in ("results.json", "results.csv"):
        live, offline = ((ran.folder / folder / name).read_text() for folder in ("live", "offline"))
        assert live == offline


def test_one_connection_a_guest_and_nothing_stays(ran: Ran) -> None:
    for guest in ran.guests.values():
        assert (guest.logins, guest.connections) == (1, 2)  # one more was the fixture's own
        assert not clients(guest)


def test_no_password_and_no_key_in_any_output(ran: Ran) -> None:
    outputs = [ran.live.stdout, ran.live.stderr, ran.offline.stdout]
    written = [path for path in ran.folder.iterdir() if path.name.startswith("x.")]
    for path in (*written, *(ran.folder / "live").iterdir()):
        content = path.read_bytes()
        outputs.append((gzip.decompress(content) if path.suffix == ".gz" else content).decode())
    assert len(outputs) > 8
    private = [guest.folder / "user" for guest in ran.guests.values()]
    for text in outputs:
        assert "canary-5e1d" not in text
        assert "/user" not in text.replace(os.sep + "users", "")
        for key in private:
            assert key.read_text().splitlines()[1] not in text
