"""Whatever somebody in between does, no verdict becomes greener than it was without him, and he hears no password.

Two servers of a small estate are read through him, over sealed NTLM and over TLS, and judged as any run is. All are
bare sockets and pyspnego's acceptor; nothing is ``tests/simulator``'s.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.audit import judge_snapshot
from compliance.credentials.find import Credential
from compliance.errors import ReadError
from compliance.gather.server import Reader, endpoint_of
from compliance.gather.sources import source_of
from compliance.inventory.inventory import Entry, Limits
from compliance.judge.scope import Scope
from compliance.model import Unread
from compliance.rule import Result
from compliance.secret import Secret
from compliance.snapshot.snapshot import Reading, Snapshot
from compliance.wsman.connection import Connection
from tests.adversary.middle import FORGED, MOVES, TLS_MOVES, Middle, Move, Wiretap
from tests.adversary.origin import encrypted, sealed
from tests.adversary.service import Service
from tests.builders import snapshot
from tests.canary import CANARY
from tests.host_rows import host_rows
from tests.hosts import NOW, Host, Nic, Vm, replica_of
from tests.profiles import examples
from tests.wire_rows import wire
from tests.wsman.authority import Authority
from tests.wsman.listener import Script, listening, over_tls

PASSWORD = f"{CANARY} of the horse"
LOGIN = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
CLOSED = (Result.FAILED, Result.UNKNOWN)
LIMITS = Limits(connect=5.0, operation=10.0, server=60.0)
HASTE = Limits(connect=0.5, operation=0.5, server=20.0)
"""Where somebody in between may hold an answer back for ever: who is late is unread, which is no greener."""

GOOD = Vm(name="sql01")
NO_CONTACT = Vm(name="web01", kvp=12)
NO_ADDRESS = Vm(name="app01", nics=(Nic(), Nic(name="Backup", addresses=("10.3.0.9",), subnets=("255.255.255.0",))))
PRIMARY = Host(name="HV01", vms=[GOOD, NO_CONTACT, NO_ADDRESS])
REPLICA = Host(name="HV02", vms=[replica_of(GOOD), replica_of(NO_CONTACT), replica_of(NO_ADDRESS, name="app01")])
IN_PART = {"MSCluster_Node": [{"Name": "HV01", "State": "0"}, {"Name": "HV03", "State": "0"}]}
"""One node of a cluster, of whose other nothing is listed: what it shows may be half of it."""
OPERATING_SYSTEM = {"Win32_OperatingSystem": [{"Version": "10.0.20348", "LocalDateTime": "2026-11-02T06:30:00Z"}]}


def estate() -> dict[str, Service]:
    cluster = {**IN_PART, "MSCluster_Cluster": [{"Name": "CLU"}]}
    primary = {**wire(host_rows(PRIMARY)), **cluster, **OPERATING_SYSTEM}
    return {"hv01": Service(primary), "hv02": Service({**wire(host_rows(REPLICA)), **OPERATING_SYSTEM})}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def _users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """pyspnego's acceptor finds its users by a variable of the whole process."""
    path = tmp_path_factory.mktemp("users") / "users.secret"
    path.write_text(f"LAB:reader:{PASSWORD}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NTLM_USER_FILE", str(path))
        yield


@pytest.fixture(scope="module")
def sealing(_users: None) -> Iterator[dict[str, int]]:
    """Ports of the honest servers, by name."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(listening(sealed(service.answer))).port for name, service in estate().items()}


@pytest.fixture(scope="module")
def encrypting(authority: Authority) -> Iterator[dict[str, int]]:
    context = authority.server("127.0.0.1")
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(listening(encrypted(service.answer, context, LOGIN))).port
            for name, service in estate().items()
        }


def over_http(name: str, port: int) -> Entry:
    return Entry(name=name, address="127.0.0.1", port=port, scheme="http", transport="ntlm", credential="audit")


def over_https(name: str, port: int, ca: Path) -> Entry:
    return Entry(name=name, address="127.0.0.1", port=port, transport="basic", credential="audit", ca=ca)


def read(entry: Entry, limits: Limits) -> Reading | Unread:
    """One server, by the audit's own reader; only that nobody sleeps between two attempts."""
    user = "LAB\\reader" if entry.transport in ("ntlm", "credssp") else "reader"
    endpoint = endpoint_of(entry, Credential(username=user, password=Secret(PASSWORD)), limits)
    deadline = time.monotonic() + limits.server
    try:
        with Connection(endpoint, deadline) as connection:
            patience = endpoint.server_seconds
            reader = Reader(connection, deadline, patience, lambda: NOW, lambda *_: None, sleep=lambda _: None)
            return reader.read()
    except ReadError as error:
        return Unread(str(error), error.why)


def verdicts(entries: list[Entry], limits: Limits = LIMITS) -> dict[str, Result]:
    taken: Snapshot = snapshot(*(source_of(entry, read(entry, limits)) for entry in entries))
    return {verdict.id: verdict.outcome.result for verdict in judge_snapshot(taken, Scope()).verdicts}


Scripts = Mapping[str, Script]
Ways = Callable[[str, int], Entry]


def read_through(scripts: Scripts, way: Ways, limits: Limits = HASTE) -> dict[str, Result]:
    with contextlib.ExitStack() as stack:
        entries = [way(name, stack.enter_context(listening(script)).port) for name, script in scripts.items()]
        return verdicts(entries, limits)


@pytest.fixture(scope="module")
def calm(sealing: dict[str, int]) -> dict[str, Result]:
    """The verdicts without anybody in between."""
    found = verdicts([over_http(name, port) for name, port in sealing.items()])
    assert {*found.values()} >= {Result.PASSED, Result.FAILED, Result.UNKNOWN}
    return found


def greener(calm: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, str]:
    """Return what was failed or unknown and is not any more. The case of a server stands in for its machines'."""
    now = {case: after.get(case, after.get(case.partition("/")[0] + "]")) for case in calm}
    return {case: f"{was} -> {now[case]}" for case, was in calm.items() if was in CLOSED and now[case] not in CLOSED}


def assert_heard_nothing(heard: bytes) -> None:
    for secret in (PASSWORD.encode(), PASSWORD.encode("utf-16-le"), LOGIN.encode()):
        assert secret not in heard


# --- sealed over http -------------------------------------------------------------------------------------------------

kinds = st.builds(Move, st.sampled_from(sorted(MOVES.keys() - {"say nothing", "pass"})), st.integers(0, 400))
numbers = st.integers(0, 60)  # a calm run has some fifty exchanges with each server


def test_nobody_in_between_changes_nothing(calm: dict[str, Result], sealing: dict[str, int]) -> None:
    quiet = {name: Middle(port, {}) for name, port in sealing.items()}
    assert read_through(quiet, over_http, LIMITS) == calm
    assert min(middle.exchanges for middle in quiet.values()) > 30


@pytest.mark.slow
@settings(max_examples=examples(200))
@given(st.fixed_dictionaries({name: st.dictionaries(numbers, kinds, max_size=4) for name in ("hv01", "hv02")}))
@example({"hv01": {5: Move("say nothing")}, "hv02": {}})
def test_what_is_sealed_becomes_no_greener(
    calm: dict[str, Result], sealing: dict[str, int], moves: dict[str, dict[int, Move]]
) -> None:
    middles = {name: Middle(port, moves[name]) for name, port in sealing.items()}
    assert greener(calm, read_through(middles, over_http)) == {}
    assert_heard_nothing(b"".join(bytes(middle.heard) for middle in middles.values()))


@pytest.mark.slow
@settings(max_examples=examples(150))
@given(st.sampled_from(["forge", "forge unasked"]), st.integers(0, len(FORGED) - 1), numbers, st.booleans())
def test_nor_by_one_answer_for_all_that_is_asked_from_some_moment_on(
    calm: dict[str, Result], sealing: dict[str, int], kind: str, number: int, since: int, is_primary: bool
) -> None:
    name = "hv01" if is_primary else "hv02"
    middles = {
        other: Middle(port, {}, always=Move(kind, number) if other == name else None, since=since)
        for other, port in sealing.items()
    }
    assert greener(calm, read_through(middles, over_http)) == {}
    assert_heard_nothing(b"".join(bytes(middle.heard) for middle in middles.values()))


# --- TLS --------------------------------------------------------------------------------------------------------------

tapped = st.builds(Move, st.sampled_from(TLS_MOVES), st.integers(0, 4000))


def test_nor_does_nobody_at_a_connection_over_tls(
    calm: dict[str, Result], encrypting: dict[str, int], authority: Authority
) -> None:
    taps = {name: Wiretap(port, {}) for name, port in encrypting.items()}
    assert read_through(taps, lambda name, port: over_https(name, port, authority.file), LIMITS) == calm


@pytest.mark.slow
@settings(max_examples=examples(30))
@given(st.fixed_dictionaries({name: st.dictionaries(numbers, tapped, max_size=3) for name in ("hv01", "hv02")}))
def test_what_is_encrypted_becomes_no_greener(
    calm: dict[str, Result], encrypting: dict[str, int], authority: Authority, moves: dict[str, dict[int, Move]]
) -> None:
    taps = {name: Wiretap(port, moves[name]) for name, port in encrypting.items()}
    after = read_through(taps, lambda name, port: over_https(name, port, authority.file))
    assert greener(calm, after) == {}
    assert_heard_nothing(b"".join(bytes(tap.heard) for tap in taps.values()))


@pytest.mark.parametrize("certified", ["by another authority", "for another name", "not at all"])
def test_who_stands_in_for_a_server_hears_no_password(
    authority: Authority, tmp_path: Path, certified: str, calm: dict[str, Result]
) -> None:
    """He has read no word when the certificate is refused; what he says in plain http is none of TLS."""
    heard = bytearray()

    def listen(plug: object) -> None:
        while octets := plug.recv(65536):  # type: ignore[attr-defined]
            heard.extend(octets)
            plug.sendall(FORGED[0])  # type: ignore[attr-defined]

    contexts = {
        "by another authority": lambda: Authority(tmp_path).server("127.0.0.1"),
        "for another name": lambda: authority.server("127.0.0.9"),
    }
    script: Script = over_tls(contexts[certified](), listen) if certified in contexts else listen
    after = read_through({"hv01": script, "hv02": script}, lambda name, port: over_https(name, port, authority.file))
    assert greener(calm, after) == {}
    assert_heard_nothing(bytes(heard))
    if certified in contexts:
        assert heard == b""
