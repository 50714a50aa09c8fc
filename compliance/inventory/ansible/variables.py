"""A host's variables in the words of our inventory: where it listens, and how we log in there.

What a variable `hyperv_KEY` says wins: Ansible's own variables for it are not even looked at, so that they may hold
whatever only Ansible can evaluate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches

from compliance.inventory.ansible.hosts import Content, Host, Other
from compliance.inventory.ansible.plugins import FALSE, PLUGINS, TRUE, Plugin
from compliance.inventory.ansible.templates import UnusableError, content_of, text_of
from compliance.inventory.entries import URL_PATH, Entry
from compliance.inventory.listener import PORTS
from compliance.words import join_names, quote

OURS = "hyperv_"
"""Variables that begin so are keys of our own inventory: `hyperv_site`, `hyperv_credential` …"""
OF_THE_ESTATE = ("hyperv_estate", "hyperv_policy")
KEYS = frozenset(Entry.model_fields) - {"name"}
BY_DEFAULT = "by Ansible's default"

OwnKey = tuple[str, object, str]
"""A key of ours, its value, and the variable that it came from."""


@dataclass(slots=True)
class HostKeys:
    """Keys of our inventory, and for each the variable that it came from."""

    keys: dict[str, object] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    user: str | None = None  # where it matters
    password: str | None = None  # the name of its variable
    remarks: list[str] = field(default_factory=list)

    def set(self, key: str, value: object, variable: str) -> None:
        self.keys[key] = value
        self.variables[key] = variable

    def add(self, entries: Iterable[OwnKey]) -> None:
        """Set each key that is not set yet."""
        for key, value, variable in entries:
            if key not in self.keys:
                self.set(key, value, variable)

    def drop(self, *keys: str) -> None:
        """Forget what came of Ansible's variables; what is said in words of ours stays, and is checked."""
        for key in keys:
            if not self.variables.get(key, OURS).startswith(OURS):
                del self.keys[key], self.variables[key]


def connection_of(host: Host) -> str:
    """Return `winrm`, `psrp`, `ssh` …, without the collection's name. UnusableError for a template we can't read."""
    return (text_of(host, "ansible_connection") or "ssh").strip().removeprefix("ansible.builtin.")


def not_windows(host: Host) -> str | None:
    """Return why a host is none that we could read; None where it is one. UnusableError where that can't be known, or
    where it is Windows and reached by another way than WS-Management."""
    connection = connection_of(host)
    if connection in PLUGINS:
        return None
    is_set = content_of(host, "ansible_connection") is not None
    shell = (_hint(host, "ansible_shell_type") or "").strip().rpartition(".")[2]
    hints = [name for name in host.variables if re.match(r"ansible_(winrm|psrp)_", name) and not is_set]
    hints += ["ansible_shell_type"] if shell in ("powershell", "cmd") else []
    hints += ["ansible_port"] if _hint(host, "ansible_port") in ("5985", "5986") else []
    if hints and connection != "local":
        verb = "is" if is_set else "is not set, so it is"
        raise UnusableError(
            f"{min(hints)} says that it is Windows, but ansible_connection {verb} {quote(connection)}: "
            "set it to winrm or psrp"
        )
    return f"connection {quote(connection)}"


def _hint(host: Host, variable: str) -> str | None:
    """Return its text, as far as it can be read: a host of another kind must not stop the run by a template."""
    with suppress(UnusableError):
        return text_of(host, variable)
    return None


def translate_host(host: Host) -> HostKeys:
    """Return what our inventory would say of a Windows host. UnusableError for the first variable that can't be
    understood, or that changes how the host is reached in a way that isn't ours.

    What Ansible leaves to its defaults is said here, since ours are others: NTLM, for one.
    """
    plugin = PLUGINS[connection_of(host)]
    result = HostKeys()
    result.add(_own(host, result))
    result.add(_place(host, plugin, result))
    _log_in(host, plugin, result)
    _refuse(host, plugin, result)
    _settle(result)
    return result


def _place(host: Host, plugin: Plugin, known: HostKeys) -> Iterator[OwnKey]:
    if "address" not in known.keys:
        address, variable = last_of(host, plugin.address)
        if address is not None:
            yield "address", address.strip("[]"), variable
    port, port_variable = known.keys.get("port"), known.variables.get("port", "")
    if port is None:
        port_text, port_variable = last_of(host, plugin.port)
        port = None if port_text is None else number_of(port_text, port_variable)
    scheme, scheme_variable = known.keys.get("scheme"), plugin.scheme
    is_ours = scheme is not None
    if not is_ours:
        scheme = _choice(host, plugin.scheme, ("http", "https"))
        scheme_variable = scheme_variable if scheme else f"{port_variable or 'ansible_port'}, {BY_DEFAULT}"
        scheme = scheme or ("http" if port == PORTS["http"] else "https")
    yield "scheme", scheme, scheme_variable
    # winrm: port 5986 whatever the scheme. psrp, and a scheme in words of ours: the scheme's own.
    usual = PORTS.get(str(scheme), 0) if is_ours or plugin.name == "psrp" else PORTS["https"]
    yield "port", port or usual, port_variable or "Ansible's default"
    if "path" not in known.keys and (path := text_of(host, plugin.path)):
        yield "path", path if path.startswith("/") else f"/{path}", plugin.path


def _log_in(host: Host, plugin: Plugin, result: HostKeys) -> None:
    """Add the transport, then what it needs: what is no use to it is not looked at."""
    result.password = next((name for name in reversed(plugin.password) if content_of(host, name) is not None), None)
    if "transport" not in result.keys:
        result.set("transport", *_transport(host, plugin, result))
    transport = result.keys["transport"]
    by_password = transport in ("ntlm", "credssp", "basic") and "credential" not in result.keys
    if result.user is None and (by_password or (transport == "kerberos" and "principal" not in result.keys)):
        result.user, _ = last_of(host, plugin.user)
    result.add(_trust(host, plugin, result))
    if transport == "certificate":
        for key, name in (("certificate", plugin.certificate), ("key", plugin.key)):
            if key not in result.keys and (file := text_of(host, name)):
                result.set(key, file, name)
    if transport == "kerberos":
        if result.user:
            result.add([("principal", result.user, plugin.user[0])])
        if "kerberos_host" not in result.keys and (override := text_of(host, plugin.kerberos_host)):
            result.set("kerberos_host", override, plugin.kerberos_host)


def _trust(host: Host, plugin: Plugin, known: HostKeys) -> Iterator[OwnKey]:
    if "verify" not in known.keys and _choice(host, plugin.validation, ("validate", "ignore")) == "ignore":
        yield "verify", False, plugin.validation
    if "ca" not in known.keys:
        ca, variable = last_of(host, plugin.ca)
        if ca is not None and ca != "legacy_requests":  # pywinrm's word for its own default
            yield "ca", ca, variable
    if "cleartext" not in known.keys and _choice(host, plugin.encryption, ("auto", "always", "never")) == "never":
        yield "cleartext", True, plugin.encryption


def _transport(host: Host, plugin: Plugin, result: HostKeys) -> tuple[str, str]:
    """Return the transport and the variable that says it."""
    by_certificate = all(
        key in result.keys or content_of(host, name) is not None
        for key, name in (("certificate", plugin.certificate), ("key", plugin.key))
    )
    wanted = _first_transport(host, plugin, result)
    if wanted is None:
        variable = f"{plugin.transport}, {BY_DEFAULT}"
        if plugin.name == "psrp":
            return "ntlm", variable
        result.user, _ = last_of(host, plugin.user)
        if result.user and "@" in result.user:
            return "kerberos", variable
        return ("certificate" if by_certificate else "basic"), variable
    if plugin.name == "winrm" and wanted == "ssl":  # pywinrm: a certificate where there is one, else Basic
        return ("certificate" if by_certificate else "basic"), plugin.transport
    if wanted not in plugin.transports:
        raise UnusableError(f"{plugin.transport}: {quote(wanted)} is none of {', '.join(plugin.transports)}")
    return plugin.transports[wanted], plugin.transport


def _first_transport(host: Host, plugin: Plugin, result: HostKeys) -> str | None:
    """Ansible tries one after the other; we try one, so that a wrong password counts once."""
    content = content_of(host, plugin.transport)
    if isinstance(content, tuple):
        names = [item for item in content if isinstance(item, str)]
    else:
        names = (text_of(host, plugin.transport) or "").split(",")
    names = [name.strip().lower() for name in names if name.strip()]
    if len(names) > 1:
        result.remarks.append(f"of {plugin.transport} only {quote(names[0])} is tried, the first")
    return names[0] if names else None


def _own(host: Host, result: HostKeys) -> Iterator[OwnKey]:
    """Yield `hyperv_site` and its kin, each a key of ours."""
    for name in host.variables:
        if not name.startswith(OURS) or name in OF_THE_ESTATE:
            continue
        key = name.removeprefix(OURS)
        if key not in KEYS:
            near = next(iter(get_close_matches(key, KEYS, 1, 0.8)), None)
            if near:
                raise UnusableError(f"{name}: unknown (did you mean {OURS}{near}?)")
            continue  # somebody else's: a role may have variables of this name
        content = content_of(host, name)
        if key == "path" and not re.fullmatch(URL_PATH, _hint(host, name) or ""):
            if content is not None:
                result.remarks.append(f"{name} is no path of a WinRM listener, so it is taken as a role's")
        elif isinstance(content, Other) or (isinstance(content, tuple) and not all(map(_is_text, content))):
            result.remarks.append(f"{name} is neither text nor a list of it, so it is taken as a role's")
        elif isinstance(content, tuple):
            yield key, list(content), name
        elif (text := text_of(host, name)) is not None:
            yield key, _typed(key, text, name), name


def _is_text(content: Content) -> bool:
    return isinstance(content, str)


def _typed(key: str, text: str, variable: str) -> object:
    annotation = Entry.model_fields[key].annotation
    if annotation is bool:
        word = text.strip().lower()
        if word not in TRUE | FALSE:
            raise UnusableError(f"{variable}: expected `true` or `false`, got {quote(text)}")
        return word in TRUE
    if annotation is int:
        return number_of(text, variable)
    return [group.strip() for group in text.split(",")] if key == "groups" else text


def _refuse(host: Host, plugin: Plugin, result: HostKeys) -> None:
    """UnusableError for a variable that changes how the host is reached, and can't be followed; a remark for those
    that the plugin doesn't know either."""
    unknown = []
    for name in host.variables:
        refused = plugin.refused.get(name)
        if refused is None:
            if name.startswith(plugin.prefix) and name not in plugin.known and content_of(host, name) is not None:
                unknown.append(name)
            continue
        heeds = refused.transports is None or result.keys["transport"] in refused.transports
        if heeds and content_of(host, name) is not None:
            text = _hint(host, name)
            if text is None or text.strip().lower() not in refused.usual | {""}:
                raise UnusableError(f"{name}: {refused.advice}")
    for name in unknown:
        if near := next(iter(get_close_matches(name, plugin.known, 1, 0.9)), None):
            raise UnusableError(f"{name}: unknown (did you mean {near}?)")
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        result.remarks.append(f"{join_names(sorted(unknown))} {verb} not known of Ansible's plugin, and not used")


def _settle(result: HostKeys) -> None:
    """Drop what Ansible takes in silence and our inventory would call a mistake."""
    if result.keys["scheme"] == "http":
        result.drop("verify", "ca")  # there is no certificate
    else:
        result.drop("cleartext")  # TLS encrypts all the same


def last_of(host: Host, names: tuple[str, ...]) -> tuple[str | None, str]:
    """Return the text of the last of several names that is set, and which name that is."""
    for name in reversed(names):
        if (text := text_of(host, name)) is not None:
            return text, name
    return None, ""


def number_of(text: str, variable: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*", text):
        raise UnusableError(f"{variable}: expected a whole number, got {quote(text)}")
    return int(text)


def _choice(host: Host, variable: str, words: tuple[str, ...]) -> str | None:
    text = text_of(host, variable)
    if text is None:
        return None
    if text.strip().lower() not in words:
        raise UnusableError(f"{variable}: expected {' or '.join(words)}, got {quote(text)}")
    return text.strip().lower()


def estate_text(hosts: Mapping[str, Host], variable: str) -> str | None:
    """Return what all hosts agree upon. UnusableError where two say different things."""
    texts = {text for host in hosts.values() if (text := text_of(host, variable)) is not None}
    if len(texts) > 1:
        raise UnusableError(f"{variable}: hosts say different things of it: {', '.join(map(quote, sorted(texts)[:3]))}")
    return next(iter(texts), None)
