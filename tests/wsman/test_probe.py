"""A look at a listener before anybody logs in: what is learned, and that nothing secret travels."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import LinkError, Why
from compliance.secret import Secret
from compliance.wsman.certificate import MOST_NAMES, certificate_of
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.probe import Visit, addresses_of, reaches, visit
from tests.canary import CANARY
from tests.lab import closed_port
from tests.wsman.authority import Authority
from tests.wsman.listener import IDENTIFIED, Script, answer, drips, listening, over_tls, read_request, says

SECRET = CANARY


def endpoint(port: int, **changes: object) -> Endpoint:
    values: dict[str, object] = {
        "address": "127.0.0.1",
        "port": port,
        "scheme": "http",
        "username": "audit",
        "password": Secret(SECRET),
        "connect": 2,
        "operation": 3,
        **changes,
    }
    return Endpoint(**values)  # type: ignore[arg-type]


def seen(target: Endpoint, **options: bool) -> Visit:
    return visit(target, time.monotonic() + 5, **options)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_what_a_listener_offers() -> None:
    offers = ("WWW-Authenticate: Negotiate", 'WWW-Authenticate: Basic realm="WSMAN", Kerberos', "Server: x/2\x1b[1m")
    with listening(says(answer(401, b"", *offers))) as listener:
        found = seen(endpoint(listener.port))
    assert (found.connected, found.status, found.error) == (True, 401, None)
    assert found.offered == ("Negotiate", "Basic", "Kerberos")
    assert found.server == "x/2\\u001b[1m"


def test_who_it_says_it_is() -> None:
    heads: list[bytes] = []
    with listening(asking(heads, answer(200, IDENTIFIED))) as listener:
        found = seen(endpoint(listener.port), unauthenticated=True)
    assert found.identity is not None
    assert (found.identity.vendor, found.identity.stack) == ("Microsoft Corporation", "3.0")
    assert b"WSMANIDENTIFY: unauthenticated" in heads[0]
    assert b"Authorization" not in heads[0]


def test_a_zone_is_not_sent() -> None:
    """It means something on this machine only; the loopback takes one."""
    heads: list[bytes] = []
    with listening(asking(heads, answer(401)), address="::1") as listener:
        found = seen(endpoint(listener.port, address="::1%lo"))
    assert found.status == 401 or found.error  # not every machine knows a zone there
    assert not any(b"%lo" in head for head in heads)


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.9"])
def test_a_certificate_is_shown_whether_it_is_trusted_or_not(name: str, authority: Authority) -> None:
    script = over_tls(authority.server(name), says(answer(401, b"", "WWW-Authenticate: Negotiate")))
    with listening(script) as listener:
        found = seen(endpoint(listener.port, scheme="https", ca=authority.file))
    assert (found.status, found.offered) == (401, ("Negotiate",))
    assert found.tls is not None
    assert (found.tls.distrust is None) == (name == "127.0.0.1")
    assert found.tls.certificate is not None
    assert found.tls.certificate.names[0] == name
    assert found.tls.certificate.speaks_for("127.0.0.1") is (name == "127.0.0.1")


def test_what_is_known_to_be_untrusted_is_not_verified_again(authority: Authority) -> None:
    script = over_tls(authority.server("127.0.0.9"), says(answer(401)))
    with listening(script) as listener:
        found = visit(endpoint(listener.port, scheme="https"), time.monotonic() + 5, distrust="as before")
        assert listener.connections == 1
    assert found.tls is not None
    assert found.tls.distrust == "as before"


def says_at_once(reply: bytes) -> Script:
    """As an HTTP server does to what is no HTTP."""

    def play(plug: socket.socket) -> None:
        plug.recv(4096)
        plug.sendall(reply)

    return play


def asking(heads: list[bytes], reply: bytes) -> Script:
    """Keeps what was asked."""

    def play(plug: socket.socket) -> None:
        heads.append(read_request(plug)[0])
        plug.sendall(reply)

    return play


def test_a_port_without_tls() -> None:
    with listening(says_at_once(answer(400))) as listener:
        found = seen(endpoint(listener.port, scheme="https"))
    assert (found.connected, found.tls, found.status) == (True, None, 0)
    assert found.error is not None
    assert found.error.why is Why.UNREACHABLE


def test_a_closed_port() -> None:
    found = seen(endpoint(closed_port()))
    assert (found.connected, "refused" in str(found.error)) == (False, True)


def test_an_answer_that_never_ends_is_cut() -> None:
    with listening(drips(b"HTTP/1.1 401 No\r\nX: ", b"y")) as listener:
        start = time.monotonic()
        found = seen(endpoint(listener.port, operation=1))
        assert time.monotonic() - start < 60  # it takes one
    assert found.error is not None
    assert found.error.why is Why.TIMED_OUT


def test_a_body_without_end_is_read_in_part() -> None:
    head = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 999999999\r\n\r\n"
    with listening(drips(head, b"z" * 65536, 0.0)) as listener:
        found = seen(endpoint(listener.port))
    assert (found.status, found.offered, len(found.body)) == (401, ("Basic",), 65536)


def test_the_deadline_of_the_server_counts_too() -> None:
    over = threading.Event()
    with listening(lambda _plug: over.wait(60)) as listener:
        start = time.monotonic()
        found = visit(endpoint(listener.port, operation=60), start + 0.5)
        took = time.monotonic() - start
        over.set()
    assert (found.status, took < 50) == (0, True)


def test_names_and_ports() -> None:
    assert addresses_of(endpoint(1)) == ("127.0.0.1",)
    with pytest.raises(LinkError, match="not known"):
        addresses_of(endpoint(1, address="nowhere.invalid"))
    assert not reaches("127.0.0.1", closed_port(), 1)
    assert not reaches("a" * 300, 1, 1)


# --- certificates -----------------------------------------------------------------------------------------------------


def _certificate(names: list[str]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "evil\u202e\x1b[31m" + "x" * 20)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=2))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_names_are_cut_and_printable() -> None:
    found = certificate_of(_certificate([f"n{number}.{'y' * 60}.example" for number in range(200)]))
    assert found is not None
    assert len(found.names) == MOST_NAMES
    assert (found.subject + "".join(found.names)).isprintable()


def test_a_certificate_without_names() -> None:
    found = certificate_of(_certificate([]))
    assert found is not None
    assert found.names == ()
    assert not found.speaks_for("anything")


@pytest.mark.parametrize(
    ("names", "address", "fits"),
    [
        (["hv01.dr.example"], "HV01.dr.example", True),
        (["*.dr.example"], "hv01.dr.example", True),
        (["*.dr.example"], "a.hv01.dr.example", False),
        (["*.dr.example"], "dr.example", False),
        (["hv01"], "hv01.dr.example", False),
        (["hv01"], "hv01", True),
    ],
)
def test_which_names_a_certificate_speaks_for(names: list[str], address: str, fits: bool) -> None:
    found = certificate_of(_certificate(names))
    assert found is not None
    assert found.speaks_for(address) is fits


@given(st.binary(max_size=300))
def test_any_octets_are_a_certificate_or_none(octets: bytes) -> None:
    assert certificate_of(octets) is None or octets


@given(st.integers(min_value=0, max_value=2000), st.integers(min_value=0, max_value=255))
def test_a_damaged_certificate_is_read_or_not_and_never_an_error(at: int, octet: int) -> None:
    octets = bytearray(_GOOD)
    octets[at % len(octets)] = octet
    found = certificate_of(bytes(octets))
    assert found is None or found.subject.isprintable()


_GOOD = _certificate(["hv01.dr.example"])
