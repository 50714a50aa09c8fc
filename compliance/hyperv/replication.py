"""What a machine's replication is: whether it is alive, whom it names, and whether the failover has been made."""

from __future__ import annotations

from operator import itemgetter

from compliance.hyperv import queries
from compliance.hyperv.host import HostRows, Partners
from compliance.hyperv.rows import A_GUID, cut, first_label, number, read_word, remembered, words_of
from compliance.model import Role, Row, Unread

HOST_TO_HOST_PROVIDER = "22391CDC-272C-4DDF-BA88-9BEFB1A0975C"
OF_PROVIDER = "REPLICATIONPROVIDER"
"""In the path of an instance, whose InstanceID is ``Microsoft:<host>\\ReplicationProvider\\<GUID>``."""

ROLES = {0: Role.NONE, 1: Role.PRIMARY, 2: Role.REPLICA, 3: Role.TEST_REPLICA, 4: Role.EXTENDED_REPLICA}
REPLICATING = frozenset({Role.PRIMARY, Role.REPLICA, Role.EXTENDED_REPLICA})
REPLICAS = frozenset({Role.REPLICA, Role.EXTENDED_REPLICA})
MOST_OF_A_PATH = 1024
PARTIES = (
    "PrimaryHostSystem",
    "PrimaryConnectionPoint",
    "RecoveryHostSystem",
    "RecoveryConnectionPoint",
    "ReplicationProvider",
)
FAILED_OVER = frozenset({5, 6})  # recovered, committed (msvm-replicationrelationship, ReplicationState)


def is_replicated(host: HostRows, guid: str, row: Row, role: Role | Unread) -> tuple[bool | Unread, tuple[str, ...]]:
    """Return whether a relationship is alive: the newer relationship rows and the older property of the machine must
    agree."""
    if isinstance(role, Unread):
        return role, ()
    if role not in REPLICATING:
        return False, ()
    own = number(row, "ReplicationState")
    if isinstance(own, Unread):
        return own, ()
    if host.is_2012:
        # Server 2012 has no relationship class; there the property of the machine is not yet deprecated.
        return (Unread("its replication state is not given") if own is None else own != 0), ()
    if isinstance(host.relationships, Unread):
        return Unread(f"replication relationships could not be read: {host.relationships}", host.relationships.why), ()
    states = [number(relationship, "ReplicationState") for _, relationship in host.relationships_of.get(guid, ())]
    if not states:
        if not host.shows_relationships:
            return Unread(f"{host.name} shows not one replication relationship row of a machine"), ()
        if own:
            return True, ("has no replication relationship row; its own row says that it replicates",)
        return Unread("has a replication role, but no relationship row and no replication state of its own"), ()
    if any(state is None or isinstance(state, Unread) for state in states):
        return Unread("a relationship row of it gives no replication state"), ()
    alive = any(states)
    if (alive and own == 0) or (not alive and own != 0):
        return Unread("its relationship rows and its own replication state disagree"), ()
    return alive, ()


def has_failed_over(host: HostRows, guid: str, row: Row, role: Role | Unread) -> bool | Unread:
    """Return whether the failover of a replica has been made: by its relationship with the server that sends to it,
    which is the first (``\\HVR\\0``); on Server 2012, which has none, by the machine's own state."""
    if isinstance(role, Unread) or role not in REPLICAS:
        return False
    if host.is_2012:
        states = [number(row, "ReplicationState")]
    elif isinstance(host.relationships, Unread):
        return Unread(f"replication relationships could not be read: {host.relationships}", host.relationships.why)
    else:
        rows = [row for rest, row in host.relationships_of.get(guid, ()) if not rest.endswith("\\1")]
        states = [number(relationship, "ReplicationState") for relationship in rows or [row]]
    unread = next((state for state in states if isinstance(state, Unread)), None)
    return unread or any(state in FAILED_OVER for state in states)


def sends_onward(host: HostRows, guid: str, role: Role | Unread) -> bool:
    """Return whether a replica has a second relationship (``\\HVR\\1``), with an extended replica, that is not known to
    have ended."""
    return role is Role.REPLICA and any(state != 0 for state in _states_onward(host, guid))


def _has_ended_onward(host: HostRows, guid: str, role: Role | Unread) -> bool:
    """Return whether a replica's second relationship is known to have ended: what its settings still name for it is
    nobody's partner. Without a row of it nothing is known."""
    states = _states_onward(host, guid) if role is Role.REPLICA else []
    return bool(states) and all(state == 0 for state in states)


def _states_onward(host: HostRows, guid: str) -> list[int | Unread | None]:
    rows = () if host.is_2012 else host.relationships_of.get(guid, ())
    return [number(row, "ReplicationState") for rest, row in rows if rest.endswith("\\1")]


# --- whom its settings name -------------------------------------------------------------------------------------------


def partners_of(host: HostRows, guid: str, role: Role | Unread) -> Partners:
    """Return the servers that replication settings name as the other side. The role says which of the two names of a
    row that is; where there is none, both are taken that are not this server's."""
    key = guid, role
    if key not in host.memo.partners:
        host.memo.partners[key] = _partners_of(host, guid, role)
    return host.memo.partners[key]


def _partners_of(host: HostRows, guid: str, role: Role | Unread) -> Partners:
    if isinstance(host.replication, Unread):
        reason = f"its replication settings could not be read: {host.replication}"
        return Partners(names=Unread(reason, host.replication.why))
    # By relationship, the primary one first: the order in which a server shows its rows means nothing.
    rows = sorted(host.replication_of.get(guid, ()), key=itemgetter(0))
    if not rows:
        return Partners(names=Unread("its replication settings have no row"))
    has_ended = _has_ended_onward(host, guid, role)
    words = role, has_ended, tuple([(rest, words_of(row, PARTIES)) for rest, row in rows])
    if words not in host.memo.partners_by_words:
        host.memo.partners_by_words[words] = _partners_by_words(rows, role, host, has_ended=has_ended)
    return host.memo.partners_by_words[words]


def _partners_by_words(
    rows: list[tuple[str, Row]], role: Role | Unread, host: HostRows, *, has_ended: bool
) -> Partners:
    ours = [(rest, row) for rest, row in rows if not _is_foreign(row)]
    if not ours:
        return Partners(names=(), foreign=True)
    receives_from: list[str] = []
    sends_to: list[str] = []
    own: list[str] = []
    others: list[str] = []
    for rest, row in ours:
        if has_ended and rest.endswith("\\1"):
            continue
        primary, recovery = _side_of(row, "Primary"), _side_of(row, "Recovery")
        sends = role is Role.PRIMARY or (role is Role.REPLICA and rest.endswith("\\1"))
        if isinstance(role, Unread) or role not in REPLICATING:
            own_label = first_label(host.host_name)
            others += [name for name in (primary, recovery) if name and first_label(name) != own_label]
            continue
        mine, other = (primary, recovery) if sends else (recovery, primary)
        if first_label(other) == first_label(host.host_name) != first_label(mine):
            mine, other = other, mine  # the name says otherwise than the role
        own += [mine] if mine else []
        if other and not _is_itself(other, mine, host):
            (sends_to if sends else receives_from).append(other)
            others.append(other)
    return Partners(
        names=host.memo.once(others) or Unread("its replication settings name no other server"),
        receives_from=host.memo.once(receives_from),
        sends_to=host.memo.once(sends_to),
        own_names=tuple(name for name in dict.fromkeys(own) if first_label(name) == first_label(host.host_name)),
    )


def foreign_names_of(host: HostRows, guid: str) -> tuple[str, ...]:
    """Return where another product replicates a machine to, as its settings call it: no server that one can list."""
    names = (_side_of(row, "Recovery") for _, row in host.replication_of.get(guid, ()) if _is_foreign(row))
    return tuple(dict.fromkeys(name for name in names if name))


def full_names_of(host: HostRows) -> tuple[str, ...]:
    """Return what replication settings of this server call itself, where that has a domain."""
    names = (
        name
        for guid, row in host.first.machines.items()
        for name in partners_of(host, guid, read_word(row, "ReplicationMode", ROLES)).own_names
    )
    return tuple(sorted({name.casefold().rstrip(".") for name in names if "." in name}))


def _is_itself(name: str, mine: str, host: HostRows) -> bool:
    """Two servers in two domains may both be called HV01: a name with a domain is the other's unless it is ours."""
    if name.casefold() == mine.casefold():
        return True
    return first_label(name) == first_label(host.host_name) and not ("." in name and "." in mine)


def _is_foreign(row: Row) -> bool:
    """Return whether another product than Hyper-V Replica replicates it. A text that names no provider says nothing."""
    path = row.get("ReplicationProvider")
    return isinstance(path, str) and _names_another(path)


@remembered(MOST_OF_A_PATH)
def _names_another(path: str) -> bool:
    # Not one expression for both: of a path as long as a host likes, that would search the rest again from each word.
    _, _, rest = path.upper().partition(OF_PROVIDER)
    return A_GUID.search(rest) is not None and HOST_TO_HOST_PROVIDER not in path.upper()


def _side_of(row: Row, side: str) -> str:
    """A node's name; where none is given, the name that the other side was given: a broker's, for a cluster."""
    for name in (row.get(f"{side}HostSystem"), row.get(f"{side}ConnectionPoint")):
        if isinstance(name, str) and (stripped := name.strip()):
            return cut(stripped)
    return ""


# --- what only adds a word --------------------------------------------------------------------------------------------


def is_shielded(host: HostRows, guid: str) -> bool | Unread:
    """Return whether a machine is shielded. A class that does not answer as we inferred says that nothing is."""
    if queries.SECURITY not in host.asked_properties and not host.is_before_2016:
        return host.not_asked
    return guid in host.additions.shielded


def tested_replica(host: HostRows, guid: str, role: Role | Unread) -> str | None:
    """Return the GUID of the replica that a test replica was made from, where the server ties the two."""
    return host.additions.replica_of_test.get(guid) if role is Role.TEST_REPLICA else None
