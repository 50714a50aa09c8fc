"""Faults that Red Hat's hyperv-daemons had, by the release that ended them.

From the changelog of the package's spec (openela-main/hyperv-daemons, branches el-8.8 and el-9.3, and c9s): the script
that writes ifcfg files for NetworkManager set no default gateway (bz#2150255, bz#2122115), and gave an IPv6 address a
wrong prefix until it wrote keyfiles (RHEL-9902; of RHEL 8 nothing is documented).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

RELEASE = re.compile(
    r"(?:hypervkvpd|hyperv-daemons) 0-0\.([0-9]{1,4})\.(?:\S*\.)?el([0-9]{1,2})(?:_[0-9]{1,2})?(?:\.\S*)?"
)
"""As rpm's query prints it: `hypervkvpd 0-0.33.20180415git.el8`."""


@dataclass(frozen=True, slots=True)
class PackageFault:
    """Of the releases before ``ended`` of the package of one major version."""

    major: int
    ended: str
    what: str

    def __str__(self) -> str:
        return f"hyperv-daemons before {self.ended} {self.what}"

    def is_in(self, release: int, major: int) -> bool:
        return major == self.major and release < int(self.ended.split(".")[1])


NO_GATEWAY = "sets no default gateway"
WRONG_PREFIX = "gives an IPv6 address a wrong prefix"

PACKAGE_FAULTS = (
    PackageFault(8, "0-0.34.el8_7", NO_GATEWAY),
    PackageFault(9, "0-0.41.el9", NO_GATEWAY),
    PackageFault(9, "0-0.43.el9", WRONG_PREFIX),
)


def known_faults(major: int) -> tuple[str, ...]:
    """Return the faults of one major version, for guests of which the release is not known."""
    return tuple(str(fault) for fault in PACKAGE_FAULTS if fault.major == major)


def faults_of(package: str | None) -> Iterator[str]:
    """Return the faults of a package's release; none where it is not Red Hat's, or its release can't be read."""
    if match := RELEASE.fullmatch(package or ""):
        for fault in PACKAGE_FAULTS:
            if fault.is_in(int(match[1]), int(match[2])):
                yield f"{package} {fault.what}: update it to {fault.ended} or later"
