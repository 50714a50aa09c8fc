"""What is wrong with a failover address by arithmetic alone: addresses, masks and gateways, strictly parsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from compliance.model import FailoverAddress
from compliance.rules.evidence.causes import Cause
from compliance.words import join_names, plural, quote

LONGEST = 45
"""Letters of an address without a zone: an IPv4 one inside an IPv6 one, all digits written."""

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
BROADCAST = IPv4Address("255.255.255.255")
RESERVED = (0, *range(240, 256))
"""First numbers of the networks that no host may be in (RFC 1122, 3.2.1.3; RFC 1112, 4)."""
PLAIN = frozenset({*range(1, 224)} - {127, 169})
"""First numbers of networks in which there is nothing but hosts: most addresses need no second look."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One line of what is there and what was expected, and its stable key."""

    finding: str
    cause: Cause


def mistakes_in(setting: FailoverAddress) -> Iterator[Mistake]:
    """Yield what is wrong with its addresses, its masks and its gateways."""
    addresses = [(text, parsed(text)) for text in setting.addresses]
    for text, address in addresses:
        if reason := _why_no_address(address):
            yield Mistake(f"{quote(text)} {reason}", Cause.INVALID)
    if len(setting.subnets) != len(setting.addresses):
        yield Mistake(_count(setting), Cause.MASKS_DIFFER if setting.subnets else Cause.MASK_INVALID)
    networks: list[Network] = []
    for (text, address), mask in zip(addresses, setting.subnets, strict=False):
        if address is None:
            continue
        network = network_of(address, mask)
        if network is None:
            yield Mistake(f"{quote(mask)} is no subnet mask of {text}: expected {_masks(address)}", Cause.MASK_INVALID)
            continue
        networks.append(network)
        if reason := _why_not_a_host(address, network):
            yield Mistake(f"{text} {reason}", Cause.INVALID)
    yield from _gateways(setting, networks)


def parsed(text: str) -> IPAddress | None:
    """Return an address without a zone; None where it is none."""
    return _parsed(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=16384)
def _parsed(text: str) -> IPAddress | None:
    """Return the same; each is asked for by several rules, and each mask stands in every setting."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def network_of(address: IPAddress, mask: str) -> Network | None:
    """Return the network of an address: IPv4 has a mask as four numbers, IPv6 the length of its prefix (the class's
    documentation). None where the mask has holes, is out of range, or is none."""
    if isinstance(address, IPv6Address):
        length = int(mask) if mask.isascii() and mask.isdecimal() and len(mask) <= 3 else 0
        return IPv6Network((address, length), strict=False) if 0 < length <= 128 else None
    try:
        bits = _bits(mask)
    except ValueError:
        return None
    length = bits.bit_count()
    is_whole = length > 0 and bits == (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    return _network(int(address) & bits, length) if is_whole else None


@lru_cache(maxsize=4096)
def _network(number: int, length: int) -> IPv4Network:
    """Return the same for all machines of a subnet."""
    return IPv4Network((number, length))


@lru_cache(maxsize=1024)
def _bits(mask: str) -> int:
    """Return the same for all machines of a site. ValueError where it is no mask."""
    return int(IPv4Address(mask))


def _why_no_address(address: IPAddress | None) -> str:
    if address is None:
        return "is no address"
    if _is_plain(address):
        return ""
    for is_wrong, kind in (
        (address.is_unspecified, "the unspecified address"),
        (address.is_loopback, "a loopback address"),
        (address.is_multicast, "a multicast address"),
        (address.is_link_local, "a link-local address, which every host makes for itself"),
        (address == BROADCAST, "the broadcast address"),
        (isinstance(address, IPv4Address) and address.packed[0] in RESERVED, "a reserved address"),
        (isinstance(address, IPv6Address) and address.ipv4_mapped is not None, "an IPv4 address written as IPv6"),
    ):
        if is_wrong:
            return f"is {kind}: expected one that a host may have"
    return ""


def is_routed(address: IPAddress) -> bool:
    """Is it neither a link-local nor a loopback address, which every host has?"""
    return _is_plain(address) or not (address.is_link_local or address.is_loopback)


def _is_plain(address: IPAddress) -> bool:
    return isinstance(address, IPv4Address) and int(address) >> 24 in PLAIN


def _why_not_a_host(address: IPAddress, network: Network) -> str:
    """A network of one or two addresses has none to spare (RFC 3021); IPv6 knows no broadcast."""
    if isinstance(network, IPv6Network) or network.prefixlen >= 31:
        return ""
    if address == network.network_address:
        return f"is the address of its subnet itself (/{network.prefixlen}): expected one of a host in it"
    if address == network.broadcast_address:
        return f"is the broadcast address of its subnet (/{network.prefixlen}): expected one of a host in it"
    return ""


def _gateways(setting: FailoverAddress, networks: list[Network]) -> Iterator[Mistake]:
    own = [parsed(text) for text in setting.addresses]
    for text in setting.gateways:
        gateway = parsed(text.partition("%")[0] if text.casefold().startswith("fe80:") else text)
        if gateway is None:
            yield Mistake(f"its gateway {quote(text)} is no address", Cause.GATEWAY_INVALID)
        elif gateway in own:
            yield Mistake(f"its gateway {text} is the address itself: expected a router's", Cause.GATEWAY_INVALID)
        elif not (gateway.version == 6 and gateway.is_link_local) and not _is_reached(gateway, networks):
            finding = f"its gateway {text} is in no subnet {_subnets(setting)}: expected one in it"
            yield Mistake(finding, Cause.GATEWAY_INVALID)
        elif any(_why_not_a_host(gateway, network) for network in networks if network.version == gateway.version):
            yield Mistake(
                f"its gateway {text} is no host's address in the subnet {_subnets(setting)}: expected a router's",
                Cause.GATEWAY_INVALID,
            )


def _subnets(setting: FailoverAddress) -> str:
    return f"of {setting} ({join_names(setting.subnets) or 'no mask'})"


def _is_reached(gateway: IPAddress, networks: list[Network]) -> bool:
    """Is it in one of the subnets? An address that is alone in its network has to reach its gateway by the link."""
    return any(
        gateway in network or network.prefixlen == network.max_prefixlen
        for network in networks
        if network.version == gateway.version
    )


def _count(setting: FailoverAddress) -> str:
    if not setting.subnets:
        return f"{setting} has no subnet mask: expected one for each address"
    addresses = f"{len(setting.addresses)} address{'' if len(setting.addresses) == 1 else 'es'}"
    return f"{addresses} ({setting}) and {plural(len(setting.subnets), 'mask')}: expected one for each address"


def _masks(address: IPAddress) -> str:
    return "a length from 1 to 128" if isinstance(address, IPv6Address) else "one without holes, as 255.255.255.0"
