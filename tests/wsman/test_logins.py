"""Each login against pyspnego's acceptor, and how often a wrong password is tried. Kerberos has a folder of its own."""

from __future__ import annotations

import pytest

from compliance.credentials.find import Credential
from compliance.errors import Why
from tests.canary import CANARY
from tests.gather.test_gather import entry, played, read, reading, unread
from tests.host_rows import host_rows
from tests.hosts import Host, Vm
from tests.portable import sspi
from tests.simulator import Simulator
from tests.wire_rows import wire

LARGE = Host(name="HV01", vms=[Vm(name=f"sql{number:02}") for number in range(60)])
PART = 16384  # octets that CredSSP seals at once (MS-WSMV 2.2.9.1.3)


@sspi
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_credssp_reads_what_is_played(scheme: str) -> None:
    with Simulator(played(LARGE), auth="credssp", scheme=scheme) as simulator:  # type: ignore[arg-type]
        found = reading(read([entry("hv01", simulator)]))
    assert {name: len(rows) for name, rows in found.classes.items()} == {
        name: len(rows) for name, rows in wire(host_rows(LARGE)).items()
    }
    assert simulator.principals_seen == ["audit"]
    assert max(message.bytes_out for message in simulator.log) > 2 * PART
    kinds = {"multipart/encrypted", "multipart/x-multi-encrypted"} if scheme == "http" else {"application/soap+xml"}
    assert simulator.content_types_sent == kinds


# Messages of one login to its end; a second try would need as many again.
WRONG = {
    "basic": (["https"], 1),
    "ntlm": (["http", "https"], 2),
    "credssp": (["http", "https"], 4),
}


@pytest.mark.parametrize(
    ("auth", "scheme", "messages"),
    [
        pytest.param(auth, scheme, messages, marks=[sspi] if auth == "credssp" else [])
        for auth, (schemes, messages) in WRONG.items()
        for scheme in schemes
    ],
)
def test_a_wrong_password_is_tried_once(auth: str, scheme: str, messages: int) -> None:
    with Simulator(played(LARGE), auth=auth, scheme=scheme) as simulator:  # type: ignore[arg-type]
        snapshot = read([entry("hv01", simulator)], {"audit": Credential(username="audit", password=f"{CANARY}-wrong")})
    found = unread(snapshot)
    assert found.why is Why.LOGIN_REFUSED
    assert f"login refused (HTTP 401): tried {auth} as audit, " in found.reason
    assert f"{CANARY}-wrong" not in found.reason
    assert len(simulator.authorization_seen) == messages
    assert simulator.log == []
