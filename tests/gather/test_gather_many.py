"""Many servers, some of them dead or stalling; Ctrl-C; few descriptors; and what is told while it goes on."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from compliance.credentials.find import Credential
from compliance.errors import Why
from compliance.gather.gather import gather
from compliance.gather.progress import Progress
from compliance.gather.threads import affordable
from compliance.inventory.entries import Entry, Limits
from compliance.model import Unread
from compliance.plugin.progress import line_of
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import inventory
from tests.hosts import Host, Vm
from tests.lab import closed_port
from tests.replayed import USERS, Exchange, recorded, replaying
from tests.running import ROOT, RunPytest
from tests.wsman.listener import listening, read_request

CREDENTIALS = {"audit": Credential(username="audit", password=USERS["audit"])}
ENVIRONMENT = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": USERS["audit"]}
OURS = ("read ", "resolve ", "watch of wires")
"""How the threads of a gathering are called."""


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    return recorded(Host(vms=[Vm(name="sql01")]))


def entry(name: str, port: int) -> Entry:
    """By Basic in clear, which costs the least here."""
    return Entry(
        name=name,
        address="127.0.0.1",
        port=port,
        scheme="http",
        transport="basic",
        cleartext=True,
        credential="audit",
    )


def silent(plug: socket.socket) -> None:
    while plug.recv(65536):
        pass


def stalls_midway(plug: socket.socket) -> None:
    read_request(plug)
    plug.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<s:Envelope")
    silent(plug)


def our_threads() -> int:
    return sum(thread.name.startswith(OURS) for thread in threading.enumerate())


def reasons(snapshot: Snapshot) -> dict[str, Unread]:
    return {one.name: one.reading for one in snapshot.servers if isinstance(one.reading, Unread)}


# --- dead and stalling ones -------------------------------------------------------------------------------------------

MANY = 100
LIMITS = Limits(connect=1, operation=3, server=4)


@pytest.mark.parametrize("threads", [16, 64])
def test_bad_servers_cost_a_run_no_more_than_one_deadline(threads: int, exchanges: list[Exchange]) -> None:
    """Were the bad ones waited for one by one, the seven that stall would take 21 s."""
    limits = LIMITS.model_copy(update={"threads": threads})
    most = 0

    def tell(_progress: Progress) -> None:
        nonlocal most
        most = max(most, our_threads())

    def timed(entries: Sequence[Entry]) -> tuple[Snapshot, float]:
        start = time.monotonic()
        snapshot = gather(inventory(entries, limits=limits), CREDENTIALS, tool="test", tell=tell)
        return snapshot, time.monotonic() - start

    with replaying(exchanges) as port, listening(silent) as mute, listening(stalls_midway) as halting:
        good = [entry(f"hv{number:03}", port) for number in range(MANY)]
        bad_ports = {7: closed_port(), 3: mute.port, 5: halting.port}
        bad = {number: entry(f"hv{number:03}", bad_ports[3 + number % 3 * 2]) for number in range(9, MANY, 10)}
        snapshot, without = timed(good)
        assert reasons(snapshot) == {}
        snapshot, with_them = timed([bad.get(number, one) for number, one in enumerate(good)])
    assert set(reasons(snapshot)) == {one.name for one in bad.values()}
    assert {one.why for one in reasons(snapshot).values()} == {Why.UNREACHABLE, Why.TIMED_OUT}
    assert with_them < 2 * without + LIMITS.server + 6, without  # twice, since other jobs slow a machine down
    assert most <= threads + 1  # who reads, and the watch
    assert ends_soon(lambda: our_threads() == 0)


def ends_soon(done: object, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:  # type: ignore[operator]
        time.sleep(0.02)
    return bool(done())  # type: ignore[operator]


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

AS_A_PERSON_STARTS_IT = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "hasattr(signal, 'SIGHUP') and signal.signal(signal.SIGHUP, signal.SIG_DFL); "
)
"""Who starts a job in the background hands down a SIGINT that is ignored, and nohup a SIGHUP."""
LATE = 50.0
"""Seconds in which the command must have ended: it takes less than two, on a busy machine twenty; a request that
nobody answers would hold it for sixty."""


def written(folder: Path, ports: Mapping[str, int], limits: str = "") -> Path:
    lines = [f"  - {{name: {name}, address: 127.0.0.1, port: {port}}}\n" for name, port in ports.items()]
    shared = "{scheme: http, transport: basic, cleartext: true, credential: audit}"
    path = folder / "site.yaml"
    path.write_text(f"servers:\n{''.join(lines)}defaults: {shared}\n{limits}", encoding="utf-8")
    return path


@contextmanager
def started(
    folder: Path, *arguments: str, before: str = AS_A_PERSON_STARTS_IT, out: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """The real command, in another process; ``before`` is what that process does first, ``out`` what it writes to."""
    command = f"{before}import runpy, sys; sys.argv[0] = 'pytest'; runpy.run_module('pytest', run_name='__main__')"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    running = subprocess.Popen(
        [sys.executable, "-c", command, "--color=no", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**inherited, **ENVIRONMENT, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        try:
            yield running
        finally:
            running.kill()


posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of processes are POSIX")


@posix
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])  # by name: Windows has no SIGHUP
def test_an_interrupted_run_ends_at_once_and_keeps_what_was_read(
    number: str, exchanges: list[Exchange], tmp_path: Path
) -> None:
    arrived = threading.Event()

    def notes(plug: socket.socket) -> None:
        arrived.set()
        silent(plug)

    with replaying(exchanges) as port, listening(notes) as mute:
        ports = {"hv01": port, "hv02": closed_port(), "hv03": mute.port, "hv04": closed_port()}
        site = written(tmp_path, ports, "limits: {threads: 1}\n")  # one after another, so hv04 was never begun
        with started(tmp_path, "--inventory", str(site), "--hv-save", "site.jsonl.gz") as running:
            assert arrived.wait(60)
            start = time.monotonic()
            running.send_signal(signal.Signals[number])
            out, err = running.communicate(timeout=60)
            assert time.monotonic() - start < LATE
    assert running.returncode == 2, out + err
    told = "the gathering was interrupted: 1 of 4 servers were read; what was read is in site.jsonl.gz"
    assert [line for line in err.splitlines() if told in line], err
    assert "Traceback" not in out + err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site.jsonl.gz", "site.yaml"]
    snapshot = read_snapshot(tmp_path / "site.jsonl.gz")
    assert not snapshot.complete
    assert isinstance(snapshot.servers[0].reading, Reading)
    assert {name: (one.why, one.reason) for name, one in reasons(snapshot).items() if name > "hv02"} == {
        "hv03": (Why.INCOMPLETE, "the gathering was interrupted while it was being read"),
        "hv04": (Why.INCOMPLETE, "the gathering was interrupted before it was read"),
    }


@posix
@pytest.mark.parametrize("lost", ["a closed pipe", "a full disk"])
def test_a_run_that_nobody_listens_to_keeps_what_was_read(lost: str, exchanges: list[Exchange], tmp_path: Path) -> None:
    """The line of hv02, which is not there, can't be written any more."""
    reader, writer = os.pipe()
    os.close(reader)
    if lost == "a full disk":
        os.close(writer)
        writer = os.open("/dev/full", os.O_WRONLY)
    with replaying(exchanges) as port, listening(silent) as mute:
        ports = {"hv01": port, "hv02": closed_port(), "hv03": mute.port}
        site = written(tmp_path, ports, "limits: {threads: 1}\n")
        arguments = ("--inventory", str(site), "--hv-save", "site.jsonl.gz", "--hv-report-dir", "out")
        with started(tmp_path, *arguments, out=writer) as running:
            os.close(writer)
            _, err = running.communicate(timeout=60)
    assert running.returncode == 2, err
    assert "the gathering was interrupted: 1 of 3 servers were read; what was read is in site.jsonl.gz" in err
    assert "Traceback" not in err
    snapshot = read_snapshot(tmp_path / "site.jsonl.gz")
    assert not snapshot.complete
    assert [isinstance(source.reading, Reading) for source in snapshot.servers] == [True, False, False]
    assert json.loads((tmp_path / "out" / "gate.json").read_text("utf-8"))["exit_code"] == 2


def test_whatever_ends_a_gathering_its_readings_are_kept(exchanges: list[Exchange]) -> None:
    """An error that nobody thought of goes on; an interruption while the whole is kept is one, too."""
    kept: list[Snapshot] = []

    def fails(progress: Progress) -> None:
        if progress.done == 1:
            raise MemoryError

    def is_interrupted(snapshot: Snapshot) -> None:
        kept.append(snapshot)
        if len(kept) == 2:
            raise KeyboardInterrupt

    limits = Limits(threads=1)
    with replaying(exchanges) as port:
        found = inventory([entry("hv01", port), entry("hv02", port)], limits=limits)
        with pytest.raises(MemoryError):
            gather(found, CREDENTIALS, tool="test", tell=fails, keep=is_interrupted)
        with pytest.raises(KeyboardInterrupt):
            gather(found, CREDENTIALS, tool="test", keep=is_interrupted)
    assert [(one.complete, set(reasons(one))) for one in kept] == [(False, {"hv02"}), (True, set()), (True, set())]


@posix
def test_an_interrupted_run_that_saves_nothing_says_so(tmp_path: Path) -> None:
    arrived = threading.Event()

    def notes(plug: socket.socket) -> None:
        arrived.set()
        silent(plug)

    with listening(notes) as mute, started(tmp_path, "--inventory", str(written(tmp_path, {"hv01": mute.port}))) as run:
        assert arrived.wait(60)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "0 of 1 server was read; nothing is kept (--hv-save would)" in err, out + err


def test_an_incomplete_snapshot_passes_for_nothing_that_was_not_read(
    exchanges: list[Exchange], tmp_path: Path, run_pytest: RunPytest
) -> None:
    """Gathered here, interrupted after the first server, and judged by the real command."""

    def interrupt(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    with replaying(exchanges) as port:
        entries = [entry(f"hv{number:02}", port) for number in range(1, 4)]
        limits = Limits(threads=1)
        snapshot = gather(inventory(entries, limits=limits), CREDENTIALS, tool="test", tell=interrupt)
    assert (snapshot.complete, set(reasons(snapshot))) == (False, {"hv02", "hv03"})
    write_snapshot(snapshot, tmp_path / "lab.jsonl")
    run = run_pytest(tmp_path, "--snapshot", "lab.jsonl", "-v", "--html", "lab.html", "--self-contained-html")
    assert run.returncode not in (0, 5)
    cases = {line.split(" ")[0]: line.split(" ")[1] for line in run.stdout.splitlines() if line.startswith("lab::")}
    assert {name for name, outcome in cases.items() if "hv01" not in name and outcome != "ERROR"} <= {
        "lab::estate-has-replicated-machines[lab]"
    }
    assert "The snapshot is incomplete: the gathering was interrupted." in run.stdout
    assert "The snapshot is incomplete:" in (tmp_path / "lab.html").read_text(encoding="utf-8")
    assert "hv02, hv03 were not read: their machines are not counted" in run.stdout


# --- few descriptors --------------------------------------------------------------------------------------------------


@posix
def test_with_few_descriptors_fewer_servers_are_read_side_by_side(exchanges: list[Exchange], tmp_path: Path) -> None:
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); "
    with ExitStack() as stack:
        ports = {f"hv{n:02}": stack.enter_context(replaying(exchanges, 0.02)) for n in range(40)}
        site = written(tmp_path, ports, "limits: {threads: 40}\n")
        run = stack.enter_context(started(tmp_path, "--inventory", str(site), "-q", before=few))
        out, err = run.communicate(timeout=100)
    assert "was not read" not in out, out + err
    line = next(line for line in out.splitlines() if "side by side" in line)
    assert line.endswith("in place of 40: this process may open few files (ulimit -n)")
    assert 1 <= int(line.split()[0]) <= 12
    assert run.returncode in (0, 1, 10)  # their replicas were not asked for


@posix
def test_a_descriptor_that_cannot_be_had_is_told_with_its_remedy() -> None:
    """With none left, and with one: then the socket is there, and what the watch would cut it by is not."""
    with listening(silent) as mute:
        done = subprocess.run(
            [sys.executable, "-c", STARVED, str(mute.port)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    told = [line for line in done.stdout.splitlines() if "too many files are open here: lower `threads`" in line]
    assert len(told) == 2, done.stdout + done.stderr


STARVED = """
import os, resource, sys, time
from compliance.errors import LinkError
from compliance.secret import Secret
from compliance.wsman.connection import Connection
from compliance.wsman.endpoint import Endpoint

def told(seconds):
    where = Endpoint(
        address="127.0.0.1", port=int(sys.argv[1]), scheme="http", username="u", password=Secret("p"), operation=seconds
    )
    with Connection(where, time.monotonic() + 9) as connection:
        try:
            connection.send(b"<question/>")
        except LinkError as error:
            return str(error)

told(0.2)  # loads what is loaded late
used = max(map(int, os.listdir("/dev/fd")))  # with the one that lists them
for left in (0, 1):
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + left, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    print(told(5))
"""


def test_what_a_process_may_open_is_enough_for_what_is_usual() -> None:
    assert affordable(1) == 1
    assert affordable(8) == 8


# --- what is told while it goes on ------------------------------------------------------------------------------------


def test_the_line_names_the_slowest_and_stays_a_line() -> None:
    slow = tuple(f"hv{number:03}" for number in range(90))
    assert line_of(Progress(done=3, total=200)) == "servers: 3 of 200 done"
    assert line_of(Progress(done=3, total=200, seconds=12.4, limit=300.0, slow=slow[:1])) == (
        "servers: 3 of 200 done after 12 s (each has 300 s); waiting for hv000"
    )
    assert line_of(Progress(done=3, total=200, slow=slow[:3])) == (
        "servers: 3 of 200 done; waiting for hv000, hv001, hv002"
    )
    assert line_of(Progress(done=3, total=200, slow=slow)) == (
        "servers: 3 of 200 done; waiting for 90 slow ones, longest for hv000, hv001, hv002"
    )


def test_a_terminal_is_told_on_one_line_and_a_log_once_a_minute(tmp_path: Path, run_pytest: RunPytest) -> None:
    """Through pytest's own reporter, in a process of its own whose terminal is none, or says that it is one."""
    (tmp_path / "conftest.py").write_text(TELLING, encoding="utf-8")
    down = "hv01 was not read: down"
    log = run_pytest(tmp_path).stdout.splitlines()
    told = [line for line in log if line.startswith(("servers", "hv01"))]
    assert told == ["servers: 1 of 9 done", down, "servers: 4 of 9 done; waiting for hv05", "servers: 9 of 9 done"]
    quiet = run_pytest(tmp_path, "-q").stdout
    assert (down in quiet, "servers: " in quiet) == (True, False)
    terminal = run_pytest(tmp_path, env={"TELL_A_TERMINAL": "1"}).stdout.splitlines()  # by carriage returns, too
    pieces = [piece.rstrip(" ") for piece in terminal if piece.startswith("servers: ")]
    assert pieces == [
        "servers: 0 of 9 done",
        "servers: 1 of 9 done",
        "servers: 2 of 9 done",
        "servers: 3 of 9 done",
        "servers: 4 of 9 done; waiting for hv05",
        "servers: 5 of 9 done; waiting for 7 slo",
    ]
    assert max(len(piece) for piece in terminal if "servers" in piece) < 40
    assert any(piece.startswith(down) for piece in terminal)


TELLING = """
import os

def pytest_sessionstart(session):
    from compliance.gather.progress import Progress
    from compliance.model import Unread
    from compliance.plugin.progress import Teller

    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    os.environ["COLUMNS"] = "40"
    reporter.isatty = bool(os.environ.get("TELL_A_TERMINAL"))
    tell = Teller(session.config).tell
    tell(Progress(done=0, total=9, seconds=1))
    tell(Progress(done=1, total=9, seconds=61))
    tell(Progress(done=2, total=9, seconds=62, finished="hv01", unread=Unread("down")))
    tell(Progress(done=3, total=9, seconds=120))
    tell(Progress(done=4, total=9, seconds=121, slow=("hv05",)))
    tell(Progress(done=5, total=9, seconds=122, slow=("hv06",) * 7))
    tell(Progress(done=9, total=9, seconds=500))
"""
