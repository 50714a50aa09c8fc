"""Guests' answers for tests: a working one by default, and a case names what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.hyperv.guests.queries import INTEGRATION_SERVICES, MACHINE_ID
from compliance.model import Row, Unread
from compliance.snapshot.snapshot import GuestReading, GuestRecord, RowsOrUnread
from tests.host_rows import mac_of
from tests.hosts import NOW, Vm

KEYFILE_LINES = (
    'if [ -z "$2" ]; then',
    "exit 1",
    "fi",
    r"sed -i '/\[connection\]/a autoconnect=true' $2",
    'filename="${2##*/}"',
    "chmod 600 $2",
    "cp $2 /etc/NetworkManager/system-connections/",
    'nmcli connection load "/etc/NetworkManager/system-connections/${filename}"',
    'nmcli connection up filename "/etc/NetworkManager/system-connections/${filename}"',
    "exit 0",
)
"""What our script prints of RHEL 10's (openela-main/hyperv-daemons)."""
WINRM = "winrm://sql01.dr.example"
SCRIPT = "/usr/libexec/hypervkvpd/hv_set_ifconfig"


def sections(vm: Vm | None = None, **changes: str) -> dict[str, str]:
    """As a working Red Hat 10 says it, whose adapters are those of ``vm``."""
    macs = ["00155D010203"] if vm is None else [mac_of(vm, at) for at, nic in enumerate(vm.nics) if not nic.legacy]
    spelled = [":".join(mac[at : at + 2] for at in range(0, 12, 2)).lower() for mac in macs]
    seen = {
        "system": "kernel=Linux 6.12.0-55.el10\n"
        'PRETTY_NAME="Red Hat Enterprise Linux 10.0"\nNAME="Red Hat Enterprise Linux"\nVERSION_ID="10.0"',
        "platform": "sys_vendor=Microsoft Corporation\nproduct_name=Virtual Machine\nvmbus=yes",
        "driver": "hv_utils=yes\ndevice=/dev/vmbus/hv_kvp",
        "processes": "comm=hypervkvpd\nline=/usr/sbin/hypervkvpd -n\nlist=read",
        "programs": "program=/usr/sbin/hypervkvpd\npackage=hypervkvpd 0-0.49.el10\nstrings=read\n"
        "string=/usr/libexec/hypervkvpd/%s %s\nstring=/usr/libexec/hypervkvpd/%s %s %s\nstring=hv_set_ifconfig",
        "scripts": script("NetworkManager/system-connections", "nmcli"),
        "lines": lines(*KEYFILE_LINES),
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
    return {**seen, **changes}


def script(*words: str, path: str = SCRIPT) -> str:
    """The section ``scripts`` with one that is there, in the form of version 0.2."""
    writes = "".join(f"\nwrites={word}" for word in words)
    return f"script={path}\nexecutable=yes\ncontent=read\nlines=read{writes}"


def lines(*code: str, path: str = SCRIPT) -> str:
    """The section ``lines``."""
    return f"script={path}\nfolder={path.rpartition('/')[0]}" + "".join(f"\nline={line}" for line in code)


def guest(*machines: str, way: str = "ssh://audit@sql01.dr.example", seen: dict[str, str] | Unread) -> GuestRecord:
    reading = seen if isinstance(seen, Unread) else GuestReading(started=NOW, finished=NOW, sections=seen)
    return GuestRecord(name=way, machines=machines, reading=reading)


# --- Windows ----------------------------------------------------------------------------------------------------------


def rows(vm: Vm) -> dict[str, Sequence[Row]]:
    """As a working Windows answers, whose adapters are those of ``vm``; in the text of the wire."""
    macs = [mac_of(vm, at) for at, nic in enumerate(vm.nics) if not nic.legacy]
    synthetic = [
        {
            "Index": str(at + 1),
            "Description": "Microsoft Hyper-V Network Adapter",
            "MACAddress": ":".join(mac[digit : digit + 2] for digit in range(0, 12, 2)),
            "ServiceName": "netvsc",
            "DHCPEnabled": "false",
            "IPAddress": ["10.1.0.20", "fe80::1"],
        }
        for at, mac in enumerate(macs)
    ]
    idle = {"Index": "0", "Description": "WAN Miniport (IP)", "MACAddress": None, "ServiceName": "NdisWan"}
    return {
        "Win32_OperatingSystem": [{"Caption": "Microsoft Windows Server 2022 Standard", "Version": "10.0.20348"}],
        "Win32_ComputerSystem": [{"Manufacturer": "Microsoft Corporation", "Model": "Virtual Machine"}],
        "Win32_Service": [service("WinRM", StartMode="Auto"), service()],
        "Win32_NetworkAdapterConfiguration": [{**idle, "DHCPEnabled": "true"}, *synthetic],
    }


def service(name: str = "vmickvpexchange", **changes: str) -> Row:
    return {"Name": name, "State": "Running", "StartMode": "Manual", **changes}


def registry(vm: Vm) -> dict[str, str]:
    return {str(MACHINE_ID): vm.id, str(INTEGRATION_SERVICES): "10.0.20348"}


def answers(vm: Vm, changes: Mapping[str, RowsOrUnread | Sequence[Row]] = {}) -> dict[str, RowsOrUnread]:
    """What ``rows`` and ``registry`` are when they have been read."""
    texts = {name: ({"ReturnValue": "0", "sValue": text},) for name, text in registry(vm).items()}
    found = {**rows(vm), **texts, **changes}
    return {name: one if isinstance(one, Unread) else tuple(one) for name, one in found.items()}


def windows_guest(*machines: str, seen: Mapping[str, RowsOrUnread] | Unread, way: str = WINRM) -> GuestRecord:
    reading = seen if isinstance(seen, Unread) else GuestReading(started=NOW, finished=NOW, answers=seen)
    return GuestRecord(name=way, machines=machines, reading=reading)
