"""One text of a host's, by its kind, as an anonymous copy may show it: by strict patterns, else under a pseudonym."""

from __future__ import annotations

import re
from collections.abc import Callable

from compliance.commands.doctor.record.pseudonyms import Pseudonyms
from compliance.hyperv import queries
from compliance.hyperv.rows import A_GUID

Replacer = Callable[[Pseudonyms, str], str]
"""Makes of a text what the copy shows in its place."""

PLAIN = re.IGNORECASE | re.ASCII
OF_IDENTIFIERS = re.compile(
    "microsoft|failovernetworksetting|guestnetwork|definition|pool|default|minimum|maximum|increment|hvr|"
    "replicationprovider|root|virtualization|v2|instanceid|creationclassname|systemcreationclassname|systemname|"
    "deviceid|name",
    PLAIN,
)
OF_TYPES = re.compile(
    "microsoft|hyper-v|system|snapshot|realized|planned|missing|recovery|replica|standard|applicationconsistent|"
    "plannedfailover",
    PLAIN,
)
A_RESOURCE = re.compile(
    rf"http://schemas\.microsoft\.com/wbem/wsman/1/wmi/root/virtualization/v2/{queries.A_CLASS.pattern}", re.IGNORECASE
)
A_NUMBER = re.compile(r"[0-9]{0,20}|true|false", re.IGNORECASE)
A_VERSION = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){0,5}")
A_PREFIX_LENGTH = re.compile("[0-9]{1,3}")
A_NETMASK = re.compile(r"(?:255\.){0,4}(?:(?:0|128|192|224|240|248|252|254|255)(?:\.0){0,3})")


def replace_number(other: Pseudonyms, text: str) -> str:
    return text if A_NUMBER.fullmatch(text) else other.name(text, "number")


def replace_version(other: Pseudonyms, text: str) -> str:
    return text if A_VERSION.fullmatch(text) else other.name(text, "version")


def replace_identifier(other: Pseudonyms, text: str) -> str:
    return other.words(text, "word", _is_of_identifiers)


def replace_type_name(other: Pseudonyms, text: str) -> str:
    return other.words(text, "word", lambda _before, word, _behind: bool(OF_TYPES.fullmatch(word)))


def _is_of_identifiers(before: str, word: str, behind: str) -> bool:
    if OF_IDENTIFIERS.fullmatch(word) or queries.A_CLASS.fullmatch(word):
        return True
    if A_GUID.fullmatch(word):  # a provider's, which all servers with its product share
        return before.rstrip("\\").endswith("ReplicationProvider")
    ends = before.endswith("\\") and (not behind or behind.startswith("\\"))  # `\HVR\0`, `\C`
    return ends and (len(word) == 1 or (len(word) == 2 and word.isdigit()))


def replace_reference(other: Pseudonyms, text: str) -> str:
    """A reference as wsman/row.py writes it; its class's address is the same everywhere."""
    uri, question, keys = text.partition("?")
    is_ours = question and A_RESOURCE.fullmatch(uri)
    return f"{uri}?{replace_identifier(other, keys)}" if is_ours else replace_identifier(other, text)


def replace_machine_or_host(other: Pseudonyms, text: str) -> str:
    if any(A_GUID.fullmatch(word) for word in re.findall(r"[\w-]+", text)):
        return replace_identifier(other, text)
    return other.host(text, "server")


def replace_host(other: Pseudonyms, text: str) -> str:
    return other.host(text, "server")


def replace_address(other: Pseudonyms, text: str) -> str:
    core = text.strip()
    if not core:
        return text
    before, _, behind = text.partition(core)
    return before + (other.address(core) or other.words(core, "word", _nothing)) + behind


def replace_netmask(other: Pseudonyms, text: str) -> str:
    core = text.strip()
    if A_PREFIX_LENGTH.fullmatch(core) or (A_NETMASK.fullmatch(core) and core.count(".") == 3):
        return text
    return replace_address(other, text)


def replace_mac(other: Pseudonyms, text: str) -> str:
    return other.networks.mac(text) or other.words(text, "word", _nothing)


def _nothing(_before: str, _word: str, _behind: str) -> bool:
    return False


def replace_description(other: Pseudonyms, text: str) -> str:
    return other.name(text, "text")


def replace_addresses(other: Pseudonyms, text: str) -> str:
    return ";".join(replace_address(other, part) for part in text.split(";"))


def replace_guest_name(other: Pseudonyms, text: str) -> str:
    return other.host(text, "machine")
