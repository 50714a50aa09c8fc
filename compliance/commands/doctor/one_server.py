"""A server that was named on the command line, as the inventory that would name it: what is tried is what is pasted."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from compliance.errors import InventoryError, UsageError
from compliance.inventory.as_yaml import item
from compliance.inventory.inventory import Inventory
from compliance.inventory.listener import PORTS
from compliance.inventory.own_file import inventory_of

CREDENTIAL = "doctor"
"""The credential's name in the inventory: COMPLIANCE_DOCTOR_USERNAME and COMPLIANCE_DOCTOR_PASSWORD hold it."""
NOWHERE = "command-line"
OPTIONS = {"name": "HOST", "address": "HOST", "principal": "--user", "credential": "--user", "verify": "--no-verify"}
"""Of keys whose option is called otherwise."""
WITH_A_PASSWORD = frozenset({"ntlm", "basic", "credssp"})
"""Logins that count against the account when they are wrong."""


def inventory_text(options: argparse.Namespace) -> str:
    """YAML, as short as it can be: what is an inventory's own default is left out. Its scalars are JSON's."""
    address, port = address_and_port(options.host)
    keys: dict[str, object] = {"name": re.sub(r"[^\w.-]", "-", address)}
    if keys["name"] != address:
        keys["address"] = address
    if options.scheme != "https":
        keys["scheme"] = options.scheme
    port = options.port if options.port is not None else port
    if port not in (None, PORTS[options.scheme]):
        keys["port"] = port
    keys["transport"] = options.transport
    if options.transport in WITH_A_PASSWORD:
        keys["credential"] = CREDENTIAL
    elif options.user:
        keys["principal"] = options.user
    keys |= {key: value for key in ("keytab", "ca") if (value := getattr(options, key)) is not None}
    if options.no_verify:
        keys["verify"] = False
    return "\n".join(["servers:", *item(keys), ""])


def inventory_from(text: str) -> Inventory:
    """Return the inventory that ``text`` is, with files of the working folder. UsageError names the options."""
    try:
        return inventory_of(Path(NOWHERE), text.encode())
    except InventoryError as error:
        raise UsageError("\n".join(map(_as_option, str(error).splitlines()))) from None


def _as_option(mistake: str) -> str:
    """Return a mistake in the inventory that nobody wrote as one in the option that says the same."""
    match = re.match(rf"{NOWHERE}:\d+: servers\[0\]\.(\w+): (.*)", mistake)
    if match is None:
        return mistake
    return f"{OPTIONS.get(match[1], '--' + match[1])}: {match[2].replace(' beside the inventory', '')}"


def address_and_port(host: str) -> tuple[str, int | None]:
    """``name``, ``name:port``, ``[ipv6]:port``, or a bare IPv6 address."""
    match = re.fullmatch(r"\[(?P<six>[^\]]+)\](?::(?P<port6>\d{1,5}))?|(?P<name>[^:]+):(?P<port>\d{1,5})", host)
    if match is None:
        return host, None
    port = match["port6"] or match["port"]
    return match["six"] or match["name"], int(port) if port else None


def refuse_two_ports(options: argparse.Namespace) -> None:
    if options.port is not None and address_and_port(options.host)[1] not in (None, options.port):
        raise UsageError(f"{options.host}: names another port than --port {options.port}: keep one of the two")
