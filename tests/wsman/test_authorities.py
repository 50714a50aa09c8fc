"""Who is trusted where no `ca:` is set: what requests ships, and on Windows what its certificate store holds."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from compliance.wsman.authorities import SERVER, Enumerate, authorities_file, authorities_text, usual_authorities
from tests.wsman.authority import Authority

CLIENT = "1.3.6.1.5.5.7.3.2"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def store_of(authority: Authority, encoding: str, purposes: bool | Iterable[str]) -> Enumerate:
    """Return a store of Windows' that holds one certificate."""
    octets = ssl.PEM_cert_to_DER_cert(authority.file.read_text())

    def enumerate_store(name: str) -> list[tuple[bytes, str, bool | Iterable[str]]]:
        return [(octets, encoding, purposes)] if name == "ROOT" else []

    return enumerate_store


def is_trusted(authority: Authority, file: Path) -> bool:
    """Return whether a server of the authority's is trusted by the certificates of a file: a handshake in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = authority.server("127.0.0.1").wrap_bio(to_server, to_client, server_side=True)
    try:
        for side in (client, server, client):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    except ssl.SSLCertVerificationError:
        return False
    return client.version() is not None


@pytest.mark.parametrize(
    ("encoding", "purposes", "trusted"),
    [
        ("x509_asn", True, True),
        ("x509_asn", {SERVER, CLIENT}, True),
        ("x509_asn", {CLIENT}, False),
        ("x509_asn", frozenset(), False),
        ("x509_asn", False, False),
        ("pkcs_7_asn", True, False),
    ],
)
def test_a_store_adds_whom_it_trusts_for_servers(
    encoding: str, purposes: bool | Iterable[str], trusted: bool, authority: Authority
) -> None:
    file = usual_authorities(store_of(authority, encoding, purposes))
    assert is_trusted(authority, file) is trusted
    assert file.read_bytes().startswith(Path(DEFAULT_CA_BUNDLE_PATH).read_bytes())


def test_without_a_store_it_is_what_requests_ships(authority: Authority) -> None:
    assert usual_authorities(None) == Path(DEFAULT_CA_BUNDLE_PATH)
    assert not is_trusted(authority, usual_authorities(None))


def test_a_store_that_can_not_be_opened_adds_nothing() -> None:
    def enumerate_store(name: str) -> list[tuple[bytes, str, bool | Iterable[str]]]:
        raise PermissionError(name)

    assert usual_authorities(enumerate_store) == Path(DEFAULT_CA_BUNDLE_PATH)


def test_an_inventorys_own_file_counts_alone(authority: Authority) -> None:
    assert authorities_file(authority.file) == str(authority.file)


def test_the_doctors_words_name_the_store_where_there_is_one() -> None:
    assert "Windows" in authorities_text(has_store=True)
    assert "Windows" not in authorities_text(has_store=False)
