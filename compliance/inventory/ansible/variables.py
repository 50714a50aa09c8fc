"""A host's variables in the words of our inventory: where it listens, and how we log in there.

Names, defaults and meanings are those of the connection plugins ansible.builtin.winrm and ansible.builtin.psrp as
ansible-core 2.19 documents them; of several names for one thing the later one of their lists wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from compliance.files.yaml_file import shown
from compliance.inventory.ansible.hosts import Host
from compliance.inventory.ansible.templates import UnusableError, content_of, text_of
from compliance.inventory.inventory import Entry

OURS = "hyperv_"
"""Variables that begin so are keys of our own inventory: `hyperv_site`, `hyperv_credential` …"""
OF_THE_ESTATE = ("hyperv_estate", "hyperv_policy")
KEYS = frozenset(Entry.model_fields) - {"name"}
PASSWORD = ("ansible_password", "ansible_winrm_pass", "ansible_winrm_password")
TRUE, FALSE = frozenset({"true", "yes", "on", "y", "t", "1"}), frozenset({"false", "no", "off", "n", "f", "0"})
"""Ansible's words (ansible.module_utils.parsing.convert_bool)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugin:
    """A connection plugin's names for what it needs to know."""

    address: tuple[str, ...]
    user: tuple[str, ...]
    password: tuple[str, ...]
    port: tuple[str, ...]
    scheme: str
    path: str
    transport: str
    validation: str
    ca: tuple[str, ...]
    certificate: str
    key: str
    encryption: str
    kerberos_host: str


PLUGINS = {
    "winrm": Plugin(
        address=("ansible_host", "ansible_winrm_host"),
        user=("ansible_user", "ansible_winrm_user"),
        password=PASSWORD,
        port=("ansible_port", "ansible_winrm_port"),
        scheme="ansible_winrm_scheme",
        path="ansible_winrm_path",
        transport="ansible_winrm_transport",
        validation="ansible_winrm_server_cert_validation",
        ca=("ansible_winrm_ca_trust_path",),
        certificate="ansible_winrm_cert_pem",
        key="ansible_winrm_cert_key_pem",
        encryption="ansible_winrm_message_encryption",
        kerberos_host="ansible_winrm_kerberos_hostname_override",
    ),
    "psrp": Plugin(
        address=("ansible_host", "ansible_psrp_host"),
        user=("ansible_user", "ansible_psrp_user"),
        password=PASSWORD,
        port=("ansible_port", "ansible_psrp_port"),
        scheme="ansible_psrp_protocol",
        path="ansible_psrp_path",
        transport="ansible_psrp_auth",
        validation="ansible_psrp_cert_validation",
        ca=("ansible_psrp_cert_trust_path", "ansible_psrp_ca_cert"),
        certificate="ansible_psrp_certificate_pem",
        key="ansible_psrp_certificate_key_pem",
        encryption="ansible_psrp_message_encryption",
        kerberos_host="ansible_psrp_negotiate_hostname_override",
    ),
}
TRANSPORTS = {
    "winrm": {
        "basic": "basic",
        "plaintext": "basic",
        "certificate": "certificate",
        "kerberos": "kerberos",
        "ntlm": "ntlm",
        "credssp": "credssp",
    },
    # negotiate: Kerberos where that is to be had, else NTLM; NTLM is what works with a password alone.
    "psrp": {
        "basic": "basic",
        "certificate": "certificate",
        "kerberos": "kerberos",
        "ntlm": "ntlm",
        "negotiate": "ntlm",
        "credssp": "credssp",
    },
}


@dataclass(slots=True)
class Translated:
    """Keys of our inventory, and for each the variable that it came from."""

    keys: dict[str, object] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    password: str | None = None  # the name of its variable
    remarks: list[str] = field(default_factory=list)

    def say(self, key: str, value: object, variable: str) -> None:
        self.keys[key] = value
        self.variables[key] = variable

    def take_back(self, *keys: str) -> None:
        """What came of Ansible's variables; what is said in words of ours stays, and is checked."""
        for key in keys:
            if not self.variables.get(key, OURS).startswith(OURS):
                del self.keys[key], self.variables[key]


def connection_of(host: Host) -> str:
    """`winrm`, `psrp`, `ssh` …, without the collection's name. UnusableError where it is a template we can't read."""
    return (text_of(host, "ansible_connection") or "ssh").strip().removeprefix("ansible.builtin.")


def not_windows(host: Host) -> str | None:
    """Why a host is none that we could read; None where it is one. UnusableError where that can't be told, or where
    it is Windows and reached by another way than WS-Management."""
    connection = connection_of(host)
    if connection in PLUGINS:
        return None
    is_said = content_of(host, "ansible_connection") is not None
    shell = (text_of(host, "ansible_shell_type") or "").strip().rpartition(".")[2]
    hints = [name for name in host.variables if re.match(r"ansible_(winrm|psrp)_", name) and not is_said]
    hints += ["ansible_shell_type"] if shell in ("powershell", "cmd") else []
    hints += ["ansible_port"] if text_of(host, "ansible_port") in ("5985", "5986") else []
    if hints and connection != "local":
        is_set = "is" if is_said else "is not set, so it is"
        raise UnusableError(
            f"{min(hints)} says that it is Windows, but ansible_connection {is_set} {shown(connection)}: "
            "set it to winrm or psrp"
        )
    return f"connection {shown(connection)}"


def translated(host: Host) -> Translated:
    """What our inventory would say of a Windows host. UnusableError for the first variable that can't be understood.

    What Ansible leaves to its defaults is said here, since ours are others: NTLM, for one.
    """
    kind = connection_of(host)
    plugin = PLUGINS[kind]
    told = Translated()
    for key, value, variable in (*_place(host, kind, plugin), *_login(host, kind, plugin, told), *_own(host)):
        told.say(key, value, variable)
    _settle(told)
    return told


def _place(host: Host, kind: str, plugin: Plugin) -> Iterator[tuple[str, object, str]]:
    address, variable = last_of(host, plugin.address)
    if address is not None:
        yield "address", address.strip("[]"), variable
    port_text, port_variable = last_of(host, plugin.port)
    port = None if port_text is None else number_of(port_text, port_variable)
    scheme = _choice(host, plugin.scheme, ("http", "https"))
    # winrm: port 5986 whatever the scheme. psrp: the scheme's own.
    if port is None and kind == "psrp" and scheme == "http":
        port = 5985
    scheme_variable = plugin.scheme if scheme else f"{port_variable or 'ansible_port'}, by Ansible's default"
    port_variable = port_variable or "Ansible's default"
    yield "scheme", scheme or ("http" if port == 5985 else "https"), scheme_variable
    yield "port", port or 5986, port_variable
    if path := text_of(host, plugin.path):
        yield "path", path if path.startswith("/") else f"/{path}", plugin.path


def _login(host: Host, kind: str, plugin: Plugin, told: Translated) -> Iterator[tuple[str, object, str]]:
    told.user, _ = last_of(host, plugin.user)
    told.password = next((name for name in reversed(plugin.password) if content_of(host, name) is not None), None)
    wanted, variable = _transport(host, kind, plugin, told)
    yield "transport", wanted, variable
    validation = _choice(host, plugin.validation, ("validate", "ignore"))
    if validation == "ignore":
        yield "verify", False, plugin.validation
    ca, variable = last_of(host, plugin.ca)
    if ca is not None and ca != "legacy_requests":  # pywinrm's word for its own default
        yield "ca", ca, variable
    for key, name in (("certificate", plugin.certificate), ("key", plugin.key)):
        if wanted == "certificate" and (file := text_of(host, name)):
            yield key, file, name
    if _choice(host, plugin.encryption, ("auto", "always", "never")) == "never":
        yield "cleartext", True, plugin.encryption
    if wanted == "kerberos":
        if told.user:
            yield "principal", told.user, plugin.user[0]
        if override := text_of(host, plugin.kerberos_host):
            yield "kerberos_host", override, plugin.kerberos_host


def _transport(host: Host, kind: str, plugin: Plugin, told: Translated) -> tuple[str, str]:
    by_certificate = bool(text_of(host, plugin.certificate) and text_of(host, plugin.key))
    wanted = _first_transport(host, plugin, told)
    if wanted is None:
        default = f"{plugin.transport}, by Ansible's default"
        if kind == "psrp":
            return "ntlm", default
        if told.user and "@" in told.user:
            return "kerberos", default
        return ("certificate" if by_certificate else "basic"), default
    if kind == "winrm" and wanted == "ssl":  # pywinrm: a certificate where there is one, else Basic
        return ("certificate" if by_certificate else "basic"), plugin.transport
    if wanted not in TRANSPORTS[kind]:
        known = ", ".join(TRANSPORTS[kind])
        raise UnusableError(f"{plugin.transport}: {shown(wanted)} is none of {known}")
    return TRANSPORTS[kind][wanted], plugin.transport


def _first_transport(host: Host, plugin: Plugin, told: Translated) -> str | None:
    """Ansible tries one after the other; we try one, so that a wrong password counts once."""
    content = content_of(host, plugin.transport)
    if isinstance(content, tuple):
        names = [str(one) for one in content if isinstance(one, str)]
    else:
        names = (text_of(host, plugin.transport) or "").split(",")
    names = [name.strip().lower() for name in names if name.strip()]
    if len(names) > 1:
        told.remarks.append(f"of {plugin.transport} only {shown(names[0])} is tried, the first")
    return names[0] if names else None


def _own(host: Host) -> Iterator[tuple[str, object, str]]:
    """`hyperv_site` and its kin, each a key of ours."""
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
        if isinstance(content, tuple):
            yield key, [one for one in content if isinstance(one, str)], name
        elif (text := text_of(host, name)) is not None:
            yield key, _typed(key, text, name), name


def _typed(key: str, text: str, variable: str) -> object:
    annotation = Entry.model_fields[key].annotation
    if annotation is bool:
        word = text.strip().lower()
        if word not in TRUE | FALSE:
            raise UnusableError(f"{variable}: expected `true` or `false`, got {shown(text)}")
        return word in TRUE
    if annotation is int:
        return number_of(text, variable)
    return [one.strip() for one in text.split(",")] if key == "groups" else text


def _settle(told: Translated) -> None:
    """What one key makes of another, where Ansible says nothing of it and our inventory would call it a mistake."""
    if told.keys["scheme"] == "http":
        told.take_back("verify", "ca")  # there is no certificate
    else:
        told.take_back("cleartext")  # TLS encrypts all the same
    if told.keys["transport"] != "kerberos":
        told.take_back("principal", "kerberos_host")
    if told.keys["transport"] != "certificate":
        told.take_back("certificate", "key")


def last_of(host: Host, names: tuple[str, ...]) -> tuple[str | None, str]:
    """The last of several names that is set, and which one that is."""
    for name in reversed(names):
        if (text := text_of(host, name)) is not None:
            return text, name
    return None, ""


def number_of(text: str, variable: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,6}\s*", text):
        raise UnusableError(f"{variable}: expected a whole number, got {shown(text)}")
    return int(text)


def _choice(host: Host, variable: str, words: tuple[str, ...]) -> str | None:
    text = text_of(host, variable)
    if text is None:
        return None
    if text.strip().lower() not in words:
        raise UnusableError(f"{variable}: expected {' or '.join(words)}, got {shown(text)}")
    return text.strip().lower()


def estate_says(hosts: Mapping[str, Host], variable: str) -> str | None:
    """What all hosts must agree upon. UnusableError where two say different things."""
    said = {text for host in hosts.values() if (text := text_of(host, variable)) is not None}
    if len(said) > 1:
        raise UnusableError(f"{variable}: hosts say different things of it: {', '.join(map(shown, sorted(said)[:3]))}")
    return next(iter(said), None)
