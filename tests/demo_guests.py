"""The demo with guests: an estate that its hosts are content with, and what a look into its guests says.

``python -m tests.demo_guests`` plays its servers on the simulator, gathers them as a real run would, adds what the
guests' shells print, and writes the snapshot that ``inventories/demo-guests.yaml`` names. What they print is what the
roots of ``tests/guests/trees.py`` print over a real sshd, Debian's with its own package in it.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from compliance.credentials.find import Credential
from compliance.errors import Why
from compliance.gather.gather import gather
from compliance.inventory.entries import Entry
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestRecord, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import inventory
from tests.canary import CANARY
from tests.guests.replies import guest, sections
from tests.hosts import NOW, Host, Vm, freebsd, linux, replica_of
from tests.lab import DOMAIN, hosts, nic, simulator, windows

SNAPSHOT = Path(__file__).parent.parent / "inventories" / "demo-guests.jsonl.gz"
SIDES = {"hosts": hosts("BLN-HV01", "FRA-HV01")}


def vm(name: str, last: int, items: dict[str, str], **changes: object) -> Vm:
    values: dict[str, object] = {"name": name, "nics": [nic(f"10.2.0.{last}")], "items": items, **SIDES, **changes}
    return Vm(**values)  # type: ignore[arg-type]


MAIL = vm("mail01", 13, linux("Debian GNU/Linux", "12", "10.1.0.13"))
WEB = vm("web01", 12, linux("Ubuntu", "22.04", "10.1.0.12"))
ERP = vm("erp01", 21, linux("Red Hat Enterprise Linux", "10.0", "10.1.0.21"))
EDGE = vm("edge01", 17, freebsd("12.4-RELEASE", "10.1.0.17"), nics=[nic("2001:db8:2::17")])
LOST = vm("dev01", 19, linux("Red Hat Enterprise Linux", "10.0", "10.1.0.19"), kvp=13)
BACKUP = vm("backup01", 18, linux("Red Hat Enterprise Linux", "10.0", "10.1.0.18"))
OLD = vm("print01", 16, linux("Debian GNU/Linux", "12", "10.1.0.16"))
SQL = vm("sql01", 11, windows("10.1.0.11"))
VMS = (MAIL, WEB, ERP, EDGE, LOST, BACKUP, OLD, SQL)

SERVICE = "Id=hv-kvp-daemon.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
DEBIAN = {
    "system": 'kernel=Linux 6.1.0-21-amd64\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n'
    'VERSION_ID="12"',
    "processes": "comm=hv_kvp_daemon\nline=/usr/sbin/hv_kvp_daemon -n\nlist=read",
    "programs": "program=/usr/sbin/hv_kvp_daemon\npackage=hyperv-daemons: /usr/sbin/hv_kvp_daemon\nstrings=read\n"
    "string=/usr/libexec/hypervkvpd/%s %s\nstring=hv_set_ifconfig",
    "scripts": "",
    "units": f"{SERVICE}ProtectSystem=full\nCapabilityBoundingSet=",
    "networkmanager": "",
    "ifupdown": "interfaces=yes\nifup=yes\niface eth0 inet static",
    "log": "",
}
UBUNTU = {
    "system": 'kernel=Linux 5.15.0-91-generic\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"',
    "processes": "comm=hv_kvp_daemon\nline=/usr/lib/linux-tools/5.15.0-91-generic/hv_kvp_daemon -n\nlist=read",
    "programs": "program=/usr/sbin/hv_kvp_daemon\npackage=linux-cloud-tools-common: /usr/sbin/hv_kvp_daemon\n"
    "program=/usr/lib/linux-tools/5.15.0-91-generic/hv_kvp_daemon\nstring=%s %s\nstring=hv_set_ifconfig",
    "scripts": "script=/usr/sbin/hv_set_ifconfig\nexecutable=yes\ncontent=read\nwrites=/etc/network/interfaces",
    "units": f"{SERVICE}ProtectSystem=no",
    "networkmanager": "",
    "networkd": "  2 eth0 ether routable configured",
    "netplan": "/etc/netplan/50-cloud-init.yaml",
}
FREEBSD = {
    "system": "kernel=FreeBSD 12.4-RELEASE\nPRETTY_NAME=FreeBSD 12.4-RELEASE\nNAME=FreeBSD",
    "platform": "sys=no\nvm_guest=hv",
    "driver": "device=/dev/hv_kvp_dev",
    "processes": "comm=hv_kvp_daemon\nlist=read",
    "programs": "program=/usr/sbin/hv_kvp_daemon\nstring=sh /usr/libexec/hyperv/hv_set_ifconfig",
    "scripts": "script=/usr/libexec/hyperv/hv_set_ifconfig\nexecutable=yes\ncontent=read\nwrites=rc.conf",
    "units": "",
    "boot": "link=/etc/devd/hyperv.conf",
    "networkmanager": "",
    "addresses": 'ifconfig_hn0="inet 10.1.0.17/24"',
}


def ways() -> tuple[GuestRecord, ...]:
    """Six that lead to their guests, one that leads to another's, one that leads nowhere; none into Windows."""
    hn = sections(EDGE)["adapters"].replace("eth0", "hn0").replace("hv_netvsc", "hn")
    seen = {
        "mail01": sections(MAIL, **DEBIAN),
        "web01": sections(WEB, **UBUNTU),
        "erp01": sections(ERP),
        "edge01": sections(EDGE, **FREEBSD, adapters=hn),
        "dev01": sections(LOST),
        "backup01": sections(ERP),
        "print01": Unread(f"{_way('print01')}: nobody listens at its port", Why.UNREACHABLE),
    }
    return tuple(guest(f"bln-hv01/{name}", way=_way(name), seen=one) for name, one in seen.items())


def _way(name: str) -> str:
    return f"ssh://audit@{name}.{DOMAIN}"


def gathered() -> Snapshot:
    both = Host(name="BLN-HV01", vms=VMS), Host(name="FRA-HV01", vms=[replica_of(one) for one in VMS])
    with ExitStack() as stack:
        entries = []
        for host, site in zip(both, ("berlin", "frankfurt"), strict=True):
            playing = stack.enter_context(simulator(host.name.lower(), host))
            entries.append(
                Entry(
                    name=host.name.lower(),
                    address="127.0.0.1",
                    port=playing.port,
                    transport="basic",
                    credential="audit",
                    ca=playing.ca,
                    site=site,
                )
            )
        credentials = {"audit": Credential(username="audit", password=CANARY)}
        found = gather(inventory(entries, name="demo-guests"), credentials, tool="hyperv-compliance", now=lambda: NOW)
    made_up = {"account": "DR\\audit", "transport": "ntlm"}
    servers = tuple(replace(one, endpoint=f"{one.name}.{DOMAIN}:5986", **made_up) for one in found.servers)
    return replace(found, servers=servers, guests=ways())


if __name__ == "__main__":
    write_snapshot(gathered(), SNAPSHOT)
