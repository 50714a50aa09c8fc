"""What to do next where a server can't be audited: one sentence for the step that stopped the walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compliance.commands.doctor.examination import Examination, Status, Step
from compliance.wsman.probe import DEFAULT_PORTS

EXPORT = (
    "export the certificate of the authority that issued it (Windows: certlm.msc, Trusted Root Certification "
    "Authorities, All Tasks, Export, Base-64), and name that file by `ca:` or --ca"
)
QUICKCONFIG = (
    "on the server, as administrator, run `winrm quickconfig` (http, port 5985) or `winrm quickconfig "
    "-transport:https` (port 5986), and open the port in the firewalls between"
)
ACCOUNT = "check the account's name and password, and that it is neither locked nor expired"


def next_step(examination: Examination) -> str:
    """Return what to do next, before the server is tried again; empty where everything works."""
    if examination.works:
        return ""
    step = next(step for step in examination.steps if step.key == examination.stuck)
    return _ADVICE[step.key](examination, step) if step.key in _ADVICE else "do what is said there"


def _name(_examination: Examination, _step: Step) -> str:
    return "correct the server's name or address, or make this machine's DNS know it"


def _port(_examination: Examination, step: Step) -> str:
    others = step.facts.get("others")
    is_open = [int(port) for port, is_open in others.items() if is_open] if isinstance(others, Mapping) else []
    schemes = [DEFAULT_PORTS[port] for port in is_open if port in DEFAULT_PORTS]
    return f"set `scheme: {schemes[0]}` (--scheme {schemes[0]})" if schemes else QUICKCONFIG


def _tls(_examination: Examination, step: Step) -> str:
    why_not = str(step.facts.get("why_not") or "")
    if "protocol" not in step.facts:
        return "on the server, give the https listener a certificate (`winrm enumerate winrm/config/listener`)"
    if "match" in why_not or "valid for" in why_not:
        return "use a name that the certificate is for as `address:`, or issue one for this name"
    if "expired" in why_not:
        return "renew the certificate on the server"
    return EXPORT


def _listener(_examination: Examination, step: Step) -> str:
    offered = step.facts.get("offered")
    names = ", ".join(map(str, offered)) if isinstance(offered, list | tuple) else ""
    return (
        f"choose a `transport:` (--transport) among what it offers ({names})"
        if names
        else "make sure that the address and port are those of the server's WinRM listener"
    )


def _login(examination: Examination, step: Step) -> str:
    if step.status is Status.NOT_TRIED:
        return "mend the credential where it was refused first"
    if step.facts.get("transport") == "kerberos" and not examination.grants:
        return "get a ticket for an account of the servers' domain (`kinit`), or do what the line `login` says"
    return f"{ACCOUNT}{_and_rights(examination)}" if examination.grants else "do what the line `login` says"


def _rights(examination: Examination, _step: Step) -> str:
    commands = "have an administrator run the commands above on the server"
    return commands if examination.grants else "add the account to Hyper-V Administrators on the server"


def _and_rights(examination: Examination) -> str:
    return ", and have an administrator look at the commands above" if examination.grants else ""


def _namespace(examination: Examination, step: Step) -> str:
    if examination.grants:
        return _rights(examination, step)
    return "take the server out of the inventory if it is no Hyper-V server, else install the role there"


def _classes(examination: Examination, step: Step) -> str:
    return _rights(examination, step) if examination.grants else "do what is said beside the classes that were not read"


def _audit(examination: Examination, step: Step) -> str:
    return (
        _rights(examination, step) if examination.grants else f"look into this: {step.facts.get('reason') or step.text}"
    )


_ADVICE: Mapping[str, Callable[[Examination, Step], str]] = {
    "name": _name,
    "port": _port,
    "tls": _tls,
    "listener": _listener,
    "login": _login,
    "namespace": _namespace,
    "classes": _classes,
    "rights": _rights,
    "audit": _audit,
}
