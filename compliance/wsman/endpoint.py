"""Where a host listens and how we log in there: what a connection needs to know, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from compliance.secret import Secret

NO_PASSWORD = Secret("")
SEALED = frozenset({"ntlm", "kerberos", "credssp"})
"""Logins whose session also encrypts messages, so that plain http is safe with them (MS-WSMV 2.2.9.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One WinRM listener. ``address`` is a name, an IPv4 or an IPv6 address, the last with a zone if need be.

    ``connect``: seconds for reaching it; ``operation``: seconds from a message's first octet to its answer's last.
    ``origin`` says where the login came from, for who must correct it.
    ``cleartext`` True lets messages, and Basic's password, travel over http as they are.
    ``ca`` None means those of authorities.py; ``verify`` False trusts any certificate. ``cache``
    names the credential cache that holds Kerberos' ticket, None is whoever's runs this; it may ask a KDC, and raise
    LinkError. ``kerberos_host`` is the name of the host's ticket, where that is not its address.
    """

    address: str
    port: int = 5986
    scheme: str = "https"
    path: str = "/wsman"
    transport: str = "ntlm"
    username: str = ""
    password: Secret = NO_PASSWORD
    origin: str = field(default="", compare=False)
    cache: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    ca: Path | None = None
    verify: bool = True
    cleartext: bool = False
    kerberos_host: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    connect: float = 10.0
    operation: float = 60.0

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        """The listener's URL; an IPv6 zone is written ``%25zone`` (RFC 6874)."""
        return self._url(self.address.replace("%", "%25"))

    @property
    def request_url(self) -> str:
        """The URL without a zone: a zone means something on this machine only and must not be sent (RFC 6874)."""
        return self._url(self.address.partition("%")[0])

    @property
    def encrypted(self) -> bool:
        return self.scheme == "https"

    @property
    def sealed(self) -> bool:
        """Messages are encrypted by the login's session, since TLS isn't there to do it."""
        return self.transport in SEALED and not self.encrypted and not self.cleartext

    @property
    def server_seconds(self) -> float:
        """What to ask of the host as OperationTimeout: a little less than we wait, so that its own fault arrives."""
        return self.operation * 0.9

    def _url(self, address: str) -> str:
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}/{self.path.removeprefix('/')}"
