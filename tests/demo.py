"""The demo estate as a customer's looks: two sites and a third, one server that nobody reaches, each word of readiness.

``python -m tests.demo`` plays it on the simulator, gathers it as a real run would, and writes the snapshot that
``inventories/demo.yaml`` names. A test holds the file to what this module says.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from compliance.snapshot.snapshot import Snapshot
from compliance.snapshot.write import write_snapshot
from tests.hosts import WINDOWS, Host, Nic, Vm, linux, replica_of
from tests.lab import Place, gather_from, simulator

SNAPSHOT = Path(__file__).parent.parent / "inventories" / "demo.jsonl.gz"
MINUTE = 60_000
DOMAIN = "dr.example"
ANOTHER_PROVIDER = "6F5B9E8C-3F2D-4C1E-9A77-5D1B7A3C2E10"
NETWORKS = {"bln": "10.1.0.0/24", "fra": "10.2.0.0/24", "ham": "10.3.0.0/24"}


def nic(address: str = "", **changes: object) -> Nic:
    """Return an adapter with a failover address and what belongs to it, or with none."""
    if not address:
        return Nic(**changes)  # type: ignore[arg-type]
    gateway = f"{address.rpartition('.')[0]}.1"
    return Nic(addresses=(address,), subnets=("255.255.255.0",), gateways=(gateway,), **changes)  # type: ignore[arg-type]


def windows(number: int, version: str = "2022") -> dict[str, str]:
    build = {"2016": "10.0.14393", "2019": "10.0.17763", "2022": "10.0.20348", "2025": "10.0.26100"}[version]
    return {
        **WINDOWS,
        "OSName": f"Windows Server {version} Standard",
        "OSVersion": build,
        "IntegrationServicesVersion": build,
        "NetworkAddressIPv4": f"10.1.0.{number}",
    }


def hosts(*names: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a chain of replication, each host with the next one."""
    full = [f"{name}.{DOMAIN}" for name in names]
    return tuple(itertools.pairwise(full))


def primary(name: str, number: int, *, to: str = "FRA-HV01", of: str = "BLN-HV01", **changes: object) -> Vm:
    """Return a running machine in Berlin, which gets its own address back at a failback."""
    values: dict[str, object] = {
        "name": name,
        "nics": [nic(f"10.1.0.{number}")],
        "items": windows(number),
        "hosts": hosts(of, to),
        **changes,
    }
    return Vm(**values)  # type: ignore[arg-type]


def replica(vm: Vm, address: str = "", **changes: object) -> Vm:
    """Return the other side in Frankfurt: off, and with the address that a failover gives it."""
    return replica_of(vm, **{"nics": [nic(address)], "recovery_points": 2, **changes})


SQL1 = primary("sql01", 11, items=windows(11, "2019"), checkpoints=1)
SQL2 = primary("sql02", 12, items=windows(12, "2019"))
DC = primary("dc01", 13)
FILE = primary("file01", 14, nics=[nic()])
PRINT = primary("print01", 15, nics=[nic(dhcp=True)], items=windows(15, "2016"))
CRM = primary("crm01", 16, kvp=12, heartbeat=12)
APP = primary("app01", 17)
WEB = primary("web01", 18, items=linux("Ubuntu", "22.04", "10.1.0.18"))
SHOP = primary("shop01", 19, items=linux("SLES", "15.5", "10.1.0.19"))
ERP = primary("erp01", 21, of="BLN-HV02", to="FRA-HV02", items=windows(21, "2025"))
WIKI = primary("wiki01", 22, of="BLN-HV02", to="FRA-HV02")
INTRANET = primary("intranet01", 23, of="BLN-HV02", to="FRA-HV02")
BUILD = primary("build01", 24, of="BLN-HV02", to="FRA-HV02", kvp=12, heartbeat=12, uptime=3 * MINUTE)
ARCHIVE = primary("archive01", 25, of="BLN-HV02", to="FRA-HV02", power=3, uptime=0)
VAULT = primary("vault01", 26, of="BLN-HV02", to="FRA-HV02", shielded=True, kvp=12, heartbeat=2)
POS = primary("pos01", 27, of="BLN-HV02", to="FRA-HV02")
BRANCH = primary(
    "branch01", 28, of="BLN-HV02", to="", provider=ANOTHER_PROVIDER, hosts=[(f"BLN-HV02.{DOMAIN}", "Microsoft Azure")]
)
MAIL = primary("mail01", 29, of="BLN-HV02", to="FRA-HV02")
LAB = primary("lab01", 30, of="BLN-HV03", to="FRA-HV02")
"""Its primary is on the server that nobody reaches."""

CHAIN = (*hosts("BLN-HV02", "FRA-HV02"), *hosts("FRA-HV02", "HAM-HV01"))

PLACES: Sequence[Place] = (
    (
        "bln-hv01",
        "berlin",
        Host(
            name="BLN-HV01",
            version="10.0.17763",
            vms=[
                SQL1,
                SQL2,
                DC,
                FILE,
                PRINT,
                CRM,
                APP,
                WEB,
                SHOP,
                Vm(name="backup01", mode=0, state=0, nics=[Nic()], hosts=[]),
            ],
        ),
    ),
    (
        "bln-hv02",
        "berlin",
        Host(
            name="BLN-HV02",
            networks=("10.1.0.6/24",),
            vms=[ERP, WIKI, INTRANET, BUILD, ARCHIVE, VAULT, POS, BRANCH, replace(MAIL, power=3, uptime=0, state=4)],
        ),
    ),
    (
        "fra-hv01",
        "frankfurt",
        Host(
            name="FRA-HV01",
            networks=("10.2.0.5/24",),
            vms=[
                replica(SQL1, "10.2.0.11"),
                Vm(
                    name="sql01 - Test",
                    mode=3,
                    state=0,
                    nics=[nic("10.2.0.11", today=("10.2.0.11",))],
                    items=windows(11, "2019"),
                    relationships={},
                    hosts=[],
                    test_of=SQL1.id,
                ),
                replica(SQL2, "10.2.0.12"),
                replica(DC, "10.2.0.13"),
                replica(FILE),
                replica(PRINT, nics=[nic(connected=False)]),
                replica(CRM, "10.2.0.16"),
                replica(APP, "10.2.0.17", offered=3),
                replica(WEB, "10.2.0.18"),
                replica(SHOP, "10.2.0.19"),
            ],
        ),
    ),
    (
        "fra-hv02",
        "frankfurt",
        Host(
            name="FRA-HV02",
            networks=("10.2.0.6/24",),
            vms=[
                replica(ERP),
                replica(WIKI, "10.2.0.22", nics=[nic("10.2.0.22", connected=False)]),
                replica(INTRANET, "10.2.0.13"),
                replica(BUILD, "10.2.0.24"),
                replica(ARCHIVE, "10.2.0.25"),
                replica(VAULT, "10.2.0.26"),
                replica(POS, "10.2.0.27", hosts=CHAIN, relationships={0: 3, 1: 3}),
                replica(
                    MAIL,
                    power=2,
                    uptime=3 * 60 * MINUTE,
                    state=5,
                    nics=[nic("10.2.0.29", today=("10.2.0.29",))],
                    items={**windows(29), "NetworkAddressIPv4": "10.2.0.29"},
                ),
                replica(LAB, "10.2.0.30"),
            ],
        ),
    ),
    (
        "ham-hv01",
        "hamburg",
        Host(
            name="HAM-HV01",
            version="10.0.26100",
            networks=("10.3.0.5/24",),
            vms=[replica(POS, "10.3.0.27", mode=4, hosts=hosts("FRA-HV02", "HAM-HV01"))],
        ),
    ),
)
DOWN = ("bln-hv03", "berlin")
"""A server of the inventory that nobody reaches."""


def gathered() -> Snapshot:
    """Return the demo estate, read from simulated servers as a real run reads real ones."""
    with ExitStack() as stack:
        return gather_from({name: stack.enter_context(simulator(name, host)) for name, _, host in PLACES}, PLACES, DOWN)


if __name__ == "__main__":
    write_snapshot(gathered(), SNAPSHOT)
