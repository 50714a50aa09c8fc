"""Which network stack configures which adapter of a guest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from compliance.hyperv.guests.lines import read_pairs
from compliance.model import InnerAdapter, Stack

AN_ADAPTER = re.compile(r"(\S{1,40}) mac=([0-9A-Fa-f:]{17}) driver=(\S{0,40})")
SYNTHETIC = frozenset({"hv_netvsc", "hn"})
AN_ADDRESS = re.compile(r"[0-9]+: (\S+)\s+inet6? \S+ (.*)")
NOT_MANAGED = ("unmanaged", "unavailable", "unknown")


def read_adapters(sections: Mapping[str, str]) -> tuple[InnerAdapter, ...]:
    matches = [match for _, text in _of(sections, "adapters", "adapter") if (match := AN_ADAPTER.fullmatch(text))]
    owners = _owners(sections)
    return tuple(
        InnerAdapter(
            name=match[1],
            mac=fold_mac(match[2]),
            synthetic=match[3] in SYNTHETIC,
            stacks=tuple(stack for stack, names in owners if match[1] in names),
            dynamic=_dynamic(sections["addresses"], match[1]),
        )
        for match in matches
    )


def fold_mac(text: str) -> str:
    """Return it in the one spelling that both sides share: twelve digits."""
    return re.sub("[^0-9A-F]", "", text.upper())


def read_stacks(sections: Mapping[str, str]) -> tuple[Stack, ...]:
    """Return all that configure something there, or could."""
    present = dict.fromkeys(stack for stack, names in _owners(sections) if names)
    if "interfaces=yes" in sections["ifupdown"].splitlines() and "ifup=yes" in sections["ifupdown"].splitlines():
        present[Stack.IFUPDOWN] = None
    return tuple(present)


def _of(sections: Mapping[str, str], section: str, key: str) -> list[tuple[str, str]]:
    return [pair for pair in read_pairs(sections[section]) if pair[0] == key]


def _owners(sections: Mapping[str, str]) -> tuple[tuple[Stack, frozenset[str]], ...]:
    """Return each stack with the names of the adapters that it configures."""
    manager = frozenset(_managed(sections["networkmanager"]))
    networkd = frozenset(_configured(sections["networkd"]))
    planned = manager | networkd if sections["netplan"].strip() else frozenset[str]()
    wicked = "wicked=active" in sections["ifcfg"].splitlines()
    suse = frozenset(re.findall(r"(?m)^/etc/sysconfig/network/ifcfg-(\S+)$", sections["ifcfg"]))
    red_hat = frozenset(re.findall(r"(?m)^/etc/sysconfig/network-scripts/ifcfg-(\S+)$", sections["ifcfg"]))
    return (
        (Stack.NETWORK_MANAGER, manager),
        (Stack.NETPLAN, planned),
        (Stack.NETWORKD, networkd),
        (Stack.IFUPDOWN, frozenset(re.findall(r"(?m)^\s*iface\s+(\S+)\s", sections["ifupdown"]))),
        (Stack.IFCFG, red_hat),
        (Stack.WICKED, suse if wicked else frozenset()),
        (Stack.RC_CONF, frozenset(re.findall(r"(?m)^ifconfig_(hn[0-9]+)", sections["addresses"]))),
    )


def _managed(section: str) -> Iterator[str]:
    """Yield the adapters of ``nmcli -t``: ``eth0:connected``. What somebody else configured is not its own."""
    for line in section.splitlines():
        name, _, state = line.rpartition(":")
        if name and not state.startswith(NOT_MANAGED) and "externally" not in state:
            yield name.replace("\\:", ":")


def _configured(section: str) -> Iterator[str]:
    """Yield those of ``networkctl list``: index, name, type, operational state, and what networkd itself does to it."""
    for line in section.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0].isdigit() and words[4] not in ("unmanaged", "-", "linger"):
            yield words[1]


def _dynamic(section: str, name: str) -> bool | None:
    flags = [
        match[2].split() for line in section.splitlines() if (match := AN_ADDRESS.match(line)) and match[1] == name
    ]
    if flags:
        return any("dynamic" in words for words in flags)
    configured = [line for line in section.splitlines() if line.startswith(f"ifconfig_{name}=")]
    return any("DHCP" in line.upper() for line in configured) if configured else None
