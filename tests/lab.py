"""The estate of the tests: two sites, a cluster pair, extended replication, every outcome, and some hard names.

``python -m tests.lab`` plays it on the simulator, gathers it as a real run would, and writes the snapshot that
``tests/lab.yaml`` names. A test holds the file to what this module says.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_interface
from pathlib import Path

from compliance.credentials.find import Credential
from compliance.gather.gather import gather
from compliance.inventory.entries import Entry
from compliance.model import Unread
from compliance.snapshot.snapshot import ServerRecord, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import inventory
from tests.canary import CANARY
from tests.host_rows import host_rows
from tests.hosts import NOW, WINDOWS, Host, Nic, Vm, freebsd, linux, replica_of
from tests.simulator import Played, Simulator

SNAPSHOT = Path(__file__).with_name("lab.jsonl.gz")
MINUTE = 60_000
DOMAIN = "dr.example"


def nic(address: str, *more: str, **changes: object) -> Nic:
    networks = [ip_interface(f"{one}/{64 if ':' in one else 24}").network for one in (address, *more)]
    return Nic(
        addresses=(address, *more),
        subnets=[str(one.netmask) if one.version == 4 else str(one.prefixlen) for one in networks],
        gateways=[str(one[1]) for one in networks],
        **changes,  # type: ignore[arg-type]
    )


def hosts(primary: str, replica: str) -> tuple[tuple[str, str], ...]:
    return ((f"{primary}.{DOMAIN}", f"{replica}.{DOMAIN}"),)


def to(replica: str, primary: str = "BLN-HV01") -> dict[str, object]:
    return {"hosts": hosts(primary, replica)}


def windows(address: str, version: str = "2022") -> dict[str, str]:
    build = {"2016": "10.0.14393", "2019": "10.0.17763", "2022": "10.0.20348", "2025": "10.0.26100"}[version]
    return {
        **WINDOWS,
        "OSName": f"Windows Server {version} Standard",
        "OSVersion": build,
        "IntegrationServicesVersion": build,
        "NetworkAddressIPv4": address,
    }


def vm(name: str, address: str, **changes: object) -> Vm:
    nics = [nic(address)] if address else [Nic()]
    values: dict[str, object] = {"name": name, "nics": nics, **to("FRA-NODE1"), **changes}
    return Vm(**values)  # type: ignore[arg-type]


SQL = vm("sql01", "10.1.0.11", items=windows("10.1.0.11", "2019"), checkpoints=1)
WEB = vm("web01", "10.1.0.12", items=linux("Ubuntu", "22.04", "10.1.0.12"), **to("FRA-NODE2"))
MAIL = vm("mail01", "10.1.0.13", items=linux("Debian GNU/Linux", "12", "10.1.0.13"))
CRM = vm("crm01", "10.1.0.14", kvp=12, heartbeat=12)
APP = vm("app01", "10.1.0.15", kvp=12, heartbeat=2, **to("FRA-NODE2"))
PRINT = vm("print01", "10.1.0.16", items=windows("10.1.0.16", "2016"))
BSD = vm("edge01", "2001:db8:1::17", items=freebsd("13.2", "10.1.0.17"), **to("FRA-NODE2"))
BOOT = vm("batch01", "10.1.0.18", kvp=12, heartbeat=12, uptime=3 * MINUTE)
LOST = vm("dev01", "10.1.0.19", kvp=13)
FILE = vm("file01", "", items=windows("10.1.0.20"))
ERP = vm("erp01", "10.1.0.21", items=windows("10.1.0.21"), **to("FRA-NODE1", "BLN-HV02"))
OLD = vm("old01", "10.1.0.22", kvp=7, heartbeat=12, **to("FRA-NODE2", "BLN-HV02"))
PAUSED = vm("test01", "10.1.0.23", power=9, items=windows("10.1.0.23", "2025"), **to("FRA-NODE2", "BLN-HV02"))
ARCHIVE = vm("archive01", "10.1.0.24", power=3, uptime=0, **to("FRA-NODE1", "BLN-HV02"))
SCRIPT = vm('<img src=x onerror="alert(1)">', "10.1.0.25", kvp=12, heartbeat=12, **to("FRA-NODE1", "BLN-HV02"))
HARD = vm("Büro 東京 [alt]/::x", "10.1.0.26", items=windows("10.1.0.26"), **to("FRA-NODE2", "BLN-HV02"))
TWIN_1 = vm(
    "twin", "10.1.0.27", guid="AAAAAAAA-1111-4111-8111-000000000001", items=linux("Red Hat Enterprise Linux", "9.4")
)
TWIN_2 = vm("twin", "10.1.0.28", guid="BBBBBBBB-2222-4222-8222-000000000002", kvp=12, heartbeat=12)
LEGACY = vm(
    "dhcp01",
    "10.1.0.29",
    nics=[nic("10.1.0.29", name="Legacy Network Adapter", legacy=True)],
    items=linux("Rocky Linux", "9.4", "10.1.0.29"),
)
FOREIGN = Vm(name="branch01", mode=2, power=3, uptime=0, nics=[nic("10.2.0.30")], hosts=hosts("MUC-HV09", "FRA-HV04"))


def there(primary: Vm, address: str, **changes: object) -> Vm:
    return replica_of(primary, nics=[nic(address)] if address else [Nic()], checkpoints=0, recovery_points=2, **changes)


ERP_CHAIN = (*hosts("BLN-HV02", "FRA-NODE1"), *hosts("FRA-NODE1", "FRA-HV04"))

Place = tuple[str, str, Host]
"""A server: its name in the inventory, its site, and what it is."""

SERVERS: Sequence[Place] = (
    (
        "bln-hv01",
        "berlin",
        Host(
            name="BLN-HV01",
            networks=("10.1.0.3/24",),
            version="10.0.17763",
            vms=[
                SQL,
                WEB,
                MAIL,
                CRM,
                APP,
                PRINT,
                BSD,
                BOOT,
                LOST,
                FILE,
                TWIN_1,
                TWIN_2,
                LEGACY,
                Vm(name="dc01", mode=0, state=0, nics=[Nic()], hosts=[]),
            ],
        ),
    ),
    (
        "bln-hv02",
        "berlin",
        Host(
            name="BLN-HV02",
            networks=("10.1.0.4/24",),
            vms=[ERP, OLD, PAUSED, ARCHIVE, SCRIPT, HARD],
            planned=["import01"],
        ),
    ),
    (
        "fra-node1",
        "frankfurt",
        Host(
            name="FRA-NODE1",
            networks=("10.2.0.3/24",),
            vms=[
                there(SQL, "10.2.0.11"),
                Vm(
                    name="sql01 - Test",
                    mode=3,
                    state=0,
                    power=2,
                    nics=[nic("10.2.0.11")],
                    items=windows("10.2.0.11", "2019"),
                    relationships={},
                    hosts=[],
                    test_of=SQL.id,
                ),
                there(MAIL, "10.2.0.13"),
                there(CRM, "10.2.0.14"),
                there(PRINT, "10.2.0.16", offered=3),
                there(BOOT, "10.2.0.18"),
                there(LOST, "10.2.0.19"),
                there(FILE, ""),
                there(ERP, "10.2.0.21", hosts=ERP_CHAIN, relationships={0: 3, 1: 3}),
                there(ARCHIVE, "10.2.0.24"),
                there(SCRIPT, "10.2.0.25"),
                there(TWIN_1, "10.2.0.27"),
                there(TWIN_2, "10.2.0.28"),
                replace(
                    there(LEGACY, "10.2.0.29"), nics=[nic("10.2.0.29", name="Legacy Network Adapter", legacy=True)]
                ),
            ],
        ),
    ),
    (
        "fra-node2",
        "frankfurt",
        Host(
            name="FRA-NODE2",
            networks=("10.2.0.4/24",),
            vms=[
                replace(there(WEB, "10.2.0.12"), nics=[nic("10.2.0.12", connected=False)]),
                there(APP, "10.2.0.15"),
                there(BSD, "2001:db8:2::17"),
                there(OLD, "10.2.0.22"),
                there(PAUSED, "10.2.0.23"),
                there(HARD, "10.2.0.26"),
            ],
        ),
    ),
    (
        "fra-hv04",
        "frankfurt",
        Host(
            name="FRA-HV04",
            networks=("10.3.0.5/24",),
            version="10.0.26100",
            vms=[there(ERP, "10.3.0.21", mode=4, hosts=hosts("FRA-NODE1", "FRA-HV04")), FOREIGN],
        ),
    ),
)
DOWN = ("bln-hv03", "berlin")
"""A server of the inventory that nobody reaches."""

CLOCK_AHEAD = {"fra-hv04": timedelta(minutes=7)}


def gathered() -> Snapshot:
    """The demo estate, read from simulated servers as a real run reads real ones."""
    with ExitStack() as stack:
        return gather_from({name: stack.enter_context(simulator(name, host)) for name, _, host in SERVERS})


def gather_from(
    playing: Mapping[str, Simulator], places: Sequence[Place] = SERVERS, down: tuple[str, str] = DOWN
) -> Snapshot:
    """Return one reading of the servers that are played, and of the one that is down. Only addresses are made up, and
    how one logged in."""
    entries = [_entry(name, site, playing[name].port, playing[name].ca) for name, site, _ in places]
    entries.append(_entry(*down, closed_port(), None))
    snapshot = gather(
        inventory(sorted(entries, key=str), name="demo"),
        {"audit": Credential(username="audit", password=CANARY)},
        tool="hyperv-compliance",
        now=lambda: NOW,
    )
    return replace(snapshot, servers=tuple(_renamed(source) for source in snapshot.servers))


def simulator(name: str, host: Host) -> Simulator:
    played = Played(
        rows=host_rows(host),
        version=host.version,
        computer=host.name,
        clock=NOW + CLOCK_AHEAD.get(name, timedelta()),
        locale="de-DE",
    )
    return Simulator(played)


def _entry(name: str, site: str, port: int, ca: Path | None) -> Entry:
    return Entry(
        name=name,
        address="127.0.0.1",
        port=port,
        transport="basic",
        credential="audit",
        ca=ca,
        site=site,
        groups=(site,),
    )


def _renamed(source: ServerRecord) -> ServerRecord:
    endpoint = f"{source.name}.{DOMAIN}:5986"
    source = replace(source, account="DR\\audit", transport="ntlm")
    if isinstance(source.reading, Unread):
        reason = source.reading.reason.replace(source.endpoint, endpoint)
        return replace(source, endpoint=endpoint, reading=replace(source.reading, reason=reason))
    return replace(source, endpoint=endpoint)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    write_snapshot(gathered(), SNAPSHOT)
