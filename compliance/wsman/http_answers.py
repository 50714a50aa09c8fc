"""Answers that are no WS-Management: what an HTTP status means, and what comes in clear where messages are sealed."""

from __future__ import annotations

from compliance.errors import LinkError, Why
from compliance.wsman.document import is_envelope
from compliance.wsman.endpoint import Endpoint


def explain_status(status: int, endpoint: Endpoint, *, empty: bool) -> LinkError:
    """Return what an answer without an envelope means, by its HTTP status; ``empty``: it had no body."""
    why, text = _BY_STATUS.get(status, _OTHER_STATUS)
    if endpoint.sealed:
        why, text = _SEALED.get((status, empty), (why, text))
    elif status == 500 and not empty:
        why, text = _OTHER_STATUS
    return LinkError(f"{endpoint}: HTTP {status}: {text.format(path=endpoint.path)}", why=why)


def explain_clear_answer(status: int, content: bytes, endpoint: Endpoint) -> LinkError:
    """Return what an answer means that was not sealed, where the login seals every message.

    An envelope in clear is believed in nothing, a fault neither: whoever stands between could have written it. What
    HTTP.sys and proxies say is told by its status, since that claims nothing about the server's classes.
    """
    if not is_envelope(content):
        return explain_status(status, endpoint, empty=not content.strip())
    return LinkError(
        f"{endpoint}: answered in clear (HTTP {status}), though {endpoint.transport} seals every message of this login:"
        " it was not believed; somebody in between writes answers, or the server is broken",
        why=Why.BROKEN,
    )


def explain_damage(endpoint: Endpoint) -> LinkError:
    return LinkError(f"{endpoint}: {DAMAGED}", why=Why.BROKEN)


def explain_replay(endpoint: Endpoint) -> LinkError:
    return LinkError(
        f"{endpoint}: a sealed answer came a second time, for another request: it was not believed;"
        " somebody in between repeats answers",
        why=Why.BROKEN,
    )


def explain_second_answer(endpoint: object) -> LinkError:
    return LinkError(
        f"{endpoint}: more than one answer came for one request, so none was believed;"
        " is a proxy in between, or somebody who writes answers?",
        why=Why.BROKEN,
    )


def explain_weak_session(endpoint: Endpoint) -> LinkError:
    return LinkError(
        f"{endpoint}: the NTLM login gave no session that signs and seals by keys of 128 bits, which every Windows"
        " offers: nothing was asked; somebody in between weakens the login, or it is no Windows",
        why=Why.BROKEN,
    )


def explain_cut_login(endpoint: Endpoint) -> LinkError:
    return LinkError(
        f"{endpoint}: ended the CredSSP login before it had proved who it is: nothing was asked;"
        " somebody in between answers, or it is no Windows",
        why=Why.BROKEN,
    )


def explain_old_login(endpoint: Endpoint, version: int) -> LinkError:
    return LinkError(
        f"{endpoint}: knows CredSSP up to version {version} only, whose proof can be turned against another server"
        " (CVE-2018-0886); no password was sent: install Windows' updates there, or choose another `transport:`",
        why=Why.LOGIN_IMPOSSIBLE,
    )


DAMAGED = "a sealed answer is damaged: its signature or length is wrong; something on the way may have changed it"
_SEALED_LOST = (
    Why.BROKEN,
    "the host does not know our sealed session any more (idle for two minutes, or the service restarted): try again",
)
_OTHER_STATUS = (Why.BROKEN, "no WS-Management answer; something else may be listening there: check address and port")
_GATEWAY = (Why.UNREACHABLE, "a gateway answers for the host and can't reach it")
_FORBIDDEN = (Why.BROKEN, "it is forbidden; is a proxy in between?")
_BY_STATUS: dict[int, tuple[Why, str]] = {
    200: (Why.BROKEN, "the answer is not WS-Management; something else may be listening there: check address and port"),
    400: (Why.BROKEN, "the host can't read the request; is something else listening there?"),
    403: (Why.LOGIN_REFUSED, "the host forbids it; is it a WinRM listener, or a proxy before it?"),
    404: (
        Why.BROKEN,
        "no WS-Management under {path}; is it another web server, or does the listener's IP filter leave this out?",
    ),
    407: (
        Why.BROKEN,
        "a proxy wants a login; none is used here, so one is in the way: check the address and the route",
    ),
    413: (Why.TOO_LARGE, "our request is larger than the host allows: raise MaxEnvelopeSizekb there"),
    500: (
        Why.BROKEN,
        "an empty answer: unencrypted traffic is not allowed there (use https, ntlm or kerberos), or it failed itself",
    ),
    502: _GATEWAY,
    503: (Why.BUSY, "the WinRM service is stopped, starting or overloaded: look at it, or try again"),
    504: _GATEWAY,
}
# With a sealed session, by status and whether the body was empty: the login was good, so no status refuses it.
_SEALED: dict[tuple[int, bool], tuple[Why, str]] = {
    (400, True): _SEALED_LOST,
    (403, True): _FORBIDDEN,
    (403, False): _FORBIDDEN,
    (500, True): (
        Why.BROKEN,
        "an empty answer, which was not sealed: the WinRM service failed, or somebody in between",
    ),
    (500, False): _OTHER_STATUS,
}
