"""What a guest wrote into Data Exchange, as an anonymous copy may show it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from compliance.commands.doctor.record.pseudonyms import Pseudonyms
from compliance.commands.doctor.record.values import A_VERSION, PLAIN, Replacer, replace_addresses, replace_guest_name
from compliance.hyperv import queries
from compliance.hyperv.kvp import MAX_ITEM, Lost, parse_item
from compliance.rules.evidence.table import SYSTEMS

# Words of operating systems, which decide a rule by its table, and of versions: a distribution's, and a kernel's parts
# (`0-21-amd64`; `0-427` and `el9_4`; `21-150500` and `52-default`).
OF_TABLE = "|".join(sorted({word for row in SYSTEMS for name in row.names for word in re.findall(r"\w+", name)}))
OF_SYSTEMS = re.compile(
    "microsoft|windows|server|standard|datacenter|essentials|enterprise|professional|pro|core|edition|evaluation|azure|"
    "stack|hci|local|r2|linux|gnu|ubuntu|debian|red|hat|centos|stream|oracle|rocky|alma|almalinux|fedora|suse|sles|"
    "opensuse|leap|freebsd|release|lts|generic|amd64|x86_64|aarch64|arm64|i686|unknown|version|[0-9]{1,5}|"
    rf"[0-9]{{1,5}}(?:-[0-9]{{1,5}}){{0,2}}-(?:amd64|generic|azure|default)|"
    rf"[0-9]{{1,3}}-[0-9]{{1,6}}|el[0-9]{{1,2}}(?:_[0-9]{{1,2}})?|{OF_TABLE}",
    PLAIN,
)

STAND_INS = {
    Lost.TOO_LONG: "x" * (MAX_ITEM + 1),
    Lost.FORBIDDEN: "<!DOCTYPE x><INSTANCE/>",
    Lost.NO_XML: "<INSTANCE",
    Lost.NO_PAIR: "<INSTANCE/>",
}


def replace_item(other: Pseudonyms, text: str) -> str:
    pair = parse_item(text) if text else None
    if pair is None:
        return text
    if isinstance(pair, Lost):
        return STAND_INS[pair]
    name, data = pair
    change = CHANGES_OF_ITEMS.get(name)
    if change is None:
        return _written(other.name(name, "key"), other.name(data, "value"))
    return _written(name, change(other, data))


def _written(name: str, data: str) -> str:
    return "".join(
        f'<PROPERTY NAME="{key}" TYPE="string"><VALUE>{escape(value, {chr(13): "&#13;"})}</VALUE></PROPERTY>'
        for key, value in (("Name", name), ("Data", data))
    ).join((f'<INSTANCE CLASSNAME="{queries.GUEST_ITEM}">', "</INSTANCE>"))


def _system(other: Pseudonyms, text: str) -> str:
    return other.words(text, "word", _is_of_systems)


def _is_of_systems(_before: str, word: str, _behind: str) -> bool:
    return bool(OF_SYSTEMS.fullmatch(word) or (A_VERSION.fullmatch(word) and not _is_address(word)))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CHANGES_OF_ITEMS: Mapping[str, Replacer] = {
    **dict.fromkeys(
        [
            "OSName",
            "OSVersion",
            "OSMajorVersion",
            "OSMinorVersion",
            "OSBuildNumber",
            "OSEditionId",
            "OSPlatformId",
            "OSKernelVersion",
            "IntegrationServicesVersion",
            "CSDVersion",
            "ServicePackMajor",
            "ServicePackMinor",
            "ProcessorArchitecture",
            "ProductType",
            "SuiteMask",
        ],
        _system,
    ),
    **dict.fromkeys(
        ["NetworkAddressIPv4", "NetworkAddressIPv6", "RDPAddressIPv4", "RDPAddressIPv6"], replace_addresses
    ),
    "FullyQualifiedDomainName": replace_guest_name,
}
