"""The CredSSP login as requests_credssp makes it, but to its end, and by terms that nobody in between has weakened.

CredSSP's TLS proves nobody's name: its certificate is checked by nobody (MS-CSSP 3.1.5), and whoever stands between may
end that TLS himself. What keeps him out is the server's proof of its key under the session of the login inside. So
nothing but the login travels before that proof has come, and it must rest on keys that can't be guessed.

Only imported where the transport is ``credssp``: requests_credssp comes with an extra.
"""

from __future__ import annotations

import re
import ssl
from typing import Any
from urllib.parse import urlsplit

import requests
import requests_credssp.credssp
import spnego
import spnego.tls
from requests_credssp.exceptions import AuthenticationException

from compliance.wsman.endpoint import Endpoint
from compliance.wsman.http_answers import explain_cut_login, explain_old_login, explain_weak_session
from compliance.wsman.ntlm_terms import is_weak

_library: Any = requests_credssp.credssp  # which has no types

# Below it a server's proof can be turned against another server (CVE-2018-0886). Windows' own clients refuse it as well
# (KB4093492, "Encryption Oracle Remediation": Mitigated, the default since May 2018).
LEAST_VERSION = 5
_TOKEN = re.compile(r"CredSSP ([^,\s]*)$", re.IGNORECASE)


class CredSSPLogin(_library.HttpCredSSPAuth):  # type: ignore[misc]  # a base without types
    """One session's login. requests_credssp's own takes any answer 200 for the login's end, also one that came before
    the server had proved anything; then messages are sealed for whoever answered."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint.username, endpoint.password.reveal())
        self._endpoint = endpoint

    @property
    def is_complete(self) -> bool:
        """Return whether the server has proved its key, and been sent the credential."""
        return any(context.is_complete for context in self.contexts.values())

    def handle_401(self, response: requests.Response, **keywords: Any) -> requests.Response:
        """Return the answer to the last token. Raises LinkError where it ended too early or its terms are weak."""
        host = urlsplit(response.url).hostname or ""
        context = self.contexts[host] = _Context(host, self._endpoint)
        steps = context.credssp_generator()
        token, stage = next(steps)
        while True:
            context.refuse_weak_terms()
            _ = response.content  # or the connection is not free
            response.raw.release_conn()
            request = response.request.copy()
            self._set_credssp_token(request, token)
            response = response.connection.send(request, **keywords)
            if response.status_code != requests.codes.unauthorized:
                break
            try:
                token, stage = steps.send(self._get_credssp_token(response, _TOKEN, stage))
            except StopIteration:
                break
            except AuthenticationException:
                context.refuse_weak_terms()  # without some words the proof can't even be written
                raise
        if response.ok and not context.is_complete:
            raise explain_cut_login(self._endpoint)
        return response


class _Context(_library.CredSSPContext):  # type: ignore[misc]  # a base without types
    """What requests_credssp and pywinrm call a context: its login is by NTLM in Python, on Windows as elsewhere."""

    def __init__(self, host: str, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        credential = spnego.Password(username=endpoint.username, password=endpoint.password.reveal())
        # NTLM alone, or a wrong password may be tried with a KDC first, and with the host then.
        options = spnego.NegotiateOptions.use_ntlm
        self._ntlm = spnego.client(credential, hostname=host, service="HTTP", protocol="ntlm", options=options)
        tls = spnego.tls.default_tls_context("initiate")
        tls.context.sslobject_class = _Channel
        self._context = spnego.client(
            credential,
            hostname=host,
            service="HTTP",
            protocol="credssp",
            credssp_negotiate_context=self._ntlm,
            credssp_tls_context=tls,
        )

    @property
    def is_complete(self) -> bool:
        return bool(self._context.complete)

    def refuse_weak_terms(self) -> None:
        """Raise LinkError in place of a step that would rest on weak keys, or on the old proof."""
        version = self._context.get_extra_info("protocol_version")
        if version is not None and version < LEAST_VERSION:
            raise explain_old_login(self._endpoint, version)
        if self._ntlm.complete and is_weak(self._ntlm):
            raise explain_weak_session(self._endpoint)


class _Channel(ssl.SSLObject):
    """CredSSP's TLS, whose end is an error: pyspnego reads on for ever where the other side closes it."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  # the library's name
        octets = super().read(len, buffer)
        if not octets:
            raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "TLS closed")
        return octets
