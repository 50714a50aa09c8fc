"""What a guest tells its host by Data Exchange."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from compliance.model.unread import Unread


class Answer(StrEnum):
    """What a service inside the guest answers its host (OperationalStatus[0] of an integration component)."""

    OK = "OK"
    DEGRADED = "OK with an older protocol"
    NO_PROTOCOL = "no compatible protocol"
    NO_CONTACT = "no contact"
    LOST = "lost communication"


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """What Data Exchange told its host about the operating system inside. Guest-controlled text: never trust it."""

    answer: Answer | Unread
    items_read: bool = True  # False: there may be some, but they were larger than the server may send
    os_name: str | None = None
    os_version: str | None = None  # of Windows and FreeBSD; Linux tells its kernel's here
    os_major: str | None = None  # OSMajorVersion, in which Linux tells its distribution's version
    os_build: str | None = None
    integration_services_version: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def published(self) -> bool:
        """Did the guest itself publish items? Nobody but a running service inside writes these two."""
        return bool(self.os_name or self.integration_services_version)

    @property
    def system(self) -> str:
        """Name and version as people say them: `Debian GNU/Linux 12 (kernel 6.1.0-21-amd64)`."""
        is_windows = "windows" in (self.os_name or "").casefold()
        version, kernel = (self.os_version, None) if is_windows or not self.os_major else (self.os_major, self.os_build)
        name = " ".join(part for part in (self.os_name, version) if part)
        return f"{name} (kernel {kernel})" if kernel else name

    def __str__(self) -> str:
        version = self.integration_services_version
        return ", ".join(part for part in (self.system, f"integration services {version}" if version else "") if part)
