"""pywinrm's Transport with its open ends closed: redirects, proxies, sizes, compression, time and warnings."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.response import BaseHTTPResponse
from winrm.transport import Transport

from compliance.errors import LinkError, Why
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.wire import Wire

# Octets of one answer. A host with the default limit sends at most about 250 KB (MS-WSMV 2.2.4.10 counts UTF-16), so
# this is sixteen times what was asked for, and little enough for many hosts side by side.
MAX_ANSWER = 4 * 1024 * 1024
MAX_REFUSAL = 64 * 1024  # octets of a 401's text; WinRM sends none
_STEP = 64 * 1024
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z-]{1,20})(?=\s|,|$)")


class HardenedTransport(Transport):
    """One host's session. ``setup_encryption`` and ``build_session`` are overridden because, with a sealed login over
    http, pywinrm sends the first message while it still builds the session."""

    def __init__(self, endpoint: Endpoint, gauge: Gauge) -> None:
        super().__init__(
            endpoint=endpoint.request_url,
            username=endpoint.username or None,  # an empty principal is not the ticket's own
            password=endpoint.password,
            # Explicit, or REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would choose whom we trust.
            ca_trust_path=str(endpoint.ca or DEFAULT_CA_BUNDLE_PATH),
            cert_pem=str(endpoint.certificate) if endpoint.certificate else None,
            cert_key_pem=str(endpoint.key) if endpoint.key else None,
            server_cert_validation="validate" if endpoint.verify else "ignore",
            auth_method=endpoint.transport,  # type: ignore[arg-type]  # an unknown one is refused by pywinrm itself
            message_encryption="always" if endpoint.sealed else "never",
            proxy=None,
        )
        self._gauge = gauge

    def build_session(self) -> requests.Session:
        session = super().build_session()
        self._harden(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        self._harden(session)
        super().setup_encryption(session)

    def _harden(self, session: requests.Session) -> None:
        if session.get_adapter(self.endpoint) is self._gauge:
            return
        session.trust_env = False  # neither a netrc's login nor a proxy
        session.proxies.clear()
        session.max_redirects = 0  # pywinrm would follow, with the Basic header
        session.headers["Accept-Encoding"] = "identity"  # WinRM never compresses; 0.9 MB of gzip became 200 MB
        session.mount("http://", self._gauge)
        session.mount("https://", self._gauge)


class Gauge(HTTPAdapter):
    """requests' adapter over our wire. It reads bodies under a cap, and keeps of an answer what pywinrm throws away."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self._name = name
        self._classes = wire.connection_classes()
        self.status = 0
        self.offered: tuple[str, ...] = ()
        self.octets_in = self.octets_out = 0
        self._unread: BaseHTTPResponse | None = None
        super().__init__(pool_connections=1, pool_maxsize=1)

    def get_connection_with_tls_context(self, *args: Any, **keywords: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **keywords)
        pool.ConnectionCls = self._classes[pool.scheme]
        return pool

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ARG002 - pywinrm's one number for everything
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - never
    ) -> requests.Response:
        self.status = 0
        seconds = self._wire.remaining()
        # The wire itself bounds the way to the host; both numbers here are for what comes after.
        response = super().send(request, stream, (seconds, seconds), verify, cert, None)
        self.octets_out += len(request.body or b"")
        self.status = response.status_code
        raw: BaseHTTPResponse = response.raw
        self._unread = raw
        if self.status == requests.codes.unauthorized:
            self._look_at_refusal(raw)
            return response
        self._refuse(raw)
        response.raw = io.BytesIO(self._read(raw))
        self._unread = None
        return response

    def close(self) -> None:
        """Also the answer that was not read to its end: it holds the socket, and the host would wait."""
        super().close()
        if self._unread is not None:
            self._unread.close()
            self._unread = None

    def _look_at_refusal(self, raw: BaseHTTPResponse) -> None:
        """Note which logins are offered. The body stays unread: requests_ntlm takes the certificate for its channel
        binding from the live socket of an unread 401."""
        offers = (match for line in raw.headers.getlist("WWW-Authenticate") for match in _SCHEME.findall(line))
        self.offered = tuple(dict.fromkeys((*self.offered, *offers)))[:8]
        length = raw.headers.get("Content-Length", "")
        if not length.isdigit() or len(length) > 8 or int(length) > MAX_REFUSAL:
            raise LinkError(
                f"{self._name}: refused the login (HTTP 401) with a text of unknown or absurd length;"
                " is it a WinRM listener, or a proxy before it?",
                why=Why.LOGIN_REFUSED,
            )

    def _refuse(self, raw: BaseHTTPResponse) -> None:
        if 300 <= raw.status < 400:
            raise LinkError(
                f"{self._name}: answered with a redirect (HTTP {raw.status}); redirects are not followed,"
                " since WinRM sends none: check address, port and path",
                why=Why.BROKEN,
            )
        if raw.headers.get("Content-Encoding", "identity").strip().casefold() not in ("", "identity"):
            raise LinkError(
                f"{self._name}: sent a compressed answer, which was refused unread, since WinRM never compresses;"
                " is a proxy in between?",
                why=Why.BROKEN,
            )

    def _read(self, raw: BaseHTTPResponse) -> bytes:
        parts: list[bytes] = []
        room = MAX_ANSWER
        while part := raw.read(_STEP, decode_content=False):
            self._wire.remaining()
            parts.append(part)
            self.octets_in += len(part)
            room -= len(part)
            if room < 0:
                raise LinkError(
                    f"{self._name}: the answer is larger than {MAX_ANSWER >> 20} MiB, far more than was asked for",
                    why=Why.TOO_LARGE,
                )
        raw.release_conn()
        return b"".join(parts)


class _Silence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def begin(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


_silence = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """No warning of a library below us is shown, or raised where warnings are errors: verdicts don't hang on them.

    ``catch_warnings`` alone isn't for threads: two that overlap restore each other's filters. So the first one in
    silences and the last one out restores. It also takes back what pywinrm's constructor does to the filters.
    """
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
