"""How one logs in to a WinRM listener: the keys that servers and Windows guests share, and what contradicts what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from compliance.files.keys import CREDENTIAL, File, Model

PORTS = {"https": 5986, "http": 5985}

PRINCIPAL = r"^[^\s\x00-\x1f\\@\x7f-\x9f]+(@[^\s\x00-\x1f\\@\x7f-\x9f]+)?$"


class Listener(Model):
    """What a server or a Windows guest may say of its listener."""

    scheme: Literal["https", "http"] = "https"
    """https (port 5986) or http (port 5985; NTLM, Kerberos and CredSSP encrypt the messages themselves)."""
    transport: Literal["ntlm", "kerberos", "certificate", "credssp", "basic"] = "ntlm"
    """How we log in."""
    credential: Annotated[str, Field(pattern=CREDENTIAL, max_length=60)] | None = None
    """`audit` is COMPLIANCE_AUDIT_USERNAME and COMPLIANCE_AUDIT_PASSWORD, or what `credentials` says of it; ntlm,
    credssp and basic need one."""
    keytab: File | None = None
    """Keys for transport kerberos, in place of the ticket of whoever runs this; relative to the inventory's folder."""
    principal: Annotated[str, Field(pattern=PRINCIPAL, max_length=200)] | None = None
    """Whose ticket, for transport kerberos; only where the keytab or the ticket cache has several."""
    ca: File | None = None
    """Certificates (PEM) that we trust instead of the system's; relative to the inventory's folder."""
    verify: bool = True
    """false accepts any certificate: whoever stands in between can read and change what we see."""
    cleartext: bool = False
    """true: over http nothing is encrypted, and with transport basic the password neither; reports say so."""
    certificate: File | None = None
    """Our certificate (PEM), for transport certificate only; relative to the inventory's folder."""
    key: File | None = None
    """The certificate's private key (PEM); relative to the inventory's folder."""

    @property
    def login(self) -> str | None:
        """What it logs in with, in a word that all who log in by the same share; None is whoever runs this."""
        return f"{self.principal or 'whoever'} of {self.keytab}" if self.keytab else self.credential


def conflicts(listener: Listener) -> Iterator[tuple[str, str]]:
    """Key, and what is wrong with it."""
    by_certificate = listener.transport == "certificate"
    if listener.transport in {"ntlm", "credssp", "basic"} and listener.credential is None:
        yield "credential", f"transport `{listener.transport}` needs one"
    if by_certificate and listener.scheme == "http":
        yield "scheme", "transport `certificate` needs https"
    if listener.transport == "basic" and listener.scheme == "http" and not listener.cleartext:
        risk = "over http the password is readable (`cleartext: true` allows it)"
        yield "scheme", f"transport `basic` needs https: {risk}"
    if listener.cleartext and listener.scheme == "https":
        yield "cleartext", "scheme `https` has no use for it"
    if listener.transport == "kerberos" and listener.credential is not None:
        yield "credential", "transport `kerberos` has no use for it (`credential: null` takes a default back)"
    for key, value in (("keytab", listener.keytab), ("principal", listener.principal)):
        if value is not None and listener.transport != "kerberos":
            yield key, f"transport `{listener.transport}` has no use for it"
    for key, file in (("certificate", listener.certificate), ("key", listener.key)):
        if by_certificate and file is None:
            yield key, "transport `certificate` needs one"
        if file is not None and not by_certificate:
            yield key, f"transport `{listener.transport}` has no use for it"
