"""Roots of guests for tests: Debian's own tools in all of them, and on top what makes a guest one on Hyper-V.

Nothing here runs on Hyper-V, and no service runs at all. What a kernel or a running service would show is written into
the tree, and programs that would tell of it are stand-ins: they print what their namesake prints, and say so in their
first line. Where a tree is called *rebuilt*, its layout comes from the packages' specs and scripts, not from a package.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TOOLS = "sh grep sed head tail cat ls uname tr sort cut readlink xargs timeout env sleep dpkg-query"
MAC = "00155D010203"
STAND_IN = "#!/bin/sh\n# A stand-in of these tests: no service runs in this tree.\n"

HYPERV = {
    "/sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
    "/sys/class/dmi/id/product_name": "Virtual Machine\n",
    "/sys/bus/vmbus/drivers/hv_utils/uevent": "",
    "/sys/class/net/lo/address": "00:00:00:00:00:00\n",
    "/sys/class/net/eth0/address": "00:15:5d:01:02:03\n",
    "/proc/1/comm": "systemd\n",
}
LINKS = {"/sys/class/net/eth0/device/driver": "../../../bus/vmbus/drivers/hv_netvsc"}


@dataclass(frozen=True)
class Program:
    """A file that may be executed."""

    content: str | bytes


def stand_in(prints: str) -> Program:
    return Program(f"{STAND_IN}cat <<'END'\n{prints}\nEND\n")


def running(program: str, comm: str) -> dict[str, str]:
    return {"/proc/321/comm": f"{comm}\n", "/proc/321/cmdline": f"{program}\0-n\0"}


def unit(name: str, *, active: str = "active", state: str = "enabled", more: str = "ProtectSystem=no") -> Program:
    """`systemctl show` of the three names that the daemon's service has, one of which is there."""
    there = f"Id={name}\nLoadState=loaded\nActiveState={active}\nUnitFileState={state}\n{more}"
    missing = "Id=other.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState="
    return stand_in(f"{missing}\n\n{there}")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """What lies above the tools. ``devices``: names below /dev that are character devices."""

    files: Mapping[str, str | Program] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=lambda: LINKS)
    devices: tuple[str, ...] = ("vmbus/hv_kvp",)


def base(folder: Path) -> Path:
    """A root with the tools and their libraries, as they are on this machine."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "sys", "tmp"):
        (folder / name).mkdir()
    for tool in TOOLS.split():
        path = shutil.which(tool)
        assert path, tool
        shutil.copy(path, folder / "usr" / "bin" / tool)
        for word in subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout.split():
            if word.startswith("/"):
                _copied(Path(word), folder)
    return folder


def _copied(library: Path, folder: Path) -> None:
    usr = folder / ("usr" + str(library) if not str(library).startswith("/usr") else str(library)[1:])
    usr.parent.mkdir(parents=True, exist_ok=True)
    if not usr.exists():
        shutil.copy(library.resolve(), usr)


def grown(tree: Tree, tools: Path, folder: Path, package: Path | None = None) -> Path:
    """The tree as files; ``package``: one of Debian's, unpacked into it."""
    subprocess.run(["cp", "-al", str(tools), str(folder)], check=True)
    if package:
        _unpacked(package, folder)
    for name, content in tree.files.items():
        path = folder / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        text = content.content if isinstance(content, Program) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if isinstance(content, Program):
            path.chmod(0o755)
    for name, target in tree.links.items():
        path = folder / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    for name in ("null", *tree.devices):
        path = folder / "dev" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def enter(tree: Tree, folder: Path) -> str:
    """A command that runs what a login asks for with ``folder`` as its root. Anybody may, in namespaces of their own;
    this machine's null device is the one that stands for each of the tree's."""
    mounts = [f"mount --bind /dev/null {shlex.quote(str(folder / 'dev' / name))}" for name in ("null", *tree.devices)]
    script = folder.parent / f"{folder.name}.enter"
    command = f'exec /usr/sbin/chroot {shlex.quote(str(folder))} /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    script.write_text("\n".join(["#!/bin/sh", "set -e", *mounts, command, ""]), "utf-8")
    return f"unshare -r -m /bin/sh {shlex.quote(str(script))}"


def downloaded(folder: Path, package: str = "hyperv-daemons") -> Path:
    """A package of Debian's archive, by the ordinary client."""
    if not shutil.which("apt-get"):
        pytest.skip("apt-get is not there to download Debian's hyperv-daemons")
    subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, capture_output=True, check=False)
    found = list(folder.glob(f"{package}_*.deb"))
    if not found:
        pytest.skip("apt-get can't download Debian's hyperv-daemons (is there a network, and was apt-get update run?)")
    return found[0]


def _unpacked(package: Path, folder: Path) -> None:
    """Its files, and of dpkg's database what dpkg would have written of them."""
    there = folder.parent / f"{folder.name}.package"
    subprocess.run(["dpkg-deb", "-x", str(package), str(there)], check=True)
    names = sorted("/" + str(path.relative_to(there)) for path in there.rglob("*"))
    lib = there / "lib"
    if lib.is_dir():  # merged: /lib is /usr/lib
        shutil.copytree(lib, folder / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(lib)
    shutil.copytree(there, folder, symlinks=True, dirs_exist_ok=True)
    database = folder / "var" / "lib" / "dpkg"
    (database / "info").mkdir(parents=True)
    fields = subprocess.run(["dpkg-deb", "-f", str(package)], capture_output=True, text=True, check=True).stdout
    status = fields.replace("\nVersion:", "\nStatus: install ok installed\nVersion:")
    (database / "status").write_text(status, "utf-8")
    (database / "info" / "hyperv-daemons.list").write_text("\n".join(names) + "\n", "utf-8")


# --- guests -----------------------------------------------------------------------------------------------------------


def release(name: str, version: str, pretty: str) -> dict[str, str]:
    return {"/etc/os-release": f'PRETTY_NAME="{pretty}"\nNAME="{name}"\nVERSION_ID="{version}"\n'}


DEBIAN = Tree(
    files={
        **HYPERV,
        **release("Debian GNU/Linux", "12", "Debian GNU/Linux 12 (bookworm)"),
        **running("/usr/sbin/hv_kvp_daemon", "hv_kvp_daemon"),
        "/usr/bin/systemctl": unit("hv-kvp-daemon.service", more="ProtectSystem=full\nCapabilityBoundingSet="),
        "/run/systemd/system/x": "",
        "/etc/network/interfaces": "auto eth0\niface eth0 inet static\n",
        "/usr/sbin/ifup": stand_in(""),
    }
)
"""With Debian's own package unpacked in it; its service's settings are the package's."""

NMCLI_SCRIPT = (
    "#!/bin/bash\n# as RHEL 10's writes a keyfile, and makes NetworkManager load it\n"
    'if [ -z "$2" ]; then\n    echo "No input NM keyfile. Exiting!"\n    exit 1\nfi\n'
    'cp $2 /etc/NetworkManager/system-connections/\nnmcli connection load "/etc/NetworkManager/x"\n'
)

RED_HAT = Tree(
    files={
        **HYPERV,
        **release("Red Hat Enterprise Linux", "10.0", "Red Hat Enterprise Linux 10.0 (Coughlan)"),
        **running("/usr/sbin/hypervkvpd", "hypervkvpd"),
        "/usr/sbin/hypervkvpd": Program(
            b"\x7fELF\0\0/usr/libexec/hypervkvpd/%s %s\0/usr/libexec/hypervkvpd/%s %s %s\0hv_set_ifconfig\0\0"
        ),
        "/usr/libexec/hypervkvpd/hv_set_ifconfig": Program(NMCLI_SCRIPT),
        "/usr/bin/systemctl": unit("hypervkvpd.service"),
        "/usr/bin/rpm": stand_in("hypervkvpd 0-0.49.20220731git.el10"),
        "/usr/bin/nmcli": stand_in("eth0:connected\nlo:connected (externally)"),
        "/var/lib/hyperv/.kvp_pool_3": "",  # a test writes it
    }
)
"""Rebuilt from the spec of RHEL 10's hyperv-daemons: everything that an address needs."""

UBUNTU_SCRIPT = (
    "#!/usr/bin/env python3\nif_filename='/etc/network/interfaces'\nif len(sys.argv) != 2 :\n    exit(errno.EINVAL)\n"
)
UBUNTU = Tree(
    files={
        **HYPERV,
        **release("Ubuntu", "22.04", "Ubuntu 22.04.4 LTS"),
        "/usr/bin/uname": Program(
            f"{STAND_IN}case $1 in -s) echo Linux;; -r) echo 5.15.0-91-generic;; "
            "*) echo Linux 5.15.0-91-generic;; esac\n"
        ),
        **running("/usr/lib/linux-tools/5.15.0-91-generic/hv_kvp_daemon", "hv_kvp_daemon"),
        "/usr/sbin/hv_kvp_daemon": Program("#!/bin/bash\nexec /usr/lib/linux-tools/`uname -r`/hv_kvp_daemon\n"),
        "/usr/lib/linux-tools/5.15.0-91-generic/hv_kvp_daemon": Program(b"\x7fELF\0%s %s\0hv_set_ifconfig\0"),
        "/usr/sbin/hv_set_ifconfig": Program(UBUNTU_SCRIPT),
        "/usr/bin/systemctl": unit("hv-kvp-daemon.service"),
        "/usr/bin/networkctl": stand_in("  1 lo   loopback carrier  unmanaged\n  2 eth0 ether    routable configured"),
        "/etc/netplan/50-cloud-init.yaml": "network: {}\n",
    }
)
"""Rebuilt from Ubuntu's kernel's rules and script: netplan owns the adapter, the script writes for ifupdown."""
