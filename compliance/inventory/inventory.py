"""An inventory as a value: whom to read, by which logins, and where each of them is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compliance import model
from compliance.credentials.places import PasswordPlace
from compliance.gate.policy import Policy
from compliance.inventory.entries import ClusterEntry, Entry, Limits
from compliance.inventory.guests import AnsibleGuest, WayIn
from compliance.inventory.stretched import Stretch

CarriedLogin = Callable[[], tuple[str, str]]
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
    logins: Mapping[str, CarriedLogin] = field(default_factory=dict, hash=False, repr=False, compare=False)
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
    def settings(self) -> model.Judging:
        """How the estate is judged, in the words of those who judge."""
        return self.policy.over(model.Judging(may_be_empty=self.may_be_empty))
