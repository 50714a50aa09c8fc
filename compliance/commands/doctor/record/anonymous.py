"""A snapshot that may be shown to strangers: what it says of Hyper-V stays, whom it says it of does not.

Only what stands on a list here is kept, by strict patterns; everything else gets a pseudonym. Rows keep their form, so
that what went wrong with the original goes wrong with its copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from compliance.commands.doctor.record import clusters as anonymous_clusters
from compliance.commands.doctor.record.pseudonyms import Pseudonyms
from compliance.commands.doctor.record.rows import CLASSES, KNOWN, PROPERTIES, replace_row
from compliance.commands.doctor.record.values import replace_version
from compliance.hyperv import queries
from compliance.hyperv.host import DATA_EXCHANGE
from compliance.model import Unread
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
A_TOOL = re.compile(r"hyperv-compliance(?: [0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.dev|\.post)[0-9]+)*)?")
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
    records = (*snapshot.servers, *snapshot.clusters)
    names = [other.host(source.name, "server") for source in records]  # before all else: in their order
    sources = [_source(other, source, name) for source, name in zip(records, names, strict=True)]
    # Field by field: what a later version adds is lost here until somebody says what becomes of it.
    return Snapshot(
        estate=other.name(snapshot.estate, "estate"),
        time=snapshot.time,
        latest=snapshot.latest,
        tool=snapshot.tool if A_TOOL.fullmatch(snapshot.tool) else other.name(snapshot.tool, "tool"),
        inventory_digest=snapshot.inventory_digest and LEFT_OUT,
        settings=snapshot.settings,
        servers=tuple(sources[: len(snapshot.servers)]),
        clusters=tuple(sources[len(snapshot.servers) :]),
        complete=snapshot.complete,
        stretched=tuple(frozenset(other.name(site, "site") for site in sorted(sites)) for sites in snapshot.stretched),
        limit=snapshot.limit and LEFT_OUT,
        left_out=tuple(other.host(name_left_out, "server") for name_left_out in snapshot.left_out),
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
        version=None if reading.version is None else replace_version(other, reading.version),
        clock_ahead=reading.clock_ahead,
        classes=_answers(other, reading.classes),
        again=_answers(other, reading.again),
        too_large=tuple(_too_large(other, name) for name in reading.too_large),
        notes=tuple(_note(note) for note in reading.notes),
        cluster=_answers(other, reading.cluster),
        asked_properties=None if reading.asked_properties is None else _known_queries(reading.asked_properties),
    )


def _known_queries(properties: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return what we asked for; of what is not ours, nothing."""
    return {
        class_name: tuple(name for name in names if name in PROPERTIES)
        for class_name, names in properties.items()
        if class_name in CLASSES
    }


def _endpoint(other: Pseudonyms, text: str) -> str:
    host, colon, port = text.rpartition(":")
    return other.host(host, "server") + colon + port if port.isdigit() else other.host(text, "server")


def _answers(other: Pseudonyms, answers: Mapping[str, RowsOrUnread]) -> dict[str, RowsOrUnread]:
    return {
        name if name in CLASSES | anonymous_clusters.CLASSES else other.name(name, "class"): _unread(answer)
        if isinstance(answer, Unread)
        else tuple(replace_row(other, name, row) for row in answer)
        for name, answer in answers.items()
    }


def _too_large(other: Pseudonyms, name: str) -> str:
    class_name, _, property_name = name.partition(".")
    is_known = class_name in CLASSES | anonymous_clusters.CLASSES and property_name in KNOWN
    return name if is_known else other.name(name, "property")


# --- what we said ourselves, with words of hosts in it ----------------------------------------------------------------


def _unread(unread: Unread) -> Unread:
    return Unread(_codes(unread.reason), unread.why)


def _note(note: str) -> str:
    return note if note in KEPT_NOTES or A_NOTE.fullmatch(note) else _codes(note)


def _codes(text: str) -> str:
    """The numbers of a refusal, which say the same in any language."""
    codes = A_CODE.findall(text)
    return f"{LEFT_OUT} [{', '.join(codes)}]" if codes else LEFT_OUT
