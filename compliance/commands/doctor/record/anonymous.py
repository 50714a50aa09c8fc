"""A snapshot that may be shown to strangers: what it says of Hyper-V stays, whom it says it of does not.

Only what stands on a list here is kept, by strict patterns; everything else gets a pseudonym. Rows keep their form, so
that what went wrong with the original goes wrong with its copy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import partial
from xml.sax.saxutils import escape

from compliance.commands.doctor.record import clusters as anonymous_clusters
from compliance.commands.doctor.record.pseudonyms import Pseudonyms
from compliance.hyperv import queries
from compliance.hyperv.host import DATA_EXCHANGE
from compliance.hyperv.kvp import MAX_ITEM, Lost, parse_item
from compliance.hyperv.rows import A_GUID
from compliance.model import Row, Unread
from compliance.rules.evidence.table import SYSTEMS
from compliance.snapshot.snapshot import Reading, RowsOrUnread, ServerRecord, Snapshot

LEFT_OUT = "left out of this anonymous copy"

SAME_EVERYWHERE = frozenset(
    [
        DATA_EXCHANGE,
        "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47",  # heartbeat
        "9F8233AC-BE49-4C79-8EE3-E7E1985B2077",  # shutdown
        "2497F4DE-E9FA-4204-80E4-4B75C46419C0",  # time synchronisation
        "5CED1297-4598-4915-A5FC-AD21BB4D02A4",  # volume shadow copies
        "6C09BB55-D683-4DA0-8931-C9BF705F6480",  # guest services
        "6C5ADDB9-A11A-4E8E-84CB-E6208201DB63",  # remote desktop
    ]
)
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
# Words of operating systems, which decide a rule by its table, and of versions: a distribution's, and a kernel's behind
# its last dot (`0-21-amd64`).
OF_TABLE = "|".join(sorted({word for row in SYSTEMS for name in row.names for word in re.findall(r"\w+", name)}))
OF_SYSTEMS = re.compile(
    "microsoft|windows|server|standard|datacenter|essentials|enterprise|professional|pro|core|edition|evaluation|azure|"
    "stack|hci|local|r2|linux|gnu|ubuntu|debian|red|hat|centos|stream|oracle|rocky|alma|almalinux|fedora|suse|sles|"
    "opensuse|leap|freebsd|release|lts|generic|amd64|x86_64|aarch64|arm64|i686|unknown|version|[0-9]{1,5}|"
    rf"[0-9]{{1,5}}(?:-[0-9]{{1,5}}){{0,2}}-(?:amd64|generic|azure|default)|{OF_TABLE}",
    PLAIN,
)

QUERIES = (*queries.QUERIES, *queries.OF_REPLICATION, queries.CLOCK)
PROPERTIES = frozenset(name for query in QUERIES for name in query.properties)
CLASSES = frozenset(query.class_name for query in QUERIES)
KNOWN = PROPERTIES | anonymous_clusters.PROPERTIES

A_RESOURCE = re.compile(
    rf"http://schemas\.microsoft\.com/wbem/wsman/1/wmi/root/virtualization/v2/{queries.A_CLASS.pattern}", re.IGNORECASE
)
A_NUMBER = re.compile(r"[0-9]{0,20}|true|false", re.IGNORECASE)
A_VERSION = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){0,5}")
A_TOOL = re.compile(r"hyperv-compliance(?: [0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.dev|\.post)[0-9]+)*)?")
A_PREFIX_LENGTH = re.compile("[0-9]{1,3}")
A_NETMASK = re.compile(r"(?:255\.){0,4}(?:(?:0|128|192|224|240|248|252|254|255)(?:\.0){0,3})")
A_CODE = re.compile(r"\bfault [0-9]{1,10} \(0x[0-9A-F]{8}\)|\bHTTP [0-9]{3}\b")
A_NOTE = re.compile(
    rf"sent characters in {queries.A_CLASS.pattern} that XML forbids; they stand as U\+FFFD"
    rf"|can't send {queries.GUEST_ITEMS} of {queries.KVP_COMPONENTS}, which is larger than its MaxEnvelopeSizekb: "
    "it was not read"
)
KEPT_NOTES = (queries.REFUSES_WQL, queries.refuses_wql(queries.CIMV2))


def anonymised(snapshot: Snapshot) -> Snapshot:
    """The same estate under pseudonyms: the same verdicts, and nothing of its names, addresses and texts; nor of what a
    look into guests showed, which is all names and texts.

    Doing it twice changes nothing any more.
    """
    other = Pseudonyms(SAME_EVERYWHERE)
    named = (*snapshot.servers, *snapshot.clusters)
    names = [other.host(source.name, "server") for source in named]  # before all else: in their order
    sources = [_source(other, source, name) for source, name in zip(named, names, strict=True)]
    # Field by field: what a later version adds is lost here until somebody says what becomes of it.
    return Snapshot(
        estate=other.name(snapshot.estate, "estate"),
        time=snapshot.time,
        tool=snapshot.tool if A_TOOL.fullmatch(snapshot.tool) else other.name(snapshot.tool, "tool"),
        inventory_digest=snapshot.inventory_digest and LEFT_OUT,
        settings=snapshot.settings,
        servers=tuple(sources[: len(snapshot.servers)]),
        clusters=tuple(sources[len(snapshot.servers) :]),
        complete=snapshot.complete,
        stretched=tuple(frozenset(other.name(site, "site") for site in sorted(sites)) for sites in snapshot.stretched),
        limit=snapshot.limit and LEFT_OUT,
        left_out=tuple(other.host(one, "server") for one in snapshot.left_out),
    )


def _source(other: Pseudonyms, source: ServerRecord, name: str) -> ServerRecord:
    return ServerRecord(
        name=name,
        endpoint=_endpoint(other, source.endpoint),
        cluster=None if source.cluster is None else other.host(source.cluster, "server"),
        site=None if source.site is None else other.name(source.site, "site"),
        groups=tuple(other.name(group, "group") for group in source.groups),
        may_be_empty=source.may_be_empty,
        may_lack_failover_settings=source.may_lack_failover_settings,
        insecure=source.insecure and LEFT_OUT,
        reading=_unread(source.reading) if isinstance(source.reading, Unread) else _reading(other, source.reading),
    )


def _reading(other: Pseudonyms, reading: Reading) -> Reading:
    return Reading(
        started=reading.started,
        finished=reading.finished,
        version=None if reading.version is None else _version(other, reading.version),
        clock_ahead=reading.clock_ahead,
        classes=_answers(other, reading.classes),
        again=_answers(other, reading.again),
        too_large=tuple(_too_large(other, name) for name in reading.too_large),
        notes=tuple(_note(note) for note in reading.notes),
        cluster=_answers(other, reading.cluster),
        asked=None if reading.asked is None else _known_queries(reading.asked),
    )


def _known_queries(asked: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return what we asked for; of what is not ours, nothing."""
    return {
        class_name: tuple(name for name in names if name in PROPERTIES)
        for class_name, names in asked.items()
        if class_name in CLASSES
    }


def _endpoint(other: Pseudonyms, text: str) -> str:
    host, colon, port = text.rpartition(":")
    return other.host(host, "server") + colon + port if port.isdigit() else other.host(text, "server")


def _answers(other: Pseudonyms, answers: Mapping[str, RowsOrUnread]) -> dict[str, RowsOrUnread]:
    return {
        name if name in CLASSES | anonymous_clusters.CLASSES else other.name(name, "class"): _unread(answer)
        if isinstance(answer, Unread)
        else tuple(_row(other, name, row) for row in answer)
        for name, answer in answers.items()
    }


def _too_large(other: Pseudonyms, name: str) -> str:
    class_name, _, property_name = name.partition(".")
    kept = class_name in CLASSES | anonymous_clusters.CLASSES and property_name in KNOWN
    return name if kept else other.name(name, "property")


# --- what we said ourselves, with words of hosts in it ----------------------------------------------------------------


def _unread(unread: Unread) -> Unread:
    return Unread(_codes(unread.reason), unread.why)


def _note(note: str) -> str:
    return note if note in KEPT_NOTES or A_NOTE.fullmatch(note) else _codes(note)


def _codes(text: str) -> str:
    """The numbers of a refusal, which say the same in any language."""
    codes = A_CODE.findall(text)
    return f"{LEFT_OUT} [{', '.join(codes)}]" if codes else LEFT_OUT


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(other: Pseudonyms, class_name: str, row: Row) -> Row:
    changed: dict[str, str | list[str | None] | None] = {}
    for name, value in row.items():
        change = partial(_text, other, class_name, name, row)
        if isinstance(value, list):
            new: str | list[str | None] | None = [None if entry is None else change(entry) for entry in value]
        else:
            new = None if value is None else change(value)
        changed[name if name in KNOWN else other.name(name, "property")] = new
    return changed


def _text(other: Pseudonyms, class_name: str, name: str, row: Row, text: str) -> str:
    if class_name in anonymous_clusters.CLASSES:
        return anonymous_clusters.text_of_cluster(other, class_name, name, row, text)
    if name == "ElementName":
        return _element_name(other, class_name, row, text)
    change = CHANGES.get(name)
    return other.name(text, "value") if change is None else change(other, text)


def _element_name(other: Pseudonyms, class_name: str, row: Row, text: str) -> str:
    if class_name in (queries.SYNTHETIC_ADAPTERS, queries.LEGACY_ADAPTERS):
        return other.name(text, "adapter")
    if class_name == queries.SWITCHES:
        return other.name(text, "switch")
    own = row.get("Name")
    is_server = class_name == queries.MACHINES and isinstance(own, str) and not A_GUID.fullmatch(own)
    return other.host(text, "server") if is_server else other.name(text, "vm")


def _number(other: Pseudonyms, text: str) -> str:
    return text if A_NUMBER.fullmatch(text) else other.name(text, "number")


def _version(other: Pseudonyms, text: str) -> str:
    return text if A_VERSION.fullmatch(text) else other.name(text, "version")


def _identifier(other: Pseudonyms, text: str) -> str:
    return other.words(text, "word", _is_of_identifiers)


def _type(other: Pseudonyms, text: str) -> str:
    return other.words(text, "word", lambda _before, word, _behind: bool(OF_TYPES.fullmatch(word)))


def _is_of_identifiers(before: str, word: str, behind: str) -> bool:
    if OF_IDENTIFIERS.fullmatch(word) or queries.A_CLASS.fullmatch(word):
        return True
    if A_GUID.fullmatch(word):  # a provider's, which all servers with its product share
        return before.rstrip("\\").endswith("ReplicationProvider")
    ends = before.endswith("\\") and (not behind or behind.startswith("\\"))  # `\HVR\0`, `\C`
    return ends and (len(word) == 1 or (len(word) == 2 and word.isdigit()))


def _reference(other: Pseudonyms, text: str) -> str:
    """A reference as wsman/row.py writes it; its class's address is the same everywhere."""
    uri, question, keys = text.partition("?")
    is_ours = question and A_RESOURCE.fullmatch(uri)
    return f"{uri}?{_identifier(other, keys)}" if is_ours else _identifier(other, text)


def _machine_or_host(other: Pseudonyms, text: str) -> str:
    if any(A_GUID.fullmatch(word) for word in re.findall(r"[\w-]+", text)):
        return _identifier(other, text)
    return other.host(text, "server")


def _host(other: Pseudonyms, text: str) -> str:
    return other.host(text, "server")


def _address(other: Pseudonyms, text: str) -> str:
    core = text.strip()
    if not core:
        return text
    before, _, behind = text.partition(core)
    return before + (other.address(core) or other.words(core, "word", _nothing)) + behind


def _netmask(other: Pseudonyms, text: str) -> str:
    core = text.strip()
    if A_PREFIX_LENGTH.fullmatch(core) or (A_NETMASK.fullmatch(core) and core.count(".") == 3):
        return text
    return _address(other, text)


def _mac(other: Pseudonyms, text: str) -> str:
    return other.networks.mac(text) or other.words(text, "word", _nothing)


def _nothing(_before: str, _word: str, _behind: str) -> bool:
    return False


def _description(other: Pseudonyms, text: str) -> str:
    return other.name(text, "text")


# --- what a guest wrote -----------------------------------------------------------------------------------------------

STAND_INS = {
    Lost.TOO_LONG: "x" * (MAX_ITEM + 1),
    Lost.FORBIDDEN: "<!DOCTYPE x><INSTANCE/>",
    Lost.NO_XML: "<INSTANCE",
    Lost.NO_PAIR: "<INSTANCE/>",
}


def _item(other: Pseudonyms, text: str) -> str:
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


def _guest_name(other: Pseudonyms, text: str) -> str:
    return other.host(text, "machine")


def _addresses(other: Pseudonyms, text: str) -> str:
    return ";".join(_address(other, part) for part in text.split(";"))


Replacer = Callable[[Pseudonyms, str], str]

CHANGES: Mapping[str, Replacer] = {
    **dict.fromkeys(
        [
            "EnabledState",
            "ReplicationMode",
            "ReplicationState",
            "ReplicationHealth",
            "OnTimeInMilliseconds",
            "OperationalStatus",
            "ProcessID",
            "ProtocolIFType",
            "DHCPEnabled",
            "RecoveryServerEnabled",
            "ShieldingRequested",
        ],
        _number,
    ),
    "Name": _machine_or_host,
    "SystemName": _machine_or_host,
    "VirtualSystemIdentifier": _machine_or_host,
    "InstanceID": _identifier,
    "DeviceID": _identifier,
    "VirtualSystemType": _type,
    "ReplicationProvider": _identifier,
    "HostResource": _identifier,
    "PoolID": _identifier,
    "Antecedent": _reference,
    "Dependent": _reference,
    "IPAddress": _address,
    "IPSubnet": _netmask,
    "Version": _version,
    "PrimaryHostSystem": _host,
    "RecoveryHostSystem": _host,
    "PrimaryConnectionPoint": _host,
    "RecoveryConnectionPoint": _host,
    "IPAddresses": _address,
    "DefaultGateways": _address,
    "DNSServers": _address,
    "Subnets": _netmask,
    "Address": _mac,
    "StatusDescriptions": _description,
    queries.GUEST_ITEMS: _item,
}
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
    **dict.fromkeys(["NetworkAddressIPv4", "NetworkAddressIPv6", "RDPAddressIPv4", "RDPAddressIPv6"], _addresses),
    "FullyQualifiedDomainName": _guest_name,
}
