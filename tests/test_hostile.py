"""Every hostile server that we could think of, beside two good ones in one run: it costs the good ones nothing."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from junitparser import JUnitXml
from junitparser.junitparser import Result

from compliance.errors import Why
from compliance.gather.patience import REBUILDS
from compliance.judge.judge import all_rules
from compliance.model import ReplicaAdapter, ReplicatedVM, Unread
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import ServerRecord
from tests.canary import CANARY, is_in
from tests.host_rows import host_rows
from tests.hosts import Host, Vm, replica_of
from tests.running import APART, RunPytest
from tests.simulator import Fault, Played, Simulator, mischief
from tests.wsman.listener import Listener, answer, listening

USER, PASSWORD = "audit", CANARY
LOGIN = {"COMPLIANCE_AUDIT_USERNAME": USER, "COMPLIANCE_AUDIT_PASSWORD": PASSWORD}
RUNS = 2  # against all
SECONDS = 20  # the inventory's limit for a server; ABANDON_AFTER and pytest's own start come on top
MEGABYTES = 400  # 99 servers side by side, of which each may answer with 4 MB

GOOD = (Host(name="HV01", vms=[Vm(name="sql01")]), Host(name="HV02", vms=[replica_of(Vm(name="sql01"))]))
BAD = Host(name="HV66", vms=[Vm(name="ghost")])
WAYS: Mapping[str, Mapping[str, str]] = {
    "tls": {"scheme": "https", "auth": "basic"},  # whoever gets a message gets the password
    "sealed": {"scheme": "http", "auth": "ntlm"},
}
MACHINES = "Msvm_ComputerSystem"
STAGES = {"first": "*", "later": MACHINES}  # in answer to the first message, or after the login
# What each is called by us; None: it is read.
HOSTILE: Mapping[Fault, Why | None] = {
    Fault.WRONG_RELATES_TO: Why.BROKEN,
    Fault.DOCTYPE: Why.BROKEN,
    Fault.EXTERNAL_ENTITIES: Why.BROKEN,
    Fault.DEEP: Why.BROKEN,
    Fault.BROAD: None,  # 50,000 attributes in an answer harm nobody
    Fault.NOT_UTF8: None,
    Fault.CONTROL_CHARACTERS: None,
    Fault.ENDLESS: Why.TIMED_OUT,
    Fault.SAME_CONTEXT: Why.TIMED_OUT,
    Fault.REDIRECT: Why.BROKEN,
    Fault.REDIRECT_307: Why.BROKEN,
    Fault.FORGOTTEN: Why.BROKEN,
    Fault.LOCKED_OUT: Why.LOGIN_REFUSED,
    Fault.HTML_404: Why.BROKEN,
    Fault.PROXY_407: Why.BROKEN,
    Fault.EMPTY_413: Why.TOO_LARGE,
    Fault.EMPTY_500: Why.BROKEN,
    Fault.GATEWAY_502: Why.UNREACHABLE,
    Fault.HTML_503: Why.BUSY,
    Fault.PORTAL: Why.BROKEN,
    Fault.BOMB: Why.BROKEN,
    Fault.STALL: Why.TIMED_OUT,
    Fault.STALL_IN_TLS: Why.TIMED_OUT,
    Fault.STALL_IN_BODY: Why.TIMED_OUT,
    Fault.DRIP: Why.TIMED_OUT,
    Fault.DRIP_HEAD: Why.TIMED_OUT,
    Fault.CUT: Why.UNREACHABLE,
    Fault.FLOOD: Why.TOO_LARGE,
    Fault.FLOOD_ANNOUNCED: Why.TOO_LARGE,
    Fault.ABSURD_401: Why.LOGIN_REFUSED,
}
# A sealed session that stands and is answered by a 401 is lost: the login that made it was not refused.
OTHERWISE = {
    f"{fault.name.lower()}-sealed-{stage}": Why.UNREACHABLE
    for fault in (Fault.LOCKED_OUT, Fault.ABSURD_401)
    for stage in STAGES
}
AFTER_LOGIN = {*mischief.CHANGES, Fault.ENDLESS, Fault.SAME_CONTEXT}
NAMES = {
    f"{fault.name.lower()}-{way}-{stage}": (fault, way, stage)
    for fault in HOSTILE
    for way in WAYS
    for stage in STAGES
    if not (fault in AFTER_LOGIN and stage == "first")
    and not (fault is Fault.STALL_IN_TLS and (way, stage) != ("tls", "first"))
}


def test_all_that_a_server_can_be_told_to_spoil_is_played_here() -> None:
    spoiling = {fault for fault in Fault if mischief.page(fault, "")} | {*mischief.CHANGES, *mischief.SCRIPTS}
    assert spoiling | {Fault.ENDLESS, Fault.SAME_CONTEXT, Fault.STALL_IN_TLS} == set(HOSTILE)


# --- three runs by the command line -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Run:
    folder: Path
    code: int
    output: str
    seconds: float
    servers: Mapping[str, ServerRecord]
    cases: Mapping[str, tuple[str, str]]  # name -> outcome, and what is said of it
    peak: float  # megabytes; 0 where nobody tells


# The kernel's count for the process itself: getrusage also counts the one that it was forked from.
PEAK = """
import pathlib, re

def pytest_unconfigure():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path("peak.txt").write_text(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
"""


def run(run_pytest: RunPytest, folder: Path, inventory: str, *, strict: bool = False) -> Run:
    """With all that writes, each to its loudest."""
    (folder / "temporary").mkdir(parents=True)
    (folder / "live.yaml").write_text(inventory, encoding="utf-8")
    written = ["--hv-save=live.jsonl.gz", "--html=x.html", "--self-contained-html", "--junitxml=x.xml"]
    logged = ["--log-file=x.log", "--log-file-level=DEBUG", "--log-level=DEBUG"]
    cached = ["-o", "cache_dir=cache"]
    measured = []
    if sys.platform == "linux":
        (folder / "peak.py").write_text(PEAK)
        measured = ["-p", "peak"]
    env = {**LOGIN, "PYTHONPATH": str(folder), "TMPDIR": str(folder / "temporary")}
    env |= {"PYTHONWARNINGS": "error"} if strict else {}  # pytest's own -W begins after the servers were read
    began = time.monotonic()
    done = run_pytest(
        folder,
        "--inventory=live.yaml",
        "-rA",
        "-v",
        *written,
        *logged,
        *cached,
        *measured,
        *(["-W", "error"] if strict else []),
        env=env,
        apart=APART[2:],
    )
    seconds = time.monotonic() - began
    assert (folder / "x.xml").exists(), done.stdout + done.stderr
    cases = [case for suite in JUnitXml.fromfile(str(folder / "x.xml")) for case in suite]
    return Run(
        folder=folder,
        code=done.returncode,
        output=done.stdout + done.stderr,
        seconds=seconds,
        servers={source.name: source for source in read_snapshot(folder / "live.jsonl.gz").servers},
        cases={case.name: told(case.result) for case in cases},
        peak=int((folder / "peak.txt").read_text()) / 1024 if measured else 0.0,
    )


def told(results: Sequence[Result]) -> tuple[str, str]:
    return (type(results[0]).__name__, str(results[0].text)) if results else ("passed", "")


def baited(plug: socket.socket) -> None:
    """Whoever comes is asked for a login."""
    while plug.recv(65536):
        plug.sendall(answer(401, b"", 'WWW-Authenticate: Basic realm="WSMAN"', "WWW-Authenticate: Negotiate"))


@dataclass(frozen=True, kw_only=True)
class Battle:
    calm: Run  # the good servers alone
    hostile: Run
    strict: Run  # the same with warnings as errors
    trap: Listener
    played: Mapping[str, Simulator]


@pytest.fixture(scope="module")
def battle(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> Iterator[Battle]:
    folder = tmp_path_factory.mktemp("battle")
    with ExitStack() as stack:
        trap = stack.enter_context(listening(baited))
        lines, played = [], {}
        for name, host, way, faults in estate():
            one = Simulator(
                Played(rows=host_rows(host), version=host.version, computer=host.name),
                **WAYS[way],  # type: ignore[arg-type]
                users={USER: PASSWORD},
                faults=faults,
                redirect_to=f"http://127.0.0.1:{trap.port}/wsman",
                latency=0.02
                if {Fault.ENDLESS, Fault.SAME_CONTEXT} & {*faults.values()}
                else 0.0,  # what is endless leaves the processor to others
            )
            played[name] = stack.enter_context(one)
            lines.append(line(name, one))
        good, everybody = (inventory(lines[: len(GOOD)]), inventory(lines))
        yield Battle(
            calm=run(run_pytest, folder / "calm", good),
            hostile=run(run_pytest, folder / "hostile", everybody),
            strict=run(run_pytest, folder / "strict", everybody, strict=True),
            trap=trap,
            played=played,
        )


def estate() -> Iterator[tuple[str, Host, str, Mapping[str, Fault]]]:
    yield from ((host.name.lower(), host, way, {}) for host, way in zip(GOOD, WAYS, strict=True))
    for name, (fault, way, stage) in NAMES.items():
        yield name, BAD, way, {STAGES[stage]: fault}


def line(name: str, server: Simulator) -> str:
    """The good server over TLS is not verified: libraries warn of that, and where warnings are errors they must not."""
    trust = "" if server.scheme == "http" else f", ca: {server.ca}" if server.faults else ", verify: false"
    where = f"address: 127.0.0.1, port: {server.port}, scheme: {server.scheme}"
    return f"  - {{name: {name}, {where}, transport: {server.auth}{trust}}}"


def inventory(lines: list[str]) -> str:
    limits = f"limits: {{connect: 12, operation: 12, server: {SECONDS}, threads: 24}}"
    return "\n".join(["name: lab", "defaults: {credential: audit}", limits, "servers:", *lines, ""])


# --- what came of them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_server_is_not_read_and_says_why_in_a_line(battle: Battle, name: str) -> None:
    why = OTHERWISE.get(name, HOSTILE[NAMES[name][0]])
    for run_ in (battle.hostile, battle.strict):
        reading = run_.servers[name].reading
        answer_ = reading if isinstance(reading, Unread) else reading.classes[MACHINES]
        outcome = run_.cases[f"server-was-read[{name}]"][0]
        if why is None:
            assert (isinstance(answer_, Unread), outcome) == (False, "passed")
            continue
        assert isinstance(answer_, Unread)
        assert (answer_.why, outcome) == (why, "Error"), answer_.reason
        assert re.fullmatch(r"[^\n]{20,500}", answer_.reason)
        assert not re.search("unexpected|given up", answer_.reason)  # it was expected, and ended where it began
        assert answer_.reason in run_.output
        own = {case: words[0] for case, words in run_.cases.items() if re.search(rf"\[{name}[]/]", case)}
        stands_in = {f"{rule.key}[{name}]" for rule in all_rules() if rule.subject in (ReplicatedVM, ReplicaAdapter)}
        asked = {case for case in stands_in if "guest-applies" not in case}  # nobody names a way into a guest
        assert own == dict.fromkeys({f"server-was-read[{name}]", *asked}, "Error")


@pytest.mark.parametrize("fault", [Fault.NOT_UTF8, Fault.CONTROL_CHARACTERS])
def test_characters_that_nobody_can_read_are_remarked_on(battle: Battle, fault: Fault) -> None:
    for way in WAYS:
        remark = (
            f"{fault.name.lower()}-{way}-later: sent characters in {MACHINES} that XML forbids; they stand as U+FFFD"
        )
        assert remark in battle.hostile.output


def test_the_good_servers_are_judged_as_if_they_were_alone(battle: Battle) -> None:
    calm = battle.calm.cases
    assert (battle.calm.code, {outcome for outcome, _ in calm.values()}) == (0, {"passed", "Skipped"})
    for other in (battle.hostile, battle.strict):
        cases = other.cases
        assert {name: cases[name] for name in calm} == calm


def test_the_run_ends_in_time_with_the_right_code_and_without_a_traceback(battle: Battle) -> None:
    for run_ in (battle.hostile, battle.strict):
        assert run_.code == 10  # nothing failed, but much is unknown
        assert run_.seconds < SECONDS + 40  # what hangs would hang for ever; what is slow is this machine
        assert not re.search("Traceback|INTERNALERROR|PytestUnhandledThreadException", run_.output)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one process")
def test_what_is_sent_without_end_is_not_kept(battle: Battle) -> None:
    assert max(battle.hostile.peak, battle.strict.peak) < MEGABYTES


def test_nobody_follows_a_server_elsewhere(battle: Battle) -> None:
    assert battle.trap.connections == 0


# A login that a server forgot is made anew. With Basic it is the password that is refused then. NTLM lets us in, and
# the message alone is refused: a connection that was lost, which is built anew as often as any.
TRIES = {"tls": 2, "sealed": 1 + len(REBUILDS)}


@pytest.mark.parametrize("fault", [Fault.LOCKED_OUT, Fault.ABSURD_401, Fault.PORTAL, Fault.PROXY_407])
def test_who_refuses_a_login_or_asks_for_one_is_left_alone(battle: Battle, fault: Fault) -> None:
    """Accounts are locked after a few wrong passwords, and not everybody is to hear one."""
    for way in WAYS:
        first, later = (battle.played[f"{fault.name.lower()}-{way}-{stage}"] for stage in STAGES)
        assert len(first.log) == RUNS
        asked = Counter(message.query for message in later.log if MACHINES in message.query)
        assert max(asked.values()) <= RUNS * TRIES[way]


def test_the_password_is_in_no_file(battle: Battle) -> None:
    """Nor in any line: ``run_pytest`` looks for it in what was printed."""
    for run_ in (battle.calm, battle.hostile, battle.strict):
        files = [path for path in run_.folder.rglob("*") if path.is_file()]
        assert {"live.jsonl.gz", "x.html", "x.xml", "x.log", "live.yaml", "nodeids"} <= {path.name for path in files}
        assert not [path for path in files if is_in(path.read_bytes())]
