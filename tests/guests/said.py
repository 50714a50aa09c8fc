"""Guests' answers for tests: a working one by default, and a case names what differs."""

from __future__ import annotations

from compliance.model import Unread
from compliance.snapshot import GuestReading, GuestSource
from tests.builders import NOW, Vm, mac_of

SCRIPT = "/usr/libexec/hypervkvpd/hv_set_ifconfig"


def sections(vm: Vm | None = None, **changes: str) -> dict[str, str]:
    """As a working Red Hat 10 says it, whose adapters are those of ``vm``."""
    macs = ["00155D010203"] if vm is None else [mac_of(vm, at) for at, nic in enumerate(vm.nics) if not nic.legacy]
    spelled = [":".join(mac[at : at + 2] for at in range(0, 12, 2)).lower() for mac in macs]
    said = {
        "system": "kernel=Linux 6.12.0-55.el10\n"
        'PRETTY_NAME="Red Hat Enterprise Linux 10.0"\nNAME="Red Hat Enterprise Linux"\nVERSION_ID="10.0"',
        "platform": "sys_vendor=Microsoft Corporation\nproduct_name=Virtual Machine\nvmbus=yes",
        "driver": "hv_utils=yes\ndevice=/dev/vmbus/hv_kvp",
        "processes": "comm=hypervkvpd\nline=/usr/sbin/hypervkvpd -n\nlist=read",
        "programs": "program=/usr/sbin/hypervkvpd\npackage=hypervkvpd 0-0.49.el10\nstrings=read\n"
        "string=/usr/libexec/hypervkvpd/%s %s\nstring=hv_set_ifconfig",
        "scripts": f"script={SCRIPT}\nexecutable=yes\ncontent=read\nwrites=nmcli",
        "units": "Id=hypervkvpd.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nProtectSystem=no",
        "boot": "",
        "adapters": "\n".join(f"adapter=eth{at} mac={mac} driver=hv_netvsc" for at, mac in enumerate(spelled)),
        "networkmanager": "\n".join(f"eth{at}:connected" for at in range(len(spelled))),
        "networkd": "",
        "netplan": "",
        "ifupdown": "",
        "ifcfg": "",
        "addresses": "2: eth0    inet 10.1.0.20/24 brd 10.1.0.255 scope global noprefixroute eth0",
        "pool": "" if vm is None else f"pool=read\nVirtualMachineId\n{vm.id}\nVirtualMachineName\n{vm.name}",
        "log": "kernel=read",
    }
    return {**said, **changes}


def guest(*machines: str, way: str = "ssh://audit@sql01.dr.example", said: dict[str, str] | Unread) -> GuestSource:
    reading = said if isinstance(said, Unread) else GuestReading(started=NOW, finished=NOW, sections=said)
    return GuestSource(name=way, machines=machines, reading=reading)
