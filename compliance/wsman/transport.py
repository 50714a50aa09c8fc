"""pywinrm's Transport with its open ends closed: redirects, proxies, sizes, compression, time, and clear answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
from winrm.exceptions import InvalidCredentialsError
from winrm.transport import Transport

from compliance.wsman.authorities import authorities_file
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.gauge import Gauge, head_of
from compliance.wsman.http_answers import explain_clear_answer
from compliance.wsman.sealing import Sealing, refuse_cut_login

# Logins over TLS that concern a connection, or stand in the same header of each message. Kerberos answers for each
# message anew.
_LOGIN_STAYS = frozenset({"ntlm", "basic", "certificate"})


class HardenedTransport(Transport):
    """One host's session, but for NTLM over http (``ntlm``).

    ``setup_encryption`` and ``build_session`` are overridden because, with a sealed login over http, pywinrm sends the
    first message while it still builds the session."""

    def __init__(self, endpoint: Endpoint, gauge: Gauge) -> None:
        super().__init__(
            endpoint=endpoint.request_url,
            username=endpoint.username or None,  # an empty principal is not the ticket's own
            password=endpoint.password.reveal(),
            # Explicit, or REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would choose whom we trust.
            ca_trust_path=authorities_file(endpoint.ca),
            cert_pem=str(endpoint.certificate) if endpoint.certificate else None,
            cert_key_pem=str(endpoint.key) if endpoint.key else None,
            server_cert_validation="validate" if endpoint.verify else "ignore",
            kerberos_hostname_override=endpoint.kerberos_host,
            service="HTTP",  # of the ticket; pywinrm's Transport, other than its Protocol, has None for a default
            auth_method=endpoint.transport,  # type: ignore[arg-type]  # an unknown one is refused by pywinrm itself
            message_encryption="always" if endpoint.sealed else "never",
            proxy=None,
        )
        self._endpoint = endpoint
        self._gauge = gauge
        self._sealing: Sealing | None = None
        self._prepared: requests.PreparedRequest | None = None

    def send_message(self, message: str | bytes) -> bytes:
        """Return the answer's body, whatever its status is. Raises LinkError where messages are sealed, and it was not.

        The first message of a session that is not sealed travels as pywinrm sends it, with the login. Later ones over
        the same connection do without requests and urllib3, whose work for each cost as much as reading its answer
        (0.5 ms of CPU).
        """
        content = message.encode() if isinstance(message, str) else message
        if self._endpoint.sealed:
            return self._send_sealed(content)
        plug = self._gauge.idle_plug() if self.session and self.auth_method in _LOGIN_STAYS else None
        if plug is None:
            return super().send_message(content)
        return self._gauge.post(plug, self._head({}), content, self.endpoint).content

    def _send_sealed(self, content: bytes) -> bytes:
        """Send by our own hands after the login: a library's hook would answer a later 401 with a login of its own, and
        send the sealed message inside it."""
        self.build_session()
        plug = self._gauge.idle_plug()
        if plug is None or self._sealing is None:
            raise ConnectionResetError  # the host closed it, and its login with it
        bare = _Bare()
        self._sealing.prepare_encrypted_request(bare, self.endpoint, content)  # type: ignore[arg-type]  # see _Bare
        answer = self._gauge.post(plug, self._head(bare.headers), bare.body, self.endpoint)
        return self._sealing.parse_encrypted_response(answer)

    def _send_message_request(
        self, session: requests.Session, prepared_request: requests.PreparedRequest
    ) -> requests.Response:
        """Return an answer as pywinrm's does, but an error's answer is one too: its body may be a fault, in whatever
        encoding."""
        answer = session.send(prepared_request)
        if answer.status_code == requests.codes.unauthorized:
            raise InvalidCredentialsError("the specified credentials were rejected by the server")
        return answer

    @property
    def identity(self) -> str | None:
        """Who logged in, where the login itself says so, as Kerberos does."""
        return getattr(self.session.auth, "user", None) if self.session else None

    def _head(self, headers: Mapping[str, str]) -> bytes:
        """Return what requests would send before each message; with Basic, the login too."""
        if self._prepared is None:
            self._prepared = self.build_session().prepare_request(requests.Request("POST", self.endpoint))
        return head_of(self._prepared, {**self._prepared.headers, **headers})

    def build_session(self) -> requests.Session:
        session = super().build_session()
        self._harden(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        """Log in by an empty message, as pywinrm does; what answers it in clear is no answer of WS-Management."""
        self._harden(session)
        login = self._send_message_request(session, session.prepare_request(requests.Request("POST", self.endpoint)))
        if not login.ok:
            raise explain_clear_answer(login.status_code, login.content, self._endpoint)
        refuse_cut_login(session, self._endpoint)
        self._sealing = self.encryption = Sealing(session, self._endpoint)

    def _harden(self, session: requests.Session) -> None:
        if session.get_adapter(self.endpoint) is self._gauge:
            return
        session.trust_env = False  # neither a netrc's login nor a proxy
        session.proxies.clear()
        session.max_redirects = 0  # pywinrm would follow, with the Basic header
        session.headers["Accept-Encoding"] = "identity"  # WinRM never compresses; 0.9 MB of gzip became 200 MB
        session.mount("http://", self._gauge)
        session.mount("https://", self._gauge)
        if self.auth_method == "kerberos":
            # Here, since it needs a library that is only there for Kerberos; pywinrm has looked for it before.
            from compliance.wsman.kerberos_login import KerberosLogin

            session.auth = KerberosLogin(self._endpoint)
        if self.auth_method == "credssp":
            from compliance.wsman.credssp_login import CredSSPLogin  # likewise

            session.auth = CredSSPLogin(self._endpoint)


@dataclass(slots=True)
class _Bare:
    """Stands where pywinrm's sealing expects a session, and the request that a session prepares."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def prepare_request(self, request: requests.Request) -> _Bare:
        self.body = request.data
        return self
