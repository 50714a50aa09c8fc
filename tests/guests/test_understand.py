"""What a guest's sections mean: tables of its forms, and any text at all."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import ReadError
from compliance.gather.guests.script import make_script, make_token, split_sections
from compliance.hyperv.guests.daemons import SCRIPT
from compliance.hyperv.guests.unix import NEEDED, OPTIONAL, read_unix
from compliance.model import Daemon, InnerAdapter, InsideUnix, Script, Stack, Takes, Unread
from tests.guests import replies

ETH0 = "adapter=eth0 mac=00:15:5d:01:02:03 driver=hv_netvsc"


def inside(**changes: str) -> InsideUnix:
    found = read_unix("ssh://guest", replies.sections(**changes))
    assert isinstance(found, InsideUnix), found
    return found


def daemon(**changes: str) -> Daemon:
    found = inside(**changes).daemon
    assert found
    return found


def test_a_working_guest() -> None:
    assert inside() == InsideUnix(
        connection="ssh://guest",
        system="Red Hat Enterprise Linux 10.0",
        distribution="Red Hat Enterprise Linux",
        version="10.0",
        kernel="Linux 6.12.0-55.el10",
        on_hyperv=True,
        platform="Microsoft Corporation Virtual Machine",
        driver=True,
        device=True,
        daemon=Daemon(
            program="/usr/sbin/hypervkvpd",
            package="hypervkvpd 0-0.49.el10",
            running=True,
            at_boot=True,
            unit="hypervkvpd.service",
            script=replies.SCRIPT,
            script_state=Script.THERE,
            writes=(Stack.NETWORK_MANAGER,),
            takes=Takes(least=2),
            hands_over=2,
            calls_ifup=False,
        ),
        adapters=(
            InnerAdapter(
                name="eth0", mac="00155D010203", synthetic=True, stacks=(Stack.NETWORK_MANAGER,), dynamic=False
            ),
        ),
        stacks=(Stack.NETWORK_MANAGER,),
    )


# what differs -> what of the guest, or of its daemon
PLATFORMS: list[tuple[dict[str, str], str, Any]] = [
    ({"platform": "sys_vendor=QEMU\nproduct_name=Standard PC"}, "on_hyperv", False),
    ({"platform": ""}, "on_hyperv", False),
    ({"platform": "sys=no"}, "on_hyperv", Unread("/sys is not there, as in a container")),
    ({"platform": "sys_vendor=Microsoft Corporation\nproduct_name=Surface Pro"}, "on_hyperv", False),
    ({"platform": "sys=no\nvm_guest=hv", "system": "kernel=FreeBSD 13.2-RELEASE"}, "on_hyperv", True),
    ({"driver": ""}, "driver", False),
    ({"driver": "", "platform": "sys=no"}, "driver", Unread("/sys is not there, as in a container")),
    ({"driver": "device=/dev/hv_kvp_dev", "system": "kernel=FreeBSD 13.2-RELEASE"}, "driver", True),
    ({"driver": "hv_utils=yes"}, "device", False),
    (
        {"pool": "pool=read\nVirtualMachineId\n5f2b1a3c-0000-4000-8000-0123456789ab"},
        "machine_id",
        "5F2B1A3C-0000-4000-8000-0123456789AB",
    ),
    ({"pool": "pool=read\nVirtualMachineId\nsql01"}, "machine_id", Unread("the pool of Data Exchange holds no GUID")),
    ({"pool": "pool=read\nVirtualMachineId"}, "machine_id", None),
    ({"pool": "closed=yes"}, "machine_id", Unread("the pool of Data Exchange is closed to this account")),
    ({"log": ""}, "log", Unread("the kernel's log is closed to this account")),
    (
        {"log": "kernel=read\nline=KVP: IP injection functionality not available"},
        "log",
        ("KVP: IP injection functionality not available",),
    ),
    ({"log": "line=x\nline=x"}, "log", ("x",)),
    ({"system": "kernel=Linux 6\nPRETTY_NAME=Some\u0007thing"}, "system", "Some\\u0007thing"),
    ({"system": f"kernel=Linux 6\nPRETTY_NAME={'x' * 4000}"}, "system", "x" * 299 + "…"),
    ({"processes": "list=read", "programs": "", "units": ""}, "daemon", None),
]
DAEMONS: list[tuple[dict[str, str], str, Any]] = [
    ({"processes": "list=read", "units": ""}, "running", False),
    ({"processes": "", "units": "Id=a.service\nLoadState=loaded\nActiveState=active"}, "running", True),
    (
        {"processes": "list=read", "units": "Id=a.service\nLoadState=loaded\nActiveState=active"},
        "running",
        Unread("its service is active, but none of the processes that were seen is the daemon's"),
    ),
    ({"processes": "comm=hypervkvpd\nline=\nlist=read", "units": ""}, "running", False),
    ({"processes": "comm=x\nline=\ncomm=x\nline=/x -n\nlist=read", "units": ""}, "running", True),
    ({"processes": "comm=hv_kvp_daemon\nlist=read", "units": ""}, "running", True),
    ({"processes": "", "units": "Id=a.service\nLoadState=loaded\nActiveState=failed"}, "running", False),
    (
        {"processes": "", "units": ""},
        "running",
        Unread("this account sees no other accounts' processes, and no systemd tells"),
    ),
    ({"units": ""}, "at_boot", Unread("neither systemd nor a link of an init script tells")),
    ({"units": "", "boot": "link=/etc/rc3.d/S20hv-kvp-daemon"}, "at_boot", True),
    ({"units": "Id=a.service\nLoadState=loaded\nUnitFileState=disabled"}, "at_boot", False),
    (
        {
            "units": "Id=a.service\nLoadState=loaded\nUnitFileState=static",
            "boot": 'udev=ENV{SYSTEMD_WANTS}+="a.service"',
        },
        "at_boot",
        True,
    ),
    (
        {
            "units": "Id=a.service\nLoadState=loaded\nUnitFileState=static",
            "boot": 'udev=ENV{SYSTEMD_WANTS}+="b.service"',
        },
        "at_boot",
        False,
    ),
    (
        {"units": "Id=a.service\nLoadState=masked\nUnitFileState=masked", "boot": 'udev=SYSTEMD_WANTS "a.service"'},
        "at_boot",
        False,
    ),
    (
        {"units": "Id=a.service\nLoadState=loaded\nUnitFileState="},
        "at_boot",
        Unread("its service is in no state that systemd tells"),
    ),
    (
        {"units": "Id=a.service\nLoadState=loaded\nUnitFileState=enabled\nProtectSystem=full"},
        "confined",
        "ProtectSystem=full",
    ),
    (
        {"units": "Id=a.service\nLoadState=loaded\nUnitFileState=enabled\nProtectSystem=strict\nReadWritePaths=/etc"},
        "confined",
        "",
    ),
    (
        {"units": "Id=a.service\nLoadState=loaded\nReadOnlyPaths=/etc /boot\nReadWritePaths=/var"},
        "confined",
        "ReadOnlyPaths=/etc",
    ),
    (
        {
            "units": "Id=a.service\nLoadState=loaded\nReadOnlyPaths=-/etc\n"
            "ReadWritePaths=/etc/NetworkManager/system-connections"
        },
        "confined",
        "",
    ),
    ({"units": "Id=a.service\nLoadState=loaded\nReadOnlyPaths=/etc/sysconfig"}, "confined", ""),
    (
        {"units": "Id=a.service\nLoadState=loaded\nProtectSystem=full", "scripts": ""},
        "confined",
        "ProtectSystem=full",
    ),
    (
        {
            "units": "Id=a.service\nLoadState=loaded\nProtectSystem=strict\nReadWritePaths=/etc/network",
        },
        "confined",
        "ProtectSystem=strict",
    ),
    (
        {
            "units": "Id=a.service\nLoadState=loaded\nProtectSystem=strict",
            "scripts": replies.script("nmcli"),
            "lines": "",
        },
        "confined",
        "",
    ),
    (
        {"units": "Id=a.service\nLoadState=loaded\nCapabilityBoundingSet="},
        "confined",
        "CapabilityBoundingSet without CAP_NET_ADMIN",
    ),
    ({"units": "Id=a.service\nLoadState=loaded\nCapabilityBoundingSet=cap_chown cap_net_admin"}, "confined", ""),
    ({"programs": "program=/usr/sbin/hypervkvpd\npackage=file /x is not owned by any package"}, "package", None),
    ({"programs": "program=/usr/sbin/hypervkvpd\npackage=hyperv-daemons: /x"}, "package", "hyperv-daemons"),
    ({"scripts": ""}, "script_state", Script.MISSING),
    ({"scripts": f"script={replies.SCRIPT}\ncontent=read"}, "script_state", Script.NOT_EXECUTABLE),
    (
        {"scripts": f"closed={replies.SCRIPT}"},
        "script_state",
        Unread(f"the folder of {replies.SCRIPT} is closed to this account"),
    ),
    (
        {"scripts": f"script={replies.SCRIPT}\nexecutable=yes"},
        "writes",
        Unread(f"{replies.SCRIPT} can't be read by this account"),
    ),
    (
        {"scripts": f"script={replies.SCRIPT}\nexecutable=yes\ncontent=read"},
        "writes",
        Unread(f"{replies.SCRIPT} names no file or tool of a network stack that we know"),
    ),
    (
        {
            "scripts": f"script={replies.SCRIPT}\nexecutable=yes\ncontent=read\n"
            "writes=sysconfig/network-scripts\nwrites=nmcli"
        },
        "writes",
        (Stack.NETWORK_MANAGER,),
    ),
    (
        {"programs": "program=/a\nstrings=read"},
        "script",
        Unread("which script the daemon calls can't be seen: its program can't be read, or names none"),
    ),
    ({"programs": "program=/a\nstring=exec %s %s\nstring=hv_set_ifconfig"}, "script", SCRIPT),
    (
        {
            "programs": "program=/a\nstring=exec %s %s\nstring=hv_set_ifconfig",
            "scripts": "script=/usr/sbin/hv_set_ifconfig",
        },
        "script",
        "/usr/sbin/hv_set_ifconfig",
    ),
    (
        {"programs": "program=/a\nstring=sh /usr/libexec/hyperv/hv_set_ifconfig %s"},
        "script",
        "/usr/libexec/hyperv/hv_set_ifconfig",
    ),
    ({"programs": "program=/a\nstring=/usr/libexec/hypervkvpd/%s %s %s"}, "script", replies.SCRIPT),
    ({"programs": "program=/a\n\nprogram=/b\nstring=/b/%s %s"}, "script", "/b/hv_set_ifconfig"),
    (
        {"programs": "program=/a\nstring=/a/%s %s\nprogram=/b\nstring=/b/%s %s", "processes": "comm=x\nline=/b -n"},
        "program",
        "/b",
    ),
    ({"programs": ""}, "program", "/usr/sbin/hypervkvpd"),
]
HANDED_OVER: list[tuple[str, int | None]] = [
    ("string=/usr/libexec/hypervkvpd/%s %s", 1),
    ("string=/usr/libexec/hypervkvpd/%s %s\nstring=/usr/libexec/hypervkvpd/%s %s %s", 2),
    ("string=/usr/sbin/%s %s %s", 2),
    ("string=exec /usr/sbin/%s %s %s 2>&1", 2),
    ("string=%s %s\nstring=hv_set_ifconfig", 1),
    ("string=%s %s %s\nstring=hv_set_ifconfig", 2),
    ("string=/usr/sbin/%s %s\nstring=%s %s %s", 1),
    ("string=sh /usr/libexec/hyperv/hv_set_ifconfig\nstring=%s %s", 1),
    ("string=hv_set_ifconfig\nstring=Failed: %d %s", None),
    ("strings=read", None),
]
NO_STACK = {"networkmanager": ""}
STACKS: list[tuple[dict[str, str], tuple[Stack, ...]]] = [
    ({"networkmanager": "eth0:unmanaged"}, ()),
    ({"networkmanager": "eth0:connected (externally)"}, ()),
    ({"networkmanager": "eth1:connected"}, ()),
    ({**NO_STACK, "networkd": "  2 eth0 ether routable configured"}, (Stack.NETWORKD,)),
    ({**NO_STACK, "networkd": "  2 eth0 ether routable unmanaged"}, ()),
    (
        {**NO_STACK, "networkd": "  2 eth0 ether routable configured", "netplan": "/etc/netplan/1.yaml"},
        (Stack.NETPLAN, Stack.NETWORKD),
    ),
    ({"netplan": "/etc/netplan/1.yaml"}, (Stack.NETWORK_MANAGER, Stack.NETPLAN)),
    ({**NO_STACK, "ifupdown": "iface eth0 inet static"}, (Stack.IFUPDOWN,)),
    ({**NO_STACK, "ifupdown": "iface eth10 inet static"}, ()),
    ({**NO_STACK, "ifcfg": "/etc/sysconfig/network-scripts/ifcfg-eth0"}, (Stack.IFCFG,)),
    ({**NO_STACK, "ifcfg": "/etc/sysconfig/network/ifcfg-eth0\nwicked=active"}, (Stack.WICKED,)),
    ({**NO_STACK, "ifcfg": "/etc/sysconfig/network/ifcfg-eth0"}, ()),
]


@pytest.mark.parametrize(("changes", "name", "wanted"), PLATFORMS)
def test_the_guest(changes: dict[str, str], name: str, wanted: object) -> None:
    assert getattr(inside(**changes), name) == wanted


@pytest.mark.parametrize(("changes", "name", "wanted"), DAEMONS)
def test_the_daemon(changes: dict[str, str], name: str, wanted: object) -> None:
    assert getattr(daemon(**changes), name) == wanted


@pytest.mark.parametrize(("strings", "count"), HANDED_OVER)
def test_how_many_files_a_daemon_hands_over(strings: str, count: int | None) -> None:
    assert daemon(programs=f"program=/usr/sbin/hv_kvp_daemon\n{strings}").hands_over == count


@pytest.mark.parametrize(("changes", "wanted"), STACKS)
def test_what_configures_an_adapter(changes: dict[str, str], wanted: tuple[Stack, ...]) -> None:
    assert inside(**changes).adapters[0].stacks == wanted


@pytest.mark.parametrize(
    ("addresses", "wanted"),
    [
        ("2: eth0    inet 10.1.0.20/24 scope global dynamic eth0", True),
        ("2: eth1    inet 10.1.0.20/24 scope global dynamic eth1", None),
        ("ifconfig_hn0=DHCP", None),
        ("", None),
    ],
)
def test_static_or_by_dhcp(addresses: str, wanted: bool | None) -> None:
    assert inside(addresses=addresses).adapters[0].dynamic is wanted


SBIN = (
    f"script=/sbin/{SCRIPT}\nfolder=/usr/sbin\nline=[ $# -eq 1 ] || exit 1\nscript=/usr/sbin/{SCRIPT}\nfolder=/usr/sbin"
)


def test_a_script_is_printed_once_where_its_folder_has_two_names() -> None:
    found = daemon(
        programs="program=/a\nstring=/usr/sbin/%s %s",
        scripts=replies.script("/etc/network/interfaces", path=f"/usr/sbin/{SCRIPT}"),
        lines=SBIN,
    )
    assert found.takes == Takes(most=1)


@pytest.mark.parametrize(
    ("lines", "doubt"),
    [
        ("", "the lines of /usr/libexec/hypervkvpd/hv_set_ifconfig were not read"),
        (
            replies.lines(*["x" * 150] * 24),
            "/usr/libexec/hypervkvpd/hv_set_ifconfig is longer than what we read of a script",
        ),
        (replies.lines("x") + "\n" * 8200, "the lines of /usr/libexec/hypervkvpd/hv_set_ifconfig were not read"),
    ],
)
def test_a_script_that_was_not_read_to_its_end_is_doubtful(lines: str, doubt: str) -> None:
    assert daemon(lines=lines).takes == Takes(doubt=doubt)


def test_freebsd() -> None:
    found = inside(
        system="kernel=FreeBSD 13.2-RELEASE\nNAME=FreeBSD\nVERSION_ID=13.2",
        platform="vm_guest=hv",
        driver="device=/dev/hv_kvp_dev",
        units="",
        boot="link=/etc/devd/hyperv.conf",
        adapters="adapter=hn0 mac=00:15:5d:01:02:03 driver=hn",
        addresses='ifconfig_hn0="DHCP"',
    )
    assert found.is_freebsd
    assert found.daemon
    assert found.daemon.at_boot is True
    assert found.adapters == (
        InnerAdapter(name="hn0", mac="00155D010203", synthetic=True, stacks=(Stack.RC_CONF,), dynamic=True),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"adapters": "x" * 9000}, "its answer's section `adapters` is longer than what we read of one"),
        ({"system": ""}, "it does not say what its kernel is"),
    ],
)
def test_what_is_not_whole_says_nothing(changes: dict[str, str], reason: str) -> None:
    assert read_unix("w", replies.sections(**changes)) == Unread(reason)


@pytest.mark.parametrize("name", NEEDED)
def test_no_section_may_be_missing(name: str) -> None:
    found = replies.sections()
    del found[name]
    assert read_unix("w", found) == Unread(f"its answer has no section `{name}`: read it again")


def test_the_script_says_what_is_needed_and_nothing_else() -> None:
    names = [line.split()[1] for line in make_script("x").splitlines() if line.startswith("at ")]
    assert [name for name in names if name not in OPTIONAL] == [*NEEDED, "end"]
    assert set(OPTIONAL) <= set(names)


lines = st.one_of(
    st.sampled_from(
        [ETH0, "program=/a", "string=%s %s", "Id=", "VirtualMachineId", "a:b", " 2 eth0 a b c", "=", "iface "]
    ),
    st.text(max_size=30),
)


@given(st.fixed_dictionaries({name: st.lists(lines, max_size=6).map("\n".join) for name in NEEDED}))
def test_any_text_is_understood_or_not_read(texts: dict[str, str]) -> None:
    found = read_unix("w", {**texts, "system": f"kernel=x\n{texts['system']}"})
    assert isinstance(found, InsideUnix | Unread)
    if isinstance(found, InsideUnix) and found.daemon:
        assert found.daemon.program.isprintable()


# --- the output as it comes -------------------------------------------------------------------------------------------


def test_tokens_are_never_the_same() -> None:
    assert len({make_token() for _ in range(100)}) == 100


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_what_stands_before_and_behind_is_none_of_ours(before: bytes, behind: bytes) -> None:
    output = before + b"\nT system\nkernel=x\n\nT end\n" + behind
    assert split_sections(output, "T") == {"system": "kernel=x"}


@given(st.lists(st.sampled_from([b"T system", b"T end", b"T boot", b"T Boot!", b"T", b"x", b""]), max_size=8))
def test_any_order_is_told_or_right(parts: list[bytes]) -> None:
    with suppress(ReadError):
        assert next(iter(split_sections(b"\n".join(parts), "T"))) == "system"
