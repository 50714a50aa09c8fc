"""The way to a listener: its name, its port, its certificate, and what it says before anybody logs in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from compliance.commands.doctor.examination import Fact, Status, Step
from compliance.errors import LinkError
from compliance.words import shorten
from compliance.wsman.authorities import authorities_text
from compliance.wsman.certificate import Certificate
from compliance.wsman.endpoint import SEALED, Endpoint
from compliance.wsman.http_answers import explain_status
from compliance.wsman.login_causes import is_offered
from compliance.wsman.probe import DEFAULT_PORTS, Tls, Visit, addresses_of, reaches, visit

SOON = 21
"""Days before a certificate's end from which on it is told."""
KNOCK = 2.0
"""Seconds for a port that nobody asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """The steps, and why no login should follow them (empty where one may)."""

    steps: tuple[Step, ...]
    objection: str = ""
    scheme_is_missing: bool = False  # it is a WinRM listener, and offers other logins than ours


def reach(endpoint: Endpoint, deadline: float, now: datetime) -> Reached:
    """No credential is sent on this way."""
    name_step = _resolve_name(endpoint)
    if name_step.status is Status.FAILED:
        return Reached(steps=(name_step,), objection="the name is not known")
    first = visit(endpoint, deadline)
    port = _port(endpoint, first, deadline)
    if not first.connected:
        return Reached(steps=(name_step, port), objection="nothing answers on the port")
    tls = _tls(endpoint, first, now)
    if endpoint.encrypted and first.tls is None:
        return Reached(steps=(name_step, port, tls), objection="there is no TLS connection to send it over")
    # Who gave no answer at all gives none to a second question.
    distrust = first.tls.distrust if first.tls else None
    second = visit(endpoint, deadline, unauthenticated=True, distrust=distrust) if first.status else first
    listener = _listener(endpoint, first, second)
    return Reached(
        steps=(name_step, port, tls, listener),
        objection=_objection(tls, listener),
        scheme_is_missing=bool(first.offered) and listener.status is Status.FAILED,
    )


def without_endpoint(error: LinkError, endpoint: Endpoint) -> str:
    """The same sentence where the endpoint stands above it already."""
    return str(error).removeprefix(f"{endpoint}: ")


def _objection(tls: Step, listener: Step) -> str:
    if tls.status is Status.FAILED:
        return "no credential is sent to a certificate that is not trusted"
    return "nothing there takes it" if listener.status is Status.FAILED else ""


# --- name and port ----------------------------------------------------------------------------------------------------


def _resolve_name(endpoint: Endpoint) -> Step:
    began = time.monotonic()
    try:
        addresses = addresses_of(endpoint)
    except LinkError as error:
        return Step(key="name", status=Status.FAILED, text=without_endpoint(error, endpoint))
    seconds = time.monotonic() - began
    facts: dict[str, Fact] = {"addresses": list(addresses), "seconds": round(seconds, 3)}
    addresses_text = f"{', '.join(addresses)} ({_milliseconds(seconds)})"
    text = "is an address" if endpoint.address in addresses else addresses_text
    return Step(key="name", status=Status.OK, text=f"{endpoint.address}: {text}", facts=facts)


def _port(endpoint: Endpoint, visit: Visit, deadline: float) -> Step:
    """WinRM's other default port is looked at as well: where this port has no listener, that one may."""
    others = {port: reaches(endpoint.address, port, _left(endpoint, deadline)) for port in _others(endpoint, visit)}
    facts: dict[str, Fact] = {
        "port": endpoint.port,
        "open": visit.connected,
        "others": {str(port): is_open for port, is_open in others.items()},
    }
    if not visit.connected:
        text = without_endpoint(visit.error, endpoint) if visit.error else "does not answer"
        details = tuple(_other(endpoint, port, is_open, deadline) for port, is_open in others.items())
        return Step(key="port", status=Status.FAILED, text=f"{endpoint.port}: {text}", details=details, facts=facts)
    reachable = (f"{port} {'answers, too' if is_open else 'does not'}" for port, is_open in others.items())
    text = "; ".join((f"{endpoint.port} answers ({_milliseconds(visit.seconds)})", *reachable))
    return Step(key="port", status=Status.OK, text=text, facts={**facts, "seconds": round(visit.seconds, 3)})


def _others(endpoint: Endpoint, visit: Visit) -> tuple[int, ...]:
    """A port of the inventory's own has no other one, unless it is dead."""
    if visit.connected and endpoint.port not in DEFAULT_PORTS:
        return ()
    return tuple(port for port in DEFAULT_PORTS if port != endpoint.port)


def _other(endpoint: Endpoint, port: int, is_open: bool, deadline: float) -> str:
    """What the other port's listener offers, and what to write for it."""
    if not is_open:
        return f"{port} does not answer either"
    scheme = DEFAULT_PORTS[port]
    there = visit(replace(endpoint, port=port, scheme=scheme), deadline)
    offers = f"answers and offers {_list(there.offered)}" if there.offered else "answers"
    if scheme == "http" and endpoint.transport not in SEALED:
        advice = f"`transport: {endpoint.transport}` must not go over http: add an https listener, or use ntlm"
    else:
        advice = f"set `scheme: {scheme}`" + (" (the login seals its messages)" if scheme == "http" else "")
        advice += "" if endpoint.port in DEFAULT_PORTS else " and leave out `port:`"
    return f"{port} {offers}: {advice}"


def _left(endpoint: Endpoint, deadline: float) -> float:
    return min(KNOCK, endpoint.connect, max(deadline - time.monotonic(), 0.0))


# --- TLS --------------------------------------------------------------------------------------------------------------


def _tls(endpoint: Endpoint, visit: Visit, now: datetime) -> Step:
    if not endpoint.encrypted:
        return Step(key="tls", status=Status.OK, text="none, since `scheme` is http", facts={"protocol": None})
    if visit.tls is None:
        text = without_endpoint(visit.error, endpoint) if visit.error else "no handshake"
        return Step(key="tls", status=Status.FAILED, text=text)
    tls, certificate = visit.tls, visit.tls.certificate
    facts: dict[str, Fact] = {"protocol": tls.protocol, "verified": tls.distrust is None, "why_not": tls.distrust}
    if certificate is None:
        text = f"{tls.protocol}, with a certificate that can't be read"
        return Step(key="tls", status=Status.WARNING if not endpoint.verify else Status.FAILED, text=text, facts=facts)
    trusted = f"`ca: {endpoint.ca}`" if endpoint.ca else f"{authorities_text()} (no `ca:` is set)"
    text = f"{tls.protocol}, verified by {trusted}" if tls.distrust is None else f"{tls.protocol}, but {tls.distrust}"
    return Step(
        key="tls",
        status=_trust(endpoint, tls, certificate.days_left(now)),
        text=text,
        details=tuple(_certificate(endpoint, tls, certificate, now)),
        facts={**facts, "certificate": _certificate_facts(certificate, now)},
    )


def _trust(endpoint: Endpoint, tls: Tls, days: int) -> Status:
    if tls.distrust is not None:
        return Status.FAILED if endpoint.verify else Status.WARNING
    return Status.WARNING if days < SOON else Status.OK


def _certificate(endpoint: Endpoint, tls: Tls, certificate: Certificate, now: datetime) -> Iterator[str]:
    """OpenSSL names the first thing that is wrong; who repairs it wants to know of the next one, too."""
    days = certificate.days_left(now)
    issuer = "itself" if certificate.issuer == certificate.subject else certificate.issuer
    yield f"issued to {certificate.subject} by {issuer}"
    yield f"for {_list(certificate.names) or 'no name at all'}"
    ended = f"expired {(now - certificate.valid_to).days} days ago" if days < 0 else f"{days} days left"
    yield f"valid from {certificate.valid_from:%Y-%m-%d} to {certificate.valid_to:%Y-%m-%d}: {ended}"
    yield f"SHA-256 {certificate.fingerprint}"
    address = endpoint.address.partition("%")[0]
    if tls.distrust is not None and "mismatch" not in tls.distrust and not certificate.speaks_for(address):
        yield f"it is not for {address}: use a name that it is for as `address:`, or issue another one"
    if tls.distrust is not None and not endpoint.verify:
        yield "whoever stands in between can read and change what we see (`verify: false`)"


def _certificate_facts(certificate: Certificate, now: datetime) -> dict[str, Fact]:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names),
        "valid_from": certificate.valid_from.isoformat(),
        "valid_to": certificate.valid_to.isoformat(),
        "days_left": certificate.days_left(now),
        "sha256": certificate.fingerprint,
    }


# --- the listener -----------------------------------------------------------------------------------------------------


def _listener(endpoint: Endpoint, visit: Visit, open_door: Visit) -> Step:
    """WinRM answers 401 to who doesn't log in, with what it takes; and tells its vendor to who asks for that alone."""
    identity = open_door.identity
    facts: dict[str, Fact] = {
        "status": visit.status,
        "offered": list(visit.offered),
        "server": visit.server or None,
        "vendor": shorten(identity.vendor, 80) if identity else None,
        "stack": identity.stack if identity else None,
    }
    introduction = (_introduction(facts),) if identity else ()
    if visit.status == 401 and visit.offered:
        offers = f"offers {_list(visit.offered)}"
        # A certificate's login stands in no WWW-Authenticate line.
        if endpoint.transport == "certificate" or is_offered(endpoint.transport, visit.offered):
            return Step(key="listener", status=Status.OK, text=offers, details=introduction, facts=facts)
        text = f"{offers}, and not `{endpoint.transport}`: choose another `transport:`, or enable it there"
        return Step(key="listener", status=Status.FAILED, text=text, details=introduction, facts=facts)
    if identity is not None:
        text = f"answers HTTP {visit.status} to who doesn't log in" if visit.status else "answers to who doesn't log in"
        return Step(key="listener", status=Status.OK, text=text, details=introduction, facts=facts)
    return Step(key="listener", status=Status.FAILED, text=_stranger(endpoint, visit), facts=facts)


def _introduction(facts: dict[str, Fact]) -> str:
    stack = f", stack {facts['stack']}" if facts["stack"] else ""
    return f"tells everybody that it is {facts['vendor'] or 'nobody'}{stack}"


def _stranger(endpoint: Endpoint, visit: Visit) -> str:
    if visit.error is not None:
        return without_endpoint(visit.error, endpoint)
    server = f" by {visit.server}" if visit.server else ""
    if visit.status == 401:
        return f"HTTP 401{server} without a login that it would take: is it a WinRM listener?"
    if 300 <= visit.status < 400:
        return f"HTTP {visit.status}{server}: a redirect, which is not followed, since WinRM sends none"
    error = explain_status(visit.status, endpoint, empty=not visit.body.strip())
    return without_endpoint(error, endpoint) + (f" (it calls itself {visit.server})" if visit.server else "")


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
