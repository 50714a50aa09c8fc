"""Guests beside servers in one gathering: into the snapshot and back, passwords that few are asked, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.credentials.find import Credential
from compliance.errors import SnapshotError, Why
from compliance.gather.gather import gather
from compliance.inventory.entries import Limits
from compliance.inventory.guests import GuestEntry
from compliance.model import Unread
from compliance.plugin.progress import line_of
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import GuestReading, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import inventory, snapshot, source
from tests.guests.replies import guest, sections
from tests.guests.sshd import Sshd, sshd
from tests.guests.test_connection import clients, taking_passwords
from tests.hosts import NOW, Host, Vm
from tests.lab import closed_port
from tests.running import ROOT

LIMITS = Limits(connect=3, operation=20, server=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def of_guests(found: Snapshot) -> dict[str, GuestReading | Unread]:
    return {one.name: one.reading for one in found.guests}


def test_guests_are_gathered_beside_servers(server: Sshd, tmp_path: Path) -> None:
    dead = server.entry(connection=f"ssh://127.0.0.1:{closed_port()}", machine=("web*", "db01"))
    live = server.entry(verify=False, known_hosts=None)
    told: list[str] = []
    found = gather(
        inventory([], guests=(dead, live), limits=LIMITS),
        {},
        tool="t",
        tell=lambda progress: told.append(line_of(progress)),
        now=lambda: NOW,
    )
    assert (found.complete, found.servers) == (True, ())
    assert [(one.name, one.machines) for one in found.guests] == [
        (dead.connection, ("web*", "db01")),
        (live.connection, ("*",)),
    ]
    readings = of_guests(found)
    assert readings[dead.connection] == Unread(f"{dead.connection}: nobody listens at its port", Why.UNREACHABLE)
    assert isinstance(readings[live.connection], GuestReading)
    assert [one.insecure for one in found.guests] == [
        None,
        "its host key was not checked (`verify: false` in the inventory)",
    ]
    assert told[-1].startswith("servers and guests: 2 of 2 done after ")
    path = tmp_path / "snapshot.jsonl.gz"
    write_snapshot(found, path)
    assert read_snapshot(path) == found


def test_a_snapshot_without_guests_is_the_same_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.jsonl"
    write_snapshot(snapshot(source(Host(vms=[Vm(name="sql01")]))), path)
    assert '"guests"' not in path.read_text()
    assert read_snapshot(path).guests == ()


GUEST = guest("sql01", seen=sections())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text.replace('"guests":1', '"guests":2'), ":4: damaged: the file ends before this line"),
        (lambda text: text.replace('"guests":1', '"guests":0'), ":3: more lines than the header's 1 servers"),
        (lambda text: text.replace('"guests":1', '"guests":true'), ":1: damaged header: expected a count, got True"),
        (
            lambda text: text.replace('"machines":["sql01"]', '"machines":"sql01"'),
            ":3: damaged line: expected a list of",
        ),
        (lambda text: text.replace('"boot":""', '"boot":[]'), ":3: damaged line: expected text, got []"),
        (lambda text: text.replace('"guest":', '"gast":'), ":3: damaged line: guest is missing"),
        (lambda text: text + text.splitlines()[-1] + "\n", ":4: more lines than the header's 1 servers and 1 guests"),
    ],
)
def test_a_damaged_guest(damage: object, told: str, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.jsonl"
    write_snapshot(replace(snapshot(source(Host())), guests=(GUEST,)), path)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(SnapshotError) as error:
        read_snapshot(path)
    assert f"{path}{told}" in str(error.value)


def with_password(port: int, password: str) -> Snapshot:
    """Five guests that are one server, which is called by five names."""
    names = ("127.0.0.1", "localhost", "127.1", "127.0.1", "[::ffff:127.0.0.1]")
    entries = tuple(
        GuestEntry(machine=("*",), connection=f"paramiko://{name}:{port}", credential="guests", verify=False)
        for name in names
    )
    credentials = {"guests": Credential(username="audit", password=password)}
    return gather(inventory([], guests=entries, limits=LIMITS), credentials, tool="t")


def test_a_wrong_password_is_tried_on_few_guests() -> None:
    with taking_passwords() as (port, taking):
        found = with_password(port, "canary-wrong")
    assert len(taking.tried) == 2
    refused = [one.reading for one in found.guests]
    assert all(isinstance(one, Unread) and one.why is Why.LOGIN_REFUSED for one in refused)
    assert sum("not tried" in str(one) for one in refused) == 3
    assert "canary" not in str(found)


def test_a_right_password_is_tried_on_all_the_others_at_once() -> None:
    with taking_passwords(seconds=1.0) as (port, taking):
        found = with_password(port, "canary-7f3a")
    assert all(isinstance(one.reading, GuestReading) for one in found.guests)
    assert taking.most >= 3  # the first one may still be on its way out


INTERRUPTED = """
import signal
import sys
from pathlib import Path
from compliance.gather.gather import gather
from compliance.plugin.interrupt import interrupted_once
from compliance.inventory.own_file import read_inventory
from compliance.snapshot.write import write_snapshot
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started with it ignored
with interrupted_once():
    found = gather(read_inventory(Path(sys.argv[1])), {}, tool="t")
write_snapshot(found, Path(sys.argv[2]))
"""


def test_ctrl_c_leaves_no_ssh_behind(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd", instead="sh -c 'exec sleep 60'") as guest_server:
        entry = guest_server.entry()
        (tmp_path / "lab.yaml").write_text(
            f"servers: [{{name: hv01, address: 127.0.0.1, port: {closed_port()}, transport: kerberos}}]\n"
            f"guests:\n- machine: sql01\n  connection: {entry.connection}\n"
            "  key: sshd/user\n  known_hosts: sshd/known_hosts\n"
        )
        started = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, str(tmp_path / "lab.yaml"), str(tmp_path / "found.jsonl")], cwd=ROOT
        )
        deadline = time.monotonic() + 30
        while not clients(guest_server) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert clients(guest_server)
        os.kill(started.pid, signal.SIGINT)
        assert started.wait(timeout=60) == 0
        time.sleep(0.2)
        assert not clients(guest_server)
    found = read_snapshot(tmp_path / "found.jsonl")
    assert not found.complete
    assert of_guests(found) == {
        entry.connection: Unread("the gathering was interrupted while it was being read", Why.INCOMPLETE)
    }
