"""What a guest uses today, by what it says itself: the addresses of an adapter, and whether they come by DHCP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.model import Adapter, Addresses, Guest, ReplicatedVM, Unread, VirtualMachine
from compliance.rules.evidence.handover import runs_on
from compliance.words import join_names


@dataclass(frozen=True, kw_only=True, slots=True)
class Today:
    """``dynamic``: by DHCP; None where that is not known. Without addresses nothing is known."""

    addresses: tuple[str, ...] = ()
    dynamic: bool | None = None

    @property
    def text(self) -> str:
        """Return it as people say it: `10.1.0.20, static`."""
        if not self.addresses:
            return "not known"
        kind = {True: ", by DHCP", False: ", static", None: ""}[self.dynamic]
        return f"{join_names(self.addresses)}{kind}"


NOT_KNOWN = Today()
"""Made once, as every adapter of a machine that is off has it."""


def today_of_adapter(adapter: Adapter | Unread) -> Today:
    """Return what the guest uses on it. "By DHCP" is believed only where addresses came with it: a row without guest
    data says so as well (recorded on a real host)."""
    if isinstance(adapter, Unread) or not isinstance(adapter.today, Addresses) or not adapter.today.addresses:
        return NOT_KNOWN
    return Today(addresses=adapter.today.addresses, dynamic=adapter.today.dynamic)


def today_of(vm: ReplicatedVM) -> Today:
    """Return what the guest uses on all its adapters, static ones first; else the addresses that it published."""
    side = runs_on(vm)
    if isinstance(side, Unread):
        return NOT_KNOWN
    parts = [today_of_adapter(adapter) for adapter in _adapters(side)]
    if len(parts) == 1 and parts[0].addresses:
        return parts[0]
    for dynamic in (False, None, True):
        addresses = tuple(address for part in parts if part.dynamic is dynamic for address in part.addresses)
        if addresses:
            return Today(addresses=addresses, dynamic=dynamic)
    published = side.guest.addresses if isinstance(side.guest, Guest) else ()
    return Today(addresses=published)


def addresses_in_use(machine: VirtualMachine) -> tuple[str, ...]:
    """Return every address that its guest says that it has, in whichever way."""
    published = machine.guest.addresses if isinstance(machine.guest, Guest) else ()
    by_adapter = [address for adapter in _adapters(machine) for address in today_of_adapter(adapter).addresses]
    return tuple(dict.fromkeys((*by_adapter, *published)))


def _adapters(machine: VirtualMachine) -> Iterable[Adapter]:
    return () if isinstance(machine.adapters, Unread) else machine.adapters
