"""The simulator's mischief is as bad as it says: else those who withstand it withstand nothing."""

import base64
import contextlib
import re
import socket
import time
from xml.etree import ElementTree as ET

import pytest
import requests

from tests.simulator import Fault, Simulator
from tests.simulator.mischief import ATTRIBUTES, DEPTH, LARGE
from tests.simulator.test_simulator import PASSWORD, V2, Client, context_of, enumerate_request, fault_answer, vms

TRAP = "http://127.0.0.1:9/trap"


@pytest.mark.slow
def test_a_text_can_be_spoilt():
    elsewhere = fault_answer(Fault.EXTERNAL_ENTITIES, redirect_to=TRAP).text
    assert elsewhere.startswith("<!DOCTYPE")
    assert 'SYSTEM "file:///' in elsewhere
    assert f'SYSTEM "{TRAP}"' in elsewhere
    assert re.search(f"<p:.*>[^<]+{'<d>' * DEPTH}{'</d>' * DEPTH}</p:", fault_answer(Fault.DEEP).text)
    assert len(ET.fromstring(fault_answer(Fault.BROAD).content).find(".//a").attrib) == ATTRIBUTES
    assert b"\xff" in fault_answer(Fault.NOT_UTF8).content
    assert b"\x01" in fault_answer(Fault.CONTROL_CHARACTERS).content


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.REDIRECT_307, 307),
        (Fault.FORGOTTEN, 400),
        (Fault.LOCKED_OUT, 401),
        (Fault.HTML_404, 404),
        (Fault.PROXY_407, 407),
        (Fault.EMPTY_413, 413),
        (Fault.GATEWAY_502, 502),
        (Fault.PORTAL, 200),
    ],
)
def test_something_else_can_be_answered(fault, status):
    answer = fault_answer(fault, redirect_to=TRAP)
    assert (answer.status_code, b"Envelope" in answer.content) == (status, False)


def test_a_bomb_is_small_and_grows():
    def sizes(client: Client) -> tuple[int, int]:
        body = enumerate_request(f"{V2}/Msvm_ComputerSystem").encode()
        with client.session.post(client.url, data=body, timeout=5, stream=True) as answer:
            return int(answer.headers["Content-Length"]), sum(map(len, answer.iter_content(2**20)))

    packed, grown = fault_answer(Fault.BOMB, sizes)
    assert (packed < grown / 90, grown) == (True, LARGE)


def test_a_context_can_stay_the_same():
    def contexts(client: Client) -> set[str]:
        first = context_of(client.enumerate("Msvm_ComputerSystem"))
        return {first, *(context_of(client.pull(first)) for _ in range(3))}

    assert len(fault_answer(Fault.SAME_CONTEXT, contexts)) == 1


def heard(fault: Fault, seconds: float = 0.5) -> tuple[bytes, bytes, int]:
    """What comes in this time: the head, the beginning of the body, and the octets of all."""
    body = enumerate_request(f"{V2}/Msvm_ComputerSystem").encode()
    login = base64.b64encode(f"audit:{PASSWORD}".encode()).decode()
    request = f"POST /wsman HTTP/1.1\r\nAuthorization: Basic {login}\r\nContent-Length: {len(body)}\r\n\r\n"
    received, size, end = b"", 0, time.monotonic() + seconds
    with (
        Simulator(vms(3), scheme="http", faults={"*": fault}) as simulator,
        socket.create_connection((simulator.host, simulator.port), timeout=seconds) as plug,
        contextlib.suppress(TimeoutError),
    ):
        plug.sendall(request.encode() + body)
        while time.monotonic() < end and (part := plug.recv(65536)):
            received, size = (received + part)[:8192], size + len(part)
    head, _, start = received.partition(b"\r\n\r\n")
    return head, start, size


def test_octets_can_come_in_ways_that_never_end_well():
    head, _, size = heard(Fault.DRIP_HEAD)
    assert re.fullmatch(rb"HTTP/1.1 200 OK\r\nX-Slow: x{1,5}", head), head
    head, half, _ = heard(Fault.STALL_IN_BODY)
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) // 2 == len(half) > 100
    for fault, status, length in ((Fault.FLOOD_ANNOUNCED, b"200", LARGE), (Fault.ABSURD_401, b"401", 100 * LARGE)):
        head, _, size = heard(fault)
        assert head.startswith(b"HTTP/1.1 " + status)
        assert f"Content-Length: {length}".encode() in head
        assert size > 2**20


def test_tls_can_stall():
    with Simulator(vms(0), faults={"*": Fault.STALL_IN_TLS}) as simulator, pytest.raises(requests.Timeout):
        requests.post(simulator.url, data=b"", verify=str(simulator.ca), timeout=0.3)
