"""Whose certificates are trusted where an inventory names no `ca:`: the public authorities that requests ships, and on
Windows those of its certificate store, into which a domain brings its own (ssl.enum_certificates).
"""

from __future__ import annotations

import atexit
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

SERVER = "1.3.6.1.5.5.7.3.1"
"""The purpose of proving a TLS server (RFC 5280, id-kp-serverAuth)."""
STORE = "ROOT"
"""Trusted Root Certification Authorities, of this machine, its user and its domain. What stands between is the server's
to send."""
Enumerate = Callable[[str], Iterable[tuple[bytes, str, bool | Iterable[str]]]]
"""Store -> certificate, its encoding, and the purposes it is trusted for: True for all."""
ENUMERATE: Enumerate | None = getattr(ssl, "enum_certificates", None)
"""Of Windows alone."""


def authorities_file(ca: Path | None) -> str:
    """Return the file of the certificates that are trusted."""
    return str(ca or usual_authorities(ENUMERATE))


def authorities_text(*, has_store: bool = ENUMERATE is not None) -> str:
    """Return what ``authorities_file`` trusts where no `ca:` is set, in words."""
    return "a public authority or one of Windows' certificate store" if has_store else "a public authority"


@cache
def usual_authorities(enumerate_store: Enumerate | None) -> Path:
    """Return requests' file, or a copy for this process to which a store's certificates are added."""
    shipped = Path(DEFAULT_CA_BUNDLE_PATH)
    if enumerate_store is None:
        return shipped
    try:
        added = "".join(_certificates(enumerate_store))
        with tempfile.NamedTemporaryFile(prefix="hyperv-compliance-", suffix=".pem", delete=False) as file:
            file.write(shipped.read_bytes() + b"\n" + added.encode("ascii"))
    except OSError:  # a store that can't be opened adds nothing
        return shipped
    atexit.register(_delete, Path(file.name))
    return Path(file.name)


def _certificates(enumerate_store: Enumerate) -> Iterator[str]:
    for octets, encoding, purposes in enumerate_store(STORE):
        is_for_servers = purposes if isinstance(purposes, bool) else SERVER in purposes
        if encoding == "x509_asn" and is_for_servers:
            yield ssl.DER_cert_to_PEM_cert(octets)


def _delete(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
