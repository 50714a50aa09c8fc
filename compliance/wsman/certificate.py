"""A host's certificate for people to look at: whether it is trusted was decided by OpenSSL, not here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from compliance.words import shorten

MOST_NAMES = 20
"""Names of a certificate that are kept; a host may write as many as it likes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What is written in it. ``names`` are those that a client compares (SAN: DNS names and addresses)."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    fingerprint: str  # SHA-256, in hex

    def days_left(self, now: datetime) -> int:
        """Return whole days; negative when it has expired."""
        return (self.valid_to - now).days

    def speaks_for(self, address: str) -> bool:
        """Return whether ``address`` is among its names. A ``*`` stands for one whole label, the first (RFC 6125)."""
        if address in self.names:
            return True
        with suppress(ValueError):
            return str(ip_address(address)) in self.names
        first, _, parent = address.casefold().partition(".")
        folded = {name.casefold() for name in self.names}
        return address.casefold() in folded or bool(first and parent and f"*.{parent}" in folded)


def certificate_of(octets: bytes) -> Certificate | None:
    """Return what is in a certificate; None for one that can't be read. It comes from a host, so any name in it is cut
    and made one line."""
    try:
        read = x509.load_der_x509_certificate(octets)
        return Certificate(
            subject=_name(read.subject),
            issuer=_name(read.issuer),
            names=tuple(_names(read)),
            valid_from=read.not_valid_before_utc,
            valid_to=read.not_valid_after_utc,
            fingerprint=read.fingerprint(hashes.SHA256()).hex().upper(),
        )
    except Exception:  # an error of a kind of its own for each way in which ASN.1 can be wrong, not all of them listed
        return None


def _name(name: x509.Name) -> str:
    return shorten(name.rfc4514_string(), 160) or "nobody"


def _names(read: x509.Certificate) -> Iterator[str]:
    try:
        alternative = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    known = [name for name in alternative if isinstance(name, x509.DNSName | x509.IPAddress)]
    for name in known[:MOST_NAMES]:
        yield shorten(str(name.value), 120)
