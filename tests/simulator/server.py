"""The HTTP server: connections, logins, and the faults that happen below SOAP."""

import base64
import binascii
import contextlib
import socket
import socketserver
import ssl
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.canary import CANARY
from tests.simulator import certificates, mischief, sealing, wire
from tests.simulator.mischief import SOAP_TYPE
from tests.simulator.played import ANY_CLASS, Fault, Message, Played
from tests.simulator.service import Request, Service, parse

ACTIONS: Counter[str] = Counter()
"""Every action that any simulator of this process was asked for, by its URI: who reads only sends no others."""
_counting = threading.Lock()


class Simulator:
    """One Windows server's WS-Management, on a free port of the loopback. A context manager.

    With auth="basic" the host takes Basic and NTLM, over http too (AllowUnencrypted is on); with auth="ntlm" only NTLM,
    and over http only sealed messages: others get HTTP 500 without a body, as from Windows. The same with
    auth="credssp", and with auth="kerberos", which takes tickets for the keys in ``keytab``.
    """

    def __init__(
        self,
        played: Played,
        *,
        scheme: Literal["https", "http"] = "https",
        auth: Literal["basic", "ntlm", "kerberos", "credssp"] = "basic",
        keytab: Path | None = None,
        users: Mapping[str, str] | None = None,
        dialect: Literal["windows", "omi"] = "windows",
        wql: bool = True,
        faults: Mapping[str, Fault] | None = None,
        strikes: int | None = None,
        host: str = "127.0.0.1",
        redirect_to: str = "",
        envelope_kb: int = 500,
        latency: float = 0.0,
        port: int = 0,
        context: ssl.SSLContext | None = None,  # with another certificate than `ca` verifies
    ) -> None:
        self.scheme = scheme
        self.auth = auth
        self.users = dict({"audit": CANARY} if users is None else users)
        self.host = host
        self.redirect_to = redirect_to
        self.envelope_kb = envelope_kb
        self.latency = latency
        self.port = port
        self.context = context
        self.log: list[Message] = []
        self.requests_seen: list[str] = []  # request lines, whoever sent them
        self.authorization_seen: list[str] = []  # schemes, never values
        self.principals_seen: list[str] = []  # who has logged in, one for each connection
        self.content_types_sent: set[str] = set()  # without their parameters
        self.errors: list[Exception] = []  # mistakes of the simulator or of what it plays; raised at the end
        self.stopping = threading.Event()
        self.service = Service(
            played, wire.Omi() if dialect == "omi" else wire.Windows(), wql=wql, envelope_kb=envelope_kb
        )
        self.service.faults = faults or {}
        self.strikes = strikes  # requests that faults still spoil; None is all of them
        self._keytab = keytab
        self._acceptor: sealing.Acceptor | None = None
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Condition()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self.errors and error is None:
            raise self.errors[0]

    def start(self) -> None:
        self._server = _Server(self, (self.host, self.port))
        self._acceptor = self._new_acceptor()
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.accept_until_stopped, name="simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._server is None or self._thread is None:
            return
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port), timeout=1).close()  # wakes the accepting thread
        self._thread.join(2)
        self._server.server_close()
        with self._connections_lock:
            for connection in self._connections:
                _shut(connection)
            self._connections_lock.wait_for(lambda: not self._connections, timeout=2)
        if self._acceptor is not None:
            self._acceptor.close()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/wsman"

    @property
    def ca(self) -> Path:
        """A PEM file that verifies the certificate for localhost, 127.0.0.1 and ::1."""
        return certificates.ca_path()

    @property
    def played(self) -> Played:
        return self.service.played

    @played.setter
    def played(self, played: Played) -> None:
        self.service.played = played

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Keys in lower case."""
        return self.service.faults

    @faults.setter
    def faults(self, faults: Mapping[str, Fault]) -> None:
        self.service.faults = faults

    def next_fault(self, request: Request) -> Fault | None:
        fault = self.service.fault_of(request)
        if fault is not None and self.strikes is not None:
            if self.strikes == 0:
                self.service.faults = {}
                return None
            self.strikes -= 1
        return fault

    def password_is_right(self, name: str, password: str) -> bool:
        domain, _, bare = name.rpartition("\\")
        if domain.lower() in (sealing.DOMAIN.lower(), self.played.computer.lower()):
            name = name if name in self.users else bare
        return self.users.get(name) == password

    def _new_acceptor(self) -> sealing.Acceptor:
        if self._keytab is not None:
            return sealing.Keys(self._keytab)
        scheme: sealing.Scheme = "CredSSP" if self.auth == "credssp" else "Negotiate"
        return sealing.Users(self.users, self.played.computer, scheme=scheme)

    @property
    def acceptor(self) -> sealing.Acceptor:
        if self._acceptor is None:
            raise RuntimeError("the simulator was not started")
        return self._acceptor

    def connected(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)
            self._connections_lock.notify_all()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, simulator: Simulator, address: tuple[str, int]) -> None:
        self.simulator = simulator
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def accept_until_stopped(self) -> None:
        while not self.simulator.stopping.is_set():
            self.handle_request()

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002 - the parent's
        return not self.simulator.stopping.is_set()

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self.simulator.connected(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        super().shutdown_request(request)
        self.simulator.disconnected(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are the business of clients; the handler keeps what else went wrong."""


class _Handler(BaseHTTPRequestHandler):
    """One TCP connection, with at most one security context."""

    protocol_version = "HTTP/1.1"
    timeout = 120  # WinRM closes an idle connection after two minutes
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        self.simulator = self.server.simulator
        self._login: sealing.Login | None = None
        self._proof = ""  # of Kerberos, that we are who the ticket is for; it goes with the answer
        self._plain_socket = self.request
        if self.simulator.scheme == "https":
            self.request.settimeout(self.timeout)
            self.request = (self.simulator.context or certificates.server_context()).wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
            self.simulator.connected(self.request)
            if self.simulator.faults.get(ANY_CLASS) is Fault.STALL_IN_TLS:
                self.simulator.stopping.wait()
            try:
                self.request.do_handshake()
            except OSError:
                self._end_tls()
                raise
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            if self.request is not self._plain_socket:
                self._end_tls()

    def _end_tls(self) -> None:
        _shut(self.request)
        self.request.close()
        self.simulator.disconnected(self.request)

    def version_string(self) -> str:
        return "Microsoft-HTTPAPI/2.0"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._seen()
        self._reply(405)

    def do_POST(self) -> None:
        try:
            self._post()
        except (OSError, EOFError):
            self.close_connection = True
        except Exception as error:
            self.simulator.errors.append(error)
            self.close_connection = True

    def _post(self) -> None:
        self._seen()
        length = int(self.headers.get("Content-Length") or 0)
        if length > self.simulator.envelope_kb * 1024:
            self.close_connection = True
            return self._reply(413)
        body = self.rfile.read(length)
        if self.path.rstrip("/").lower() != "/wsman":
            return self._reply(404)
        if self._asks_without_login(body):
            return self._reply(200, self.simulator.service.identified(logged_in=False).encode())
        sealed = (self.headers.get("Content-Type") or "").startswith("multipart/")
        if sealed and not self.headers.get("Authorization") and not self._has_logged_in():
            return self._reply(400)  # recorded: a sealed body on a new connection
        if not self._log_in():
            return None
        if not body:
            return self._reply(200)  # the blank login of pywinrm
        return self._answer(body, sealed=sealed)

    # Login

    def _seen(self) -> None:
        self.simulator.requests_seen.append(self.requestline)
        scheme = (self.headers.get("Authorization") or "").partition(" ")[0]
        if scheme:
            self.simulator.authorization_seen.append(scheme)

    def _asks_without_login(self, body: bytes) -> bool:
        if "Authorization" in self.headers or (self.headers.get("WSMANIDENTIFY") or "").lower() != "unauthenticated":
            return False
        try:
            request = parse(body)
        except ET.ParseError:
            return False
        _count(request, self.simulator.played)
        return request.operation == "Identify"

    def _has_logged_in(self) -> bool:
        return self._login is not None and self._login.complete

    def _log_in(self) -> bool:
        """Whether the request may go on; if not, the reply was sent."""
        scheme, _, value = (self.headers.get("Authorization") or "").partition(" ")
        scheme = scheme.lower()
        if not scheme and self._has_logged_in():
            return True
        if scheme == "basic" and self.simulator.auth == "basic" and self._basic_is_right(value):
            return True
        if scheme in {"credssp": ("credssp",)}.get(self.simulator.auth, ("negotiate", "ntlm")):
            return self._step(scheme, value)
        self._offer()
        return False

    def _basic_is_right(self, value: str) -> bool:
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self.simulator.password_is_right(name, password)

    def _step(self, scheme: str, value: str) -> bool:
        if self._login is None or self._login.complete:
            self._login = sealing.Login(self.simulator.acceptor)
        try:
            token = self._login.step(base64.b64decode(value, validate=True))
        except (sealing.LoginError, binascii.Error):
            token = None
        spelt = {"credssp": "CredSSP", "ntlm": "NTLM"}.get(scheme, "Negotiate")
        told = f"{spelt} {base64.b64encode(token).decode()}" if token else ""
        if self._login.complete:
            self.simulator.principals_seen.append(self._login.principal)
            self._proof = told
            return True
        if token:
            self._reply(401, headers=[("WWW-Authenticate", told)])
            return False
        self._login = None
        self._offer()
        return False

    def _offer(self) -> None:
        offered = ["Negotiate", "Kerberos"]
        offered += {"basic": ['Basic realm="WSMAN"'], "credssp": ["CredSSP"]}.get(self.simulator.auth, [])
        self._reply(401, headers=[("WWW-Authenticate", one) for one in offered])

    # Answers

    def _answer(self, body: bytes, *, sealed: bool) -> None:
        service = self.simulator.service
        bytes_in = len(body)
        if sealed:
            try:
                body = self._logged_in().unsealed(body)
            except sealing.LoginError:
                return self._reply(400)
        elif self.simulator.auth != "basic" and self.simulator.scheme == "http":
            return self._reply(500)  # AllowUnencrypted is off
        if self.simulator.latency:
            time.sleep(self.simulator.latency)
        try:
            request = parse(body)
        except ET.ParseError:
            status, answer = service.not_xml()
            return self._send(None, status, answer.encode(), bytes_in=bytes_in, sealed=sealed)
        _count(request, self.simulator.played)
        fault = self.simulator.next_fault(request)
        page = mischief.page(fault, self.simulator.redirect_to) if fault else None
        if fault is Fault.FORGOTTEN:
            self._login = None
        if page is not None:
            self._log(request, bytes_in=bytes_in, bytes_out=0, status=page.status)
            return self._reply(page.status, page.body, kind=page.kind, headers=list(page.headers))
        status, answer = service.answer(request)
        if fault in mischief.SCRIPTS:
            self._log(request, bytes_in=bytes_in, bytes_out=0, status=0)
            return self._play(mischief.SCRIPTS[fault], status, *self._payload(answer.encode(), sealed))
        content = answer.encode()
        if fault in mischief.CHANGES:
            content = mischief.CHANGES[fault](content, self.simulator.redirect_to)
        return self._send(request, status, content, bytes_in=bytes_in, sealed=sealed)

    def _play(self, script: mischief.Script, status: int, payload: bytes, kind: str) -> None:
        self.close_connection = True
        for part in script(mischief.Answer(status=status, payload=payload, kind=kind), self.simulator.stopping):
            self.wfile.write(part)
            self.wfile.flush()

    def _send(self, request: Request | None, status: int, answer: bytes, *, bytes_in: int, sealed: bool) -> None:
        payload, kind = self._payload(answer, sealed)
        self.simulator.content_types_sent.add(kind.partition(";")[0])
        self._log(request, bytes_in=bytes_in, bytes_out=len(payload), status=status)
        self._reply(status, payload, kind=kind)

    def _payload(self, plain: bytes, sealed: bool) -> tuple[bytes, str]:
        return self._logged_in().sealed(plain) if sealed else (plain, SOAP_TYPE)

    def _logged_in(self) -> sealing.Login:
        if self._login is None or not self._login.complete:
            raise sealing.LoginError("a sealed message before the login")
        return self._login

    def _log(self, request: Request | None, *, bytes_in: int, bytes_out: int, status: int) -> None:
        """Before the answer leaves, so that whoever has the answer finds it in the log."""
        self.simulator.log.append(
            Message(
                action=request.operation if request else "",
                resource=request.resource if request else "",
                query=request.query if request else "",
                bytes_in=bytes_in,
                bytes_out=bytes_out,
                status=status,
            )
        )

    def _reply(
        self, status: int, body: bytes = b"", *, kind: str = SOAP_TYPE, headers: list[tuple[str, str]] | None = None
    ) -> None:
        self._head(status, len(body), kind if body else "", headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int | None, kind: str, headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        if self._proof:
            self.send_header("WWW-Authenticate", self._proof)
            self._proof = ""
        if kind:
            self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def _count(request: Request, played: Played) -> None:
    """Guests may be asked a method that reads; of a server it counts as something else."""
    of_server = request.arguments and played.registry is None
    with _counting:
        ACTIONS[f"{request.action} of a server" if of_server else request.action] += 1


def _shut(connection: socket.socket) -> None:
    """Ends both directions without touching TLS, which another thread may be reading."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
