"""Network adapters of virtual machines, and the addresses that are set on them for a failover."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from compliance.errors import Why
from compliance.model.unread import Unread


class AdapterConnection(StrEnum):
    """What an adapter of a virtual machine leads to on its server."""

    SWITCH = "connected"  # to a switch that the server has
    POOL = "connected to a pool of switches"
    NONE = "connected to no switch"
    LOST = "connected to a switch that its server does not have"


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """What a guest says of one adapter's addresses at the time of the snapshot. Guest-controlled text: never trust it.

    ``dynamic``: by DHCP; None where that is not known.
    """

    addresses: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    dynamic: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapter:
    """A network adapter of a virtual machine. ``connected`` to a switch is information only."""

    guid: str
    name: str
    mac: str | None = None
    legacy: bool = False
    connected: bool | Unread = Unread("not read")
    connection: AdapterConnection | Unread = Unread("not asked for", Why.NOT_ASKED)
    switch: str = ""  # its name, where it is connected to one and that is known
    # What the guest uses on it now. Unread: NOT_ASKED by the version that wrote the snapshot; NO_GUEST_DATA where the
    # server answered and its guest gave it nothing (it is off, for one); for any other reason it should have come.
    today: Addresses | Unread = Unread("not asked for", Why.NOT_ASKED)

    @property
    def label(self) -> str:
        """``eth-`` and the last six digits of its MAC address, else eight of its GUID: what names it in an id."""
        digits = "".join(sign for sign in self.mac or "" if sign in "0123456789abcdefABCDEF")
        return f"eth-{(digits[-6:] if len(digits) >= 6 else self.guid[:8]).upper()}"

    def __str__(self) -> str:
        return self.name or self.guid


@dataclass(frozen=True, kw_only=True, slots=True)
class FailoverAddress:
    """The alternate address of one adapter, applied inside the guest at the time of a failover."""

    adapter_guid: str
    adapter: Adapter | None
    addresses: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.addresses)
