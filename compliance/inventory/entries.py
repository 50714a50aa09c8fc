"""Servers and clusters as an inventory names them: the keys of one, what they mean, and which contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, TypeGuard

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from compliance.files.keys import CREDENTIAL, Label, Model, Name
from compliance.inventory import listener
from compliance.inventory.listener import PORTS, PRINCIPAL, Listener
from compliance.words import quote

HOST = r"^[^\s\x00-$&-,/;-@\[-\^`{-\x9f]+$"
DOMAIN = r"^[^\s\x00-,/:-@\[-\^`{-\x9f]*$"
URL_PATH = r"^/[A-Za-z0-9._~/%-]*$"

EXPECTED = {
    HOST: "a name or an IP address, without scheme, port or brackets",
    CREDENTIAL: "a name of ASCII letters, digits and `_` that starts with a letter",
    PRINCIPAL: "a principal such as `audit@EXAMPLE.COM`",
    DOMAIN: "a domain such as `dr.example`",
    URL_PATH: "a path that starts with `/`",
}


def one_address(value: str) -> str:
    """One spelling of an IP address; a name stays as it is."""
    if not re.search("[:%]", value) and not re.fullmatch(r"[0-9.]+", value):
        return value
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError(f"expected {EXPECTED[HOST]}, got {quote(value)}") from None


Address = Annotated[str, Field(pattern=HOST, max_length=300), AfterValidator(one_address)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class ServerKeys(Listener):
    """What a server may say and what `defaults` may say for all. null, where allowed, takes a default back."""

    port: int = Field(default_factory=lambda known: PORTS.get(known.get("scheme"), 0), ge=1, le=65535)
    """Only where the listener has another port than its scheme's."""
    path: Annotated[str, Field(pattern=URL_PATH, max_length=200)] = "/wsman"
    """The listener's path."""
    site: Label | None = None
    """Where the server stands."""
    groups: Annotated[tuple[Label, ...], Field(strict=False)] = ()
    """For selecting and for reports."""
    may_be_empty: bool = False
    """true: a host without any virtual machine is fine."""
    may_lack_failover_settings: bool = False
    """true: a host that replicates, but shows not one failover setting, is fine."""


def by_name(value: object) -> object:
    """Return the entry that a plain name stands for."""
    return {"name": value} if isinstance(value, str) else value


class Entry(ServerKeys):
    """One server."""

    name: Name
    """Unique; ids and reports carry it."""
    address: Address = Field(default_factory=lambda known: known.get("name", ""))
    """Name, IPv4 or IPv6 (with zone) to connect to; the name, if left out."""
    kerberos_host: Address | None = None
    """The name by which the domain knows it, for transport kerberos; only where `address` is another."""

    def __str__(self) -> str:
        return self.name


ServerItem = Annotated[Entry, BeforeValidator(by_name, json_schema_input_type=Entry | Name)]
"""A server by its keys, or by its name alone."""


class ClusterEntry(Entry):
    """A failover cluster: its nodes become servers, with its settings."""

    address: Address = Field(default_factory=lambda known: known.get("name", ""))
    """The cluster's own name, or any node's, to ask for the nodes; the name, if left out."""
    domain: Annotated[str, Field(pattern=DOMAIN, max_length=200)] | None = None
    """Completes the nodes' names; the address's own domain, if left out."""
    nodes: Annotated[tuple[ServerItem, ...], Field(strict=False)] = ()
    """Asked where the address answers nothing; and what a node has that it doesn't share with the cluster."""

    def node(self, label: str) -> Entry:
        """The server that a node is. Its name is a host's word, so only this cluster's domain is ever behind it."""
        for entry in self.nodes:
            if label.casefold() in {known.partition(".")[0].casefold() for known in (entry.name, entry.address)}:
                return entry
        domain = self.address.partition(".")[2] if self.domain is None else self.domain
        name = f"{label.lower()}.{domain}" if domain else label.lower()
        return Entry(**{key: getattr(self, key) for key in ServerKeys.model_fields}, name=name, address=name)


ClusterItem = Annotated[ClusterEntry, BeforeValidator(by_name, json_schema_input_type=ClusterEntry | Name)]


class Limits(Model):
    """How long we wait, in seconds, and how many servers and guests we ask at a time."""

    connect: Seconds = 10
    """Until a connection stands."""
    operation: Seconds = 60
    """Until one request is answered."""
    server: Seconds = 300
    """Until a server has told everything. A lower one lowers the others, also where they say more."""
    threads: int = Field(default=32, ge=1, le=256)
    """Servers and guests asked side by side."""

    @model_validator(mode="before")
    @classmethod
    def follow(cls, value: object) -> object:
        """Bring the others down to a lower limit above them: who waits less for a server waits less for each answer."""
        if not isinstance(value, dict):
            return value
        limits = dict(value)
        for key, above in (("operation", "server"), ("connect", "operation")):
            most = limits.get(above)
            value = limits.get(key, cls.model_fields[key].default)
            if _is_number(most) and _is_number(value) and 0 < most < value:
                limits[key] = float(most)
        return limits

    @model_validator(mode="after")
    def grow(self) -> Limits:
        if not self.connect <= self.operation <= self.server:
            spans = f"{self.connect:g}, {self.operation:g} and {self.server:g}"
            raise ValueError(f"expected connect <= operation <= server, got {spans} seconds")
        return self


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def conflicts(entry: Entry) -> Iterator[tuple[str, str]]:
    """Keys that say what another one forbids, and why."""
    if isinstance(entry, ClusterEntry) and entry.domain is None and _is_ip(entry.address):
        yield "domain", "an IP address has none to complete the nodes' names by; name it (`domain: dr.example`)"
    if entry.kerberos_host is not None and entry.transport != "kerberos":
        yield "kerberos_host", f"transport `{entry.transport}` has no use for it"
    yield from listener.conflicts(entry)


def _is_ip(address: str) -> bool:
    return ":" in address or "%" in address or bool(re.fullmatch(r"[0-9.]+", address))
