"""Inventory file -> entries. A mistake is told with its line, and all mistakes of a file are told at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from compliance import model
from compliance.credentials.places import PasswordPlace
from compliance.files.keys import CREDENTIAL, File, Form, Label, Model, Name, meant
from compliance.files.yaml_file import Place, UserFile, content_of, shown
from compliance.gate.policy import DEFAULT, Policy, PolicyBlock
from compliance.inventory import guests as guest_entry
from compliance.inventory import listener
from compliance.inventory.guests import AnsibleGuest, GuestEntry, WayIn, WindowsGuest
from compliance.inventory.listener import PORTS, PRINCIPAL, Listener
from compliance.inventory.stretched import SiteMention, Stretch

NEITHER = "expected `servers`, `clusters`, `include` or `snapshot`, got none of them"

OF_THE_ESTATE = ("snapshot", "limits", "policy", "may_be_empty")
"""What an inventory that others include does not say."""

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
        raise ValueError(f"expected {EXPECTED[HOST]}, got {shown(value)}") from None


Address = Annotated[str, Field(pattern=HOST, max_length=300), AfterValidator(one_address)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class Settings(Listener):
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


class Entry(Settings):
    """One server."""

    name: Name
    """Unique; ids and reports carry it."""
    address: Address = Field(default_factory=lambda known: known.get("name", ""))
    """Name, IPv4 or IPv6 (with zone) to connect to; the name, if left out."""
    kerberos_host: Address | None = None
    """The name by which the domain knows it, for transport kerberos; only where `address` is another."""

    def __str__(self) -> str:
        return self.name


Server = Annotated[Entry, BeforeValidator(by_name, json_schema_input_type=Entry | Name)]
"""A server by its keys, or by its name alone."""


class ClusterEntry(Entry):
    """A failover cluster: its nodes become servers, with its settings."""

    address: Address = Field(default_factory=lambda known: known.get("name", ""))
    """The cluster's own name, or any node's, to ask for the nodes; the name, if left out."""
    domain: Annotated[str, Field(pattern=DOMAIN, max_length=200)] | None = None
    """Completes the nodes' names; the address's own domain, if left out."""
    nodes: Annotated[tuple[Server, ...], Field(strict=False)] = ()
    """Asked where the address answers nothing; and what a node has that it doesn't share with the cluster."""

    def node(self, label: str) -> Entry:
        """The server that a node is. Its name is a host's word, so only this cluster's domain is ever behind it."""
        for listed in self.nodes:
            if label.casefold() in {one.partition(".")[0].casefold() for one in (listed.name, listed.address)}:
                return listed
        domain = self.address.partition(".")[2] if self.domain is None else self.domain
        name = f"{label.lower()}.{domain}" if domain else label.lower()
        return Entry(**{key: getattr(self, key) for key in Settings.model_fields}, name=name, address=name)


Cluster = Annotated[ClusterEntry, BeforeValidator(by_name, json_schema_input_type=ClusterEntry | Name)]


class Limits(Model):
    """How long we wait, in seconds, and how many servers and guests we ask at a time."""

    connect: Seconds = 10
    """Until a connection stands."""
    operation: Seconds = 60
    """Until one request is answered."""
    server: Seconds = 300
    """Until a server has told everything. What is left out of the others follows a lower one."""
    threads: int = Field(default=32, ge=1, le=256)
    """Servers and guests asked side by side."""

    @model_validator(mode="before")
    @classmethod
    def follow(cls, value: object) -> object:
        """Bring what is left out down to the limit above it: who waits less for a server waits less for each answer."""
        if not isinstance(value, dict):
            return value
        limits = dict(value)
        for key, above in (("operation", "server"), ("connect", "operation")):
            most = limits.get(above)
            usual: float = cls.model_fields[key].default
            if key not in limits and isinstance(most, int | float) and 0 < most < usual:
                limits[key] = float(most)
        return limits

    @model_validator(mode="after")
    def grow(self) -> Limits:
        if not self.connect <= self.operation <= self.server:
            spans = f"{self.connect:g}, {self.operation:g} and {self.server:g}"
            raise ValueError(f"expected connect <= operation <= server, got {spans} seconds")
        return self


Sites = Annotated[tuple[Label, ...], Field(strict=False, min_length=2)]

ASKED = ("servers", "clusters", "include")
"""Keys that name whom to ask, each enough by itself."""


class Document(Model):
    """The servers of an estate, here or in other files, or a snapshot of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [key]} for key in (*ASKED, "snapshot")],
            "not": {"required": ["snapshot"], "anyOf": [{"required": [key]} for key in ASKED]},
        }
    )

    name: Name = Field(default_factory=str)
    """The estate's name, which ids and snapshots carry; the file's name without its ending, if left out."""
    servers: Annotated[tuple[Server, ...], Field(strict=False, min_length=1)] = Field(default_factory=tuple)
    """The servers to read."""
    include: Annotated[tuple[File, ...], Field(strict=False, max_length=500)] = Field(default_factory=tuple)
    """Other inventories whose servers belong to this estate, each with its own `defaults`; relative to this one."""
    clusters: Annotated[tuple[Cluster, ...], Field(strict=False, min_length=1)] = Field(default_factory=tuple)
    """Failover clusters to read, each with all its nodes."""
    snapshot: File | None = None
    """Stands in place of `servers`: what an earlier run gathered; relative to the inventory's folder."""
    guests: Annotated[tuple[WayIn | AnsibleGuest, ...], Field(strict=False)] = Field(default_factory=tuple)
    """Ways into guests, for rules that look inside."""
    defaults: Settings = Field(default_factory=Settings)
    """What every server has that doesn't say otherwise."""
    credentials: dict[Annotated[str, Field(pattern=CREDENTIAL, max_length=60)], PasswordPlace] = Field(
        default_factory=dict
    )
    """Where passwords are kept, by the names that servers say as `credential`; the environment goes before it."""
    limits: Limits = Field(default_factory=Limits)
    policy: PolicyBlock = Field(default_factory=PolicyBlock)
    """What closes the gate."""
    may_be_empty: bool = False
    """true: an estate without any replicated virtual machine is fine."""
    stretched: Annotated[tuple[Sites, ...], Field(strict=False)] = ()
    """Lists of sites that share their networks: a machine keeps its address there, and it is valid."""


FORM = Form(
    root=Document,
    item="server",
    below={
        "servers": Entry,
        "guests": GuestEntry,
        "clusters": ClusterEntry,
        "defaults": Settings,
        "credentials": PasswordPlace,
        "limits": Limits,
        "policy": PolicyBlock,
    },
    expected=EXPECTED,
)
GUESTS = {
    model: Form(root=Document, item="guest", below={"guests": model}, expected=EXPECTED)
    for model in (GuestEntry, WindowsGuest, AnsibleGuest)
}


Login = Callable[[], tuple[str, str]]
"""A user and a password, asked for only where servers are read. UsageError where they can't be had."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    name: str
    servers: tuple[Entry, ...]
    guests: tuple[WayIn, ...] = ()
    guests_of_ansible: tuple[tuple[int, AnsibleGuest], ...] = ()  # each with its line, until they are resolved
    clusters: tuple[ClusterEntry, ...] = ()
    snapshot: Path | None
    limits: Limits
    policy: Policy
    may_be_empty: bool
    path: Path
    digest: str
    lines: Mapping[str, int] = field(hash=False)  # server's, cluster's or guest's name -> line of the file
    credentials: Mapping[str, PasswordPlace] = field(default_factory=dict, hash=False)  # by name, in small letters
    files: Mapping[str, str] = field(default_factory=dict, hash=False)  # server's name -> its file, where it is another
    include: Mapping[Path, int] = field(default_factory=dict, hash=False)  # other inventories, and the line of each
    logins: Mapping[str, Login] = field(default_factory=dict, hash=False, repr=False, compare=False)
    """What came with the inventory, by ``Entry.login``."""
    remarks: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    limit: str = ""  # the pattern that chose among the servers
    left_out: tuple[str, ...] = ()  # what a partner may call those that it did not choose

    @property
    def peers(self) -> list[Entry | WayIn]:
        """Whoever is asked; their names never meet, since a guest's holds `://`."""
        return [*self.clusters, *self.servers, *self.guests]

    @property
    def hosts(self) -> tuple[Entry, ...]:
        """Every Hyper-V host that is logged in to, as far as it is known before anything was read."""
        return (*self.servers, *self.clusters, *(node for cluster in self.clusters for node in cluster.nodes))

    @property
    def known(self) -> list[Entry | WayIn]:
        """The same with the guests."""
        return [*self.hosts, *self.guests]

    @property
    def stretched(self) -> tuple[frozenset[str], ...]:
        """Sites that share their networks."""
        return tuple(frozenset(mention.site for mention in stretch) for stretch in self.stretches)

    @property
    def settings(self) -> model.Settings:
        """How the estate is judged, in the words of those who judge."""
        return self.policy.over(model.Settings(may_be_empty=self.may_be_empty))


def read_inventory(path: Path) -> Inventory:
    return inventory_of(path, content_of(path))


def inventory_of(path: Path, content: bytes, *, included: bool = False) -> Inventory:
    """What ``content`` says. ``path`` is for messages; its folder is where files are looked for.

    One that is ``included`` may say nothing of the estate as a whole: that is for the file that includes it.
    """
    text = UserFile(path, sharing="what servers share goes to `defaults`")
    document = text.document(content)
    _check_credentials(text, document)
    _check_source(text, document)
    for key in OF_THE_ESTATE if included else ():
        if key in document:
            text.add((key,), "counts only in the inventory that includes this one: say it there")
    lists = ("servers", "clusters", "guests")
    head = {key: value for key, value in document.items() if key not in lists or not isinstance(value, list)}
    known = FORM.check(text, Document, {"name": path.stem} | head)
    entries = _entries(text, document)
    guests = _guests(text, document)
    if known is None or text.mistakes:
        raise text.error()
    return Inventory(
        name=known.name,
        guests=tuple(guest for guest in guests.values() if not isinstance(guest, AnsibleGuest)),
        guests_of_ansible=tuple(
            (text.line(place), guest) for place, guest in guests.items() if isinstance(guest, AnsibleGuest)
        ),
        servers=tuple(entry for place, entry in entries.items() if place[0] == "servers"),
        clusters=tuple(_with_nodes(entries)),
        snapshot=known.snapshot,
        credentials={name.casefold(): source for name, source in known.credentials.items()},
        include={path: text.line(("include", at)) for at, path in enumerate(known.include)},
        limits=known.limits,
        policy=DEFAULT.after(known.policy),
        may_be_empty=known.may_be_empty,
        stretches=tuple(_stretches(text, known.stretched)),
        path=path,
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        lines={entry.name: text.line(place) for place, entry in entries.items()}
        | {guest.name: text.line(place) for place, guest in guests.items() if not isinstance(guest, AnsibleGuest)},
    )


def _stretches(text: UserFile, stretched: tuple[Sites, ...]) -> Iterator[Stretch]:
    for number, sites in enumerate(stretched):
        yield tuple(
            SiteMention(site=site, place=text.where(("stretched", number, at))) for at, site in enumerate(sites)
        )


def _check_source(text: UserFile, document: dict[str, object]) -> None:
    asked = [key for key in ASKED if key in document]
    for key in asked:
        if document[key] == []:
            text.add((key,), f"expected at least one {'file' if key == 'include' else key[:-1]}, got an empty list")
    if asked and "snapshot" in document:
        text.add(("snapshot",), f"stands in place of `{asked[0]}`; keep one of the two")
    elif "guests" in document and "snapshot" in document:
        text.add(("guests",), "a snapshot has its own; nobody is asked")
    elif document.get("snapshot", "") is None:
        text.add(("snapshot",), "expected the name of a file, got nothing")
    elif not {*ASKED, "snapshot"} & {*document, *(meant(key, Document) for key in document)}:
        text.add((), f"{NEITHER}; nor are there groups with `hosts`, as an inventory of Ansible has them")


def _check_credentials(text: UserFile, document: dict[str, object]) -> None:
    """Two that differ in the size of letters would share the environment's variables."""
    given = document.get("credentials")
    names: dict[str, Place] = {}
    for name, source in given.items() if isinstance(given, dict) else ():
        place = ("credentials", str(name))
        first = names.setdefault(str(name).casefold(), place)
        if first != place:
            text.add(place, f"is {text.named(first)} already")
        if isinstance(source, dict) and "password" in source:
            text.add((*place, "password"), "a password does not stand in an inventory: name where it is kept")


def _entries(text: UserFile, document: dict[str, object]) -> dict[Place, Entry]:
    entries: dict[Place, Entry] = {}
    names: dict[str, Place] = {}
    endpoints: dict[tuple[str, int, str], Place] = {}
    for place, model_of, given in _given(document):
        entry = FORM.check(text, model_of, given, place, is_told=lambda at: _is_inherited(text, at))
        if isinstance(given, dict) and isinstance(name := given.get("name"), str):
            first = names.setdefault(name.casefold(), place)
            if first != place:
                text.add((*place, "name"), f"{shown(name)} is {text.named(first)} already")
                continue
        if entry is None:
            continue
        entries[place] = entry
        if not isinstance(entry, ClusterEntry):  # a cluster's address may be a node's
            first = endpoints.setdefault((entry.address.casefold(), entry.port, entry.path), place)
            if first != place:
                text.add((*place, "address"), f"{shown(entry.address)}, port and path are {text.named(first)} already")
        for key, reason in contradictions(entry):
            text.add((*place, key), reason)
    return entries


def _given(document: dict[str, object]) -> Iterator[tuple[Place, type[Entry], object]]:
    """Every server, cluster and node, with what it inherits: nodes from their cluster, all from `defaults`."""
    shared = _settings_in(document.get("defaults"))
    for index, server in enumerate(map(by_name, _list(document.get("servers")))):
        yield ("servers", index), Entry, shared | server if isinstance(server, dict) else server
    for index, cluster in enumerate(map(by_name, _list(document.get("clusters")))):
        place: Place = ("clusters", index)
        if not isinstance(cluster, dict):
            yield place, ClusterEntry, cluster
            continue
        nodes = cluster.get("nodes", [])
        alone = {key: value for key, value in cluster.items() if key != "nodes" or not isinstance(nodes, list)}
        yield place, ClusterEntry, shared | alone
        for number, node in enumerate(map(by_name, _list(nodes))):
            inherited = shared | _settings_in(cluster)
            yield (*place, "nodes", number), Entry, inherited | node if isinstance(node, dict) else node


def _settings_in(given: object) -> dict[str, object]:
    return {key: given[key] for key in Settings.model_fields if key in given} if isinstance(given, dict) else {}


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _with_nodes(entries: Mapping[Place, Entry]) -> Iterator[ClusterEntry]:
    for place, cluster in entries.items():
        if isinstance(cluster, ClusterEntry):
            nodes = [node for at, node in entries.items() if at[:3] == (*place, "nodes")]
            yield cluster.model_copy(update={"nodes": tuple(nodes)})


def contradictions(entry: Entry) -> Iterator[tuple[str, str]]:
    """Keys that say what another one forbids, and why."""
    if isinstance(entry, ClusterEntry) and entry.domain is None and _is_ip(entry.address):
        yield "domain", "an IP address has none to complete the nodes' names by; name it (`domain: dr.example`)"
    if entry.kerberos_host is not None and entry.transport != "kerberos":
        yield "kerberos_host", f"transport `{entry.transport}` has no use for it"
    yield from listener.contradictions(entry)


def _guests(text: UserFile, document: dict[str, object]) -> dict[Place, WayIn | AnsibleGuest]:
    given = document.get("guests")
    entries: dict[Place, WayIn | AnsibleGuest] = {}
    known: dict[str, Place] = {}
    for index, guest in enumerate(given if isinstance(given, list) else ()):
        place = ("guests", index)
        model_of = guest_entry.model_of(guest)
        entry = GUESTS[model_of].check(text, model_of, guest, place)
        if entry is None:
            continue
        entries[place] = entry
        if isinstance(entry, AnsibleGuest):
            continue  # which way that is, and whether it is there already, is seen later
        first = known.setdefault(entry.connection.casefold(), place)
        if first != place:
            text.add((*place, "connection"), f"{shown(entry.connection)} is {text.named(first)} already")
        for key, reason in guest_entry.contradictions(entry):
            text.add((*place, key), reason)
    return entries


def _is_inherited(text: UserFile, at: Place) -> bool:
    """Told where the cluster or `defaults` says it."""
    if at in text.lines:
        return False
    if len(at) > 4 and at[2] == "nodes":
        return (*at[:2], *at[4:]) in text.lines or ("defaults", *at[4:]) in text.lines
    return ("defaults", *at[2:]) in text.lines


def _is_ip(address: str) -> bool:
    return ":" in address or "%" in address or bool(re.fullmatch(r"[0-9.]+", address))
