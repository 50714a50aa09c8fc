"""What a real sshd lets us see: this machine, Debian's own package, and layouts rebuilt from packages' specs."""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.child import Children
from compliance.gather.guests.unix import read_guest
from compliance.hyperv.guests.unix import read_unix
from compliance.inventory.entries import Limits
from compliance.model import Daemon, InnerAdapter, InsideUnix, Script, Stack, Takes, Unread
from tests.guests.sshd import Sshd, sshd
from tests.guests.trees import DEBIAN, MAC, RED_HAT, STAND_IN, UBUNTU, Program, Tree, downloaded, enter, grown, unit

GUID = "5F2B1A3C-0000-4000-8000-0123456789AB"
POOL = "".join(
    text.ljust(size, "\0")
    for pair in (("PhysicalHostName", "HV01"), ("VirtualMachineId", GUID), ("VirtualMachineName", "sql01"))
    for text, size in zip(pair, (512, 2048), strict=True)
)


def look(server: Sshd) -> InsideUnix:
    reading = read_guest(server.entry(), None, Limits(), lambda: datetime.now(UTC), Children())
    found = read_unix("ssh://guest", reading.sections)
    assert isinstance(found, InsideUnix), found
    return found


def look_into(tree: Tree, tools: Path, folder: Path, package: Path | None = None) -> InsideUnix:
    root = grown(tree, tools, folder / "tree", package)
    with sshd(folder / "sshd", instead=enter(tree, root)) as server:
        return look(server)


def test_this_machine_is_not_on_hyper_v(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd") as server:
        found = look(server)
        assert (server.connections, server.logins) == (2, 1)  # one was the fixture's own, to see that it listens
    if found.on_hyperv is True:
        pytest.skip("this machine is on Hyper-V itself")
    assert found.kernel == f"{platform.system()} {platform.release()}"
    assert (found.device, found.daemon, found.machine_id) == (False, None, None)
    assert found.adapters
    assert not any(adapter.synthetic for adapter in found.adapters)


def test_debians_own_package_brings_no_script(tools: Path, tmp_path: Path) -> None:
    found = look_into(DEBIAN, tools, tmp_path, downloaded(tmp_path))
    assert (found.on_hyperv, found.driver, found.device) == (True, True, True)
    assert (found.distribution, found.version) == ("Debian GNU/Linux", "12")
    assert found.daemon == Daemon(
        program="/usr/sbin/hv_kvp_daemon",
        package="hyperv-daemons",
        running=True,
        at_boot=True,
        unit="hv-kvp-daemon.service",
        script="/usr/libexec/hypervkvpd/hv_set_ifconfig",
        script_state=Script.MISSING,
        hands_over=1,
        confined="ProtectSystem=full and CapabilityBoundingSet without CAP_NET_ADMIN",
    )
    assert found.adapters == (InnerAdapter(name="eth0", mac=MAC, synthetic=True, stacks=(Stack.IFUPDOWN,)),)


def test_debians_service_shuts_its_daemon_in(tools: Path, tmp_path: Path) -> None:
    """What the stand-in `systemctl` says of it stands in the package."""
    root = grown(DEBIAN, tools, tmp_path / "tree", downloaded(tmp_path))
    lines = (root / "usr/lib/systemd/system/hv-kvp-daemon.service").read_text().splitlines()
    assert {"ProtectSystem=full", "CapabilityBoundingSet="} <= set(lines)


def test_debians_daemon_is_started_by_debians_udev_rule_too(tools: Path, tmp_path: Path) -> None:
    service = unit("hv-kvp-daemon.service", state="disabled")
    tree = replace(DEBIAN, files={**DEBIAN.files, "/usr/bin/systemctl": service})
    found = look_into(tree, tools, tmp_path, downloaded(tmp_path))
    assert found.daemon
    assert found.daemon.at_boot is True


def test_a_working_set_rebuilt_after_red_hats(tools: Path, tmp_path: Path) -> None:
    tree = replace(RED_HAT, files={**RED_HAT.files, "/var/lib/hyperv/.kvp_pool_3": POOL})
    found = look_into(tree, tools, tmp_path)
    assert found.daemon == Daemon(
        program="/usr/sbin/hypervkvpd",
        package="hypervkvpd 0-0.49.20220731git.el10",
        running=True,
        at_boot=True,
        unit="hypervkvpd.service",
        script="/usr/libexec/hypervkvpd/hv_set_ifconfig",
        script_state=Script.THERE,
        writes=(Stack.NETWORK_MANAGER,),
        takes=Takes(least=2),
        hands_over=2,
        calls_ifup=False,
    )
    assert found.adapters[0].stacks == (Stack.NETWORK_MANAGER,)
    assert found.machine_id == GUID


def test_a_script_that_writes_for_another_stack_rebuilt_after_ubuntus(tools: Path, tmp_path: Path) -> None:
    found = look_into(UBUNTU, tools, tmp_path)
    assert found.daemon
    assert found.daemon.script == "/usr/sbin/hv_set_ifconfig"
    assert found.daemon.writes == (Stack.IFUPDOWN,)
    assert (found.daemon.hands_over, found.daemon.takes) == (1, Takes(most=1))
    assert found.adapters[0].stacks == (Stack.NETPLAN, Stack.NETWORKD)
    assert found.machine_id is None


def test_a_script_that_is_not_executable_and_a_device_that_is_missing(tools: Path, tmp_path: Path) -> None:
    files = {**RED_HAT.files, "/usr/libexec/hypervkvpd/hv_set_ifconfig": "#!/bin/sh\n"}
    found = look_into(Tree(files=files, devices=()), tools, tmp_path)
    assert found.daemon
    assert (found.daemon.script_state, found.device) == (Script.NOT_EXECUTABLE, False)


def test_a_tree_without_sys_says_nothing_of_hyper_v(tools: Path, tmp_path: Path) -> None:
    files = {name: content for name, content in RED_HAT.files.items() if not name.startswith("/sys")}
    found = look_into(Tree(files=files, links={}), tools, tmp_path)
    assert isinstance(found.on_hyperv, Unread)
    assert isinstance(found.driver, Unread)


def test_programs_of_the_guest_speak_as_we_read_whatever_the_accounts_language(tools: Path, tmp_path: Path) -> None:
    speaks = Program(f'{STAND_IN}echo "eth0:$LC_ALL"\n')
    root = grown(Tree(files={**RED_HAT.files, "/usr/bin/nmcli": speaks}), tools, tmp_path / "tree")
    more = "SetEnv LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8"
    with sshd(tmp_path / "sshd", instead=enter(RED_HAT, root), more=more) as server:
        reading = read_guest(server.entry(), None, Limits(), lambda: datetime.now(UTC), Children())
    assert reading.sections["networkmanager"] == "eth0:C"
