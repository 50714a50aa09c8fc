"""Other addresses for addresses: of the same form, and in one network if these were in one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import chain, count

A_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[-:]?){5}[0-9A-Fa-f]{2}")
HYPERV_MAC = "00155D"
LOCAL_MAC = "020000"
HEX = re.compile("[0-9A-Fa-f]+")

# Networks that are assigned and hardly seen on the Internet, so that a made-up address is seldom taken for a real one.
# What looks like a netmask comes last, so that a second pass does not keep it. Reserved networks are judged otherwise.
_SELDOM_SEEN = (21, 22, 26, 28, 29, 30, 33, 55, 214, 215, 11, 6, 7)
_LOOKS_LIKE_ANOTHER = (128, 192)
FIRST_OCTETS = [
    *_SELDOM_SEEN,
    *(octet for octet in range(1, 224) if octet not in (*_SELDOM_SEEN, *_LOOKS_LIKE_ANOTHER, 127, 169)),
    *_LOOKS_LIKE_ANOTHER,
    169,
    *(octet for octet in range(224, 255)),
    127,
]
FIRST_GROUP = 0x1001
KEPT_GROUPS = (0, 0xFFFF, 0xFE80)  # also the frame of IPv4 in IPv6, and link-local networks

Prefix = tuple[int, ...]


class Networks:
    """Each octet or group becomes the next free one below the prefix that it stands under."""

    def __init__(self) -> None:
        self._octets: dict[Prefix, dict[int, int]] = {}
        self._free_octets: dict[tuple[Prefix, bool], Iterator[int]] = {}
        self._groups: dict[Prefix, dict[int, int]] = {}
        self._free_groups: dict[Prefix, Iterator[int]] = {}
        self._macs: dict[str, int] = {}

    def address(self, text: str) -> str | None:
        """Return another address; None where it is none, or has a zone. Loopback, 0.0.0.0, ::, multicast and reserved
        networks are the same everywhere, and judged as what they are."""
        try:
            parsed = ipaddress.ip_address(text)
        except ValueError:
            return None
        if "%" in text:
            return None
        is_four = isinstance(parsed, ipaddress.IPv4Address)
        is_of_nobody = is_four and (parsed.is_multicast or parsed.is_link_local or parsed.is_reserved)
        if parsed.is_loopback or parsed.is_unspecified or is_of_nobody:
            return text
        return self.dotted(text) if isinstance(parsed, ipaddress.IPv4Address) else self._six(text, parsed)

    def dotted(self, text: str) -> str:
        """Numbers with dots between them, as many as there are; 0 and 255 stay."""
        others: list[str] = []
        before: Prefix = ()
        for group in text.split("."):
            value = int(group)
            others.append(_as_wide(group, str(self._octet(before, value))))
            before = (*before, value)
        return ".".join(others)

    def mac(self, text: str) -> str | None:
        """None where it is no MAC address. Hyper-V's own prefix is kept, any other becomes a local one."""
        if not A_MAC.fullmatch(text):
            return None
        digits = re.sub("[-:]", "", text).upper()
        if not digits.strip("0"):
            return text
        number = self._macs.setdefault(digits, len(self._macs) + 1)
        other = iter(f"{HYPERV_MAC if digits.startswith(HYPERV_MAC) else LOCAL_MAC}{number:06X}")
        new = "".join(sign if sign in "-:" else next(other) for sign in text)
        return new.lower() if text.islower() else new

    def _octet(self, before: Prefix, value: int) -> int:
        known = self._octets.setdefault(before, {0: 0, 255: 255})
        if value not in known:
            is_octet = value < 256
            key = (before, is_octet)
            if key not in self._free_octets:
                free = (range(1, 255) if before else FIRST_OCTETS) if is_octet else count(256)
                self._free_octets[key] = iter(free)
            known[value] = next(self._free_octets[key])
        return known[value]

    def _six(self, text: str, parsed: ipaddress.IPv6Address) -> str:
        values = [int(group, 16) for group in parsed.exploded.split(":")]
        front, colon, four = text.rpartition(":") if "." in text else (text, "", "")
        count = len(HEX.findall(front))
        left_of_gap = len(HEX.findall(front.partition("::")[0]))
        gap = (6 if four else 8) - count
        places = iter([place if place < left_of_gap else place + gap for place in range(count)])

        def exchanged(match: re.Match[str]) -> str:
            place = next(places)
            other = f"{self._group(tuple(values[:place]), values[place]):x}"
            return _as_wide(match[0], other.upper() if match[0].isupper() else other)

        return HEX.sub(exchanged, front) + colon + (self.dotted(four) if four else "")

    def _group(self, before: Prefix, value: int) -> int:
        known = self._groups.setdefault(before, {group: group for group in KEPT_GROUPS})
        if value not in known:
            if before not in self._free_groups:
                numbers = range(1, 0xFFFF) if before else chain(range(FIRST_GROUP, 0xFFFF), range(1, FIRST_GROUP))
                self._free_groups[before] = (number for number in numbers if number not in KEPT_GROUPS)
            known[value] = next(self._free_groups[before])
        return known[value]


def _as_wide(text: str, other: str) -> str:
    """With leading zeros where the text had them."""
    return other.zfill(len(text)) if text.startswith("0") else other
