"""The keys of an inventory's file, from which editors get their schema and mistakes their words."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from compliance.credentials.places import PasswordPlace
from compliance.files.keys import CREDENTIAL, File, Label, Model, Name, Schema
from compliance.gate.policy import PolicyBlock
from compliance.inventory.entries import EXPECTED, ClusterEntry, ClusterItem, Entry, Limits, ServerItem, ServerKeys
from compliance.inventory.guests import AnsibleGuest, GuestEntry, WayIn, WindowsGuest

SharedSites = Annotated[tuple[Label, ...], Field(strict=False, min_length=2)]

KEYS_OF_SERVERS = ("servers", "clusters", "include")
"""Keys that name whom to ask, each enough by itself."""


class InventoryFile(Model):
    """The servers of an estate, here or in other files, or a snapshot of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [key]} for key in (*KEYS_OF_SERVERS, "snapshot")],
            "not": {"required": ["snapshot"], "anyOf": [{"required": [key]} for key in KEYS_OF_SERVERS]},
        }
    )

    name: Name = Field(default_factory=str)
    """The estate's name, which ids and snapshots carry; the file's name without its ending, if left out."""
    servers: Annotated[tuple[ServerItem, ...], Field(strict=False, min_length=1)] = Field(default_factory=tuple)
    """The servers to read."""
    include: Annotated[tuple[File, ...], Field(strict=False, max_length=500)] = Field(default_factory=tuple)
    """Other inventories whose servers belong to this estate, each with its own `defaults`; relative to this one."""
    clusters: Annotated[tuple[ClusterItem, ...], Field(strict=False, min_length=1)] = Field(default_factory=tuple)
    """Failover clusters to read, each with all its nodes."""
    snapshot: File | None = None
    """Stands in place of `servers`: what an earlier run gathered; relative to the inventory's folder."""
    guests: Annotated[tuple[WayIn | AnsibleGuest, ...], Field(strict=False)] = Field(default_factory=tuple)
    """Ways into guests, for rules that look inside."""
    defaults: ServerKeys = Field(default_factory=ServerKeys)
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
    stretched: Annotated[tuple[SharedSites, ...], Field(strict=False)] = ()
    """Lists of sites that share their networks: a machine keeps its address there, and it is valid."""


SCHEMA = Schema(
    root=InventoryFile,
    item="server",
    below={
        "servers": Entry,
        "guests": GuestEntry,
        "clusters": ClusterEntry,
        "defaults": ServerKeys,
        "credentials": PasswordPlace,
        "limits": Limits,
        "policy": PolicyBlock,
    },
    expected=EXPECTED,
)
GUEST_SCHEMAS = {
    model: Schema(root=InventoryFile, item="guest", below={"guests": model}, expected=EXPECTED)
    for model in (GuestEntry, WindowsGuest, AnsibleGuest)
}
