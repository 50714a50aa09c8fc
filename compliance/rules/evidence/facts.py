"""What rules show beside their findings (``Outcome.facts``), and the names by which people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from compliance.model import ReplicatedVM
from compliance.rules.evidence.handover import guest_seen

ADDRESSES_NOW = "Address now"
BPA = "Microsoft's BPA would say"
Look = Callable[[ReplicatedVM], tuple[str, ...]]


class MachineFacts(Mapping[str, tuple[str, ...]]):
    """Facts of a machine, each looked up when it is shown: a dict for each of many machines takes much memory."""

    __slots__ = ("looks", "vm")

    def __init__(self, vm: ReplicatedVM, looks: Mapping[str, Look]) -> None:
        self.vm = vm
        self.looks = looks

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self.looks[name](self.vm)

    def __iter__(self) -> Iterator[str]:
        return iter(self.looks)

    def __len__(self) -> int:
        return len(self.looks)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MachineFacts) and other.looks is self.looks:  # without a dict: it is asked for often
            return all(look(self.vm) == look(other.vm) for look in self.looks.values())
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # as a dict's

    def __repr__(self) -> str:
        return repr(dict(self))


def addresses_now(vm: ReplicatedVM) -> tuple[str, ...]:
    """Return what its guest told of its addresses, here or on its partner's host."""
    guest = guest_seen(vm)
    return guest.addresses if guest else ()
