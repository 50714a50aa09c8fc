"""What an estate is, in the words of Hyper-V Replica: frozen values, no I/O, no CIM names.

``None`` says "there is none"; an ``Unread`` says that we don't know, and why. These names are public: rules of users
import them from here, whichever module has them.
"""

from __future__ import annotations

from compliance.model.adapters import Adapter, AdapterConnection, Addresses, FailoverAddress
from compliance.model.estate import READ_AS, Cluster, Estate, Partner, Server, Subject
from compliance.model.guest import Answer, Guest
from compliance.model.inside import (
    Daemon,
    GuestConnection,
    InnerAdapter,
    Inside,
    InsideUnix,
    InsideWindows,
    Script,
    Service,
    Stack,
    Takes,
)
from compliance.model.judging import Evidence, Judging
from compliance.model.machines import Power, ReplicaAdapter, ReplicatedVM, Role, Surroundings, VirtualMachine
from compliance.model.unread import Row, Unread

__all__ = [
    "READ_AS",
    "Adapter",
    "AdapterConnection",
    "Addresses",
    "Answer",
    "Cluster",
    "Daemon",
    "Estate",
    "Evidence",
    "FailoverAddress",
    "Guest",
    "GuestConnection",
    "InnerAdapter",
    "Inside",
    "InsideUnix",
    "InsideWindows",
    "Judging",
    "Partner",
    "Power",
    "ReplicaAdapter",
    "ReplicatedVM",
    "Role",
    "Row",
    "Script",
    "Server",
    "Service",
    "Stack",
    "Subject",
    "Surroundings",
    "Takes",
    "Unread",
    "VirtualMachine",
]
