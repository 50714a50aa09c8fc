"""A row of the table of guests' systems: whether a failover address is applied there, by what, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from compliance.model import Stack


class Statement(StrEnum):
    """What is known of static IP injection on a system. No statement is not a no: somebody would have to try."""

    WORKS = "works"
    WORKS_IF = "works if"
    NOT_AS_INSTALLED = "not as installed"
    KNOWN_NOT = "known not to"
    NO_STATEMENT = "no statement"


class VersionItem(StrEnum):
    """The item of Data Exchange in which a system publishes its version.

    Linux's daemon puts the distribution's VERSION_ID into OSMajorVersion and the kernel's into OSVersion
    (torvalds/linux: tools/hv/hv_kvp_daemon.c, kvp_get_os_info); FreeBSD's and Windows' publish theirs in OSVersion.
    """

    MAJOR = "OSMajorVersion"
    VERSION = "OSVersion"


@dataclass(frozen=True, slots=True)
class Citation:
    """Who says it: a page with its address, or a package that was looked into."""

    name: str
    link: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class PackagedDaemon:
    """What answers Data Exchange inside, and the script that it calls to set an address.

    ``script`` is the path that the daemon calls, whether or not the package brings it; a bare name is found by PATH.
    Windows needs neither: its service sets the address itself.
    """

    package: str
    service: str
    path: str = ""
    script: str = ""
    brings_script: bool = True
    writes_for: tuple[Stack, ...] = ()
    form: str = ""  # of the file by which NetworkManager gets to know


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """One row. ``names`` are what Data Exchange publishes, in small letters; one that ends in ``*`` may go on.

    ``since`` and ``before`` bound the version; a row without either takes every version, or none that was published. A
    version without its minor number comes before all that have one: (8,) < (8, 0). ``why`` completes the verdict:
    *works if* …, *known not to, since* … ``notes`` are what else is known of it.
    """

    distribution: str
    versions: str
    names: tuple[str, ...]
    statement: Statement
    injection: str  # in Microsoft's table, row Static IP Injection
    data_exchange: str  # in Microsoft's table, row Key-Value Pair
    why: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    since: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    version_in: VersionItem = VersionItem.MAJOR
    takes_ipv6: bool = True
    daemon: PackagedDaemon | None = None
    sources: tuple[Citation, ...] = ()

    @property
    def any_version(self) -> bool:
        return not (self.since or self.before)

    def has(self, version: tuple[int, ...]) -> bool:
        return self.since <= version and not (self.before and version >= self.before)

    def __str__(self) -> str:
        return f"{self.distribution} {self.versions}".strip()
