"""The Kerberos login as pywinrm makes it, but by the mechanism's name, and as nobody else than the inventory says.

Only imported where the transport is ``kerberos``: pywinrm's part needs pykerberos, or winkerberos on Windows.
"""

from __future__ import annotations

from typing import Any

import requests
from winrm.vendor.requests_kerberos import kerberos_
from winrm.vendor.requests_kerberos.exceptions import KerberosExchangeError

from compliance.errors import LinkError, Why
from compliance.words import shorten
from compliance.wsman import tickets
from compliance.wsman.endpoint import Endpoint

_pywinrm: Any = kerberos_  # which has no types
kerberos: Any = _pywinrm.kerberos  # or winkerberos


class KerberosLogin(_pywinrm.HTTPKerberosAuth):  # type: ignore[misc]  # a base without types
    """One session's login. ``user`` is who logged in, by the host's own proof of the exchange; None before.

    pykerberos takes a principal's credential from whichever mechanism has one. Where Debian's gss-ntlmssp is installed
    that mechanism always has, and the ticket of whoever's is in the cache was used without a word (seen with
    gss-ntlmssp 1.2.0). So no principal is handed to it: ``tickets`` has chosen the cache that holds its ticket.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            mutual_authentication=_pywinrm.REQUIRED,
            force_preemptive=True,
            principal=None if tickets.CHOOSES_CACHES else endpoint.username or None,
            hostname_override=endpoint.kerberos_host,
            sanitize_mutual_error_response=False,
        )
        self._endpoint = endpoint
        self.user: str | None = None

    def generate_request_header(self, response: Any, host: str, is_preemptive: bool = False) -> str:
        """Return the header of one leg. Raises KerberosExchangeError with GSSAPI's numbers, as pywinrm's own."""
        name = f"{self.service}@{self.hostname_override or host}"
        flags = kerberos.GSS_C_MUTUAL_FLAG | kerberos.GSS_C_SEQUENCE_FLAG
        challenge = "" if is_preemptive else _pywinrm._negotiate_value(response) or ""  # noqa: SLF001  # as pywinrm itself reads it
        bindings = {"channel_bindings": self.cbt_struct} if self.cbt_struct else {}
        stage = "authGSSClientInit()"
        try:
            _, context = kerberos.authGSSClientInit(
                name, principal=self.principal, gssflags=flags, mech_oid=kerberos.GSS_MECH_OID_KRB5
            )
            self.context[host] = context
            stage = "authGSSClientStep()"
            kerberos.authGSSClientStep(context, challenge, **bindings)
        except kerberos.GSSError as error:
            raise KerberosExchangeError(f"{stage} failed: {error.args}") from error
        return f"Negotiate {kerberos.authGSSClientResponse(context)}"

    def authenticate_server(self, response: requests.Response) -> bool:
        """Look at the host's proof, and at who we are to it. Raises LinkError where that is somebody else."""
        if not super().authenticate_server(response):
            return False
        (context,) = self.context.values()
        self.user = kerberos.authGSSClientUserName(context) or ""
        if tickets.CHOOSES_CACHES and not is_same(self._endpoint.username, self.user):
            raise LinkError(
                f"{self._endpoint}: logged in as {shorten(self.user, 80) or 'nobody'} in place of"
                f" {shorten(self._endpoint.username, 80)}: nothing was read",
                why=Why.LOGIN_REFUSED,
            )
        return True


def is_same(principal: str, user: str) -> bool:
    """Return whether ``user`` is the principal. ``principal`` may leave the default realm out; empty means whoever the
    ticket is for."""
    return not principal or principal == (user if "@" in principal else user.rpartition("@")[0])
