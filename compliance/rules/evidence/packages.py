"""Who says what of guests' systems, and what distributions' packages hold: the parts of the table's rows."""

from __future__ import annotations

from dataclasses import replace

from compliance.model import Stack
from compliance.rules.evidence.system import Citation, PackagedDaemon

LEARN = "https://learn.microsoft.com/windows-server/virtualization/hyper-v"


def _page(of: str, file: str) -> Citation:
    return Citation(f"Microsoft's page on {of}", f"{LEARN}/supported-{file}-virtual-machines-on-hyper-v")


WINDOWS_PAGE = Citation(
    "Microsoft's page on Windows guests", f"{LEARN}/supported-windows-guest-operating-systems-for-hyper-v-on-windows"
)
INJECTION_POST = Citation(
    "Hyper-V's developers on IP injection (2012)",
    "https://github.com/MicrosoftDocs/Virtualization-Documentation/blob/main/virtualization/community/team-blog/2012/"
    "20120528-inject-ip-address-into-the-vm-during-failover.md",
)
RED_HAT_PAGE = _page("CentOS and Red Hat", "centos-and-red-hat-enterprise-linux")
ORACLE_PAGE = _page("Oracle Linux", "oracle-linux")
DEBIAN_PAGE = _page("Debian", "debian")
SUSE_PAGE = _page("SUSE", "suse")
UBUNTU_PAGE = _page("Ubuntu", "ubuntu")
FREEBSD_PAGE = _page("FreeBSD", "freebsd")
ALL_PAGES = Citation(
    "no page of Microsoft's", f"{LEARN}/supported-linux-and-freebsd-virtual-machines-for-hyper-v-on-windows"
)
OPENELA_SPECS = Citation(
    "OpenELA's hyperv-daemons, branches el-8.8 and el-9.3, which distributions after Red Hat's build",
    "https://github.com/openela-main/hyperv-daemons",
)
RED_HAT_SPEC = Citation("the spec of RHEL 10's hyperv-daemons, with its patches")
FEDORA_SPEC = Citation("the spec of Fedora's hyperv-daemons 6.10")
DEBIAN_12_PACKAGE = Citation(
    "Debian 12's hyperv-daemons 6.1.192, opened", "https://packages.debian.org/bookworm/hyperv-daemons"
)
DEBIAN_13_PACKAGE = Citation(
    "Debian 13's hyperv-daemons 6.12.117, opened", "https://packages.debian.org/trixie/hyperv-daemons"
)
UBUNTU_SCRIPT = Citation(
    "the script in Ubuntu's kernel (endlessm/linux)",
    "https://github.com/endlessm/linux/blob/27b0df0b/debian/cloud-tools/hv_set_ifconfig",
)
NETPLAN_REPORT = Citation("issue 707 of Microsoft's LISA", "https://github.com/microsoft/lisa/issues/707")
SUSE_SPEC = Citation("the spec of SUSE's hyper-v 7")
OPENSUSE_SPEC = Citation("the spec of openSUSE's hyper-v 9")
FREEBSD_SCRIPT = Citation("FreeBSD's contrib/hyperv/tools/scripts/hv_set_ifconfig")
AZURE_SPEC = Citation(
    "the spec of Azure Linux's hyperv-daemons",
    "https://github.com/microsoft/azurelinux/blob/HEAD/SPECS/hyperv-daemons/hyperv-daemons.spec",
)

WINDOWS_SERVICE = PackagedDaemon(package="built in", service="vmickvpexchange", writes_for=(Stack.WINDOWS,))
RED_HAT_DAEMON = PackagedDaemon(
    package="hyperv-daemons (hypervkvpd)",
    service="hypervkvpd.service",
    path="/usr/sbin/hypervkvpd",
    script="/usr/libexec/hypervkvpd/hv_set_ifconfig",
    writes_for=(Stack.IFCFG,),
)
RED_HAT_LOADING_DAEMON = replace(RED_HAT_DAEMON, writes_for=(Stack.NETWORK_MANAGER,), form="an ifcfg file")
RED_HAT_KEYFILE_DAEMON = replace(RED_HAT_DAEMON, writes_for=(Stack.NETWORK_MANAGER,), form="a keyfile")
FEDORA_DAEMON = replace(RED_HAT_DAEMON, path="/usr/sbin/hv_kvp_daemon", writes_for=(Stack.IFCFG, Stack.NETWORK_MANAGER))
DEBIAN_DAEMON = PackagedDaemon(
    package="hyperv-daemons",
    service="hv-kvp-daemon.service",
    path="/usr/sbin/hv_kvp_daemon",
    script="/usr/libexec/hypervkvpd/hv_set_ifconfig",
    brings_script=False,
)
UBUNTU_DAEMON = PackagedDaemon(
    package="linux-cloud-tools-virtual",
    service="hv-kvp-daemon.service",
    path="/usr/sbin/hv_kvp_daemon",
    script="/usr/sbin/hv_set_ifconfig",
    writes_for=(Stack.IFUPDOWN,),
)
SUSE_DAEMON = PackagedDaemon(
    package="hyper-v",
    service="hv_kvp_daemon.service",
    path="/usr/lib/hyper-v/bin/hv_kvp_daemon",
    script="/usr/lib/hyper-v/bin/hv_set_ifconfig",
)
FREEBSD_DAEMON = PackagedDaemon(
    package="the base system",
    service="started by devd; hv_kvpd in older ones",
    path="/usr/sbin/hv_kvp_daemon",
    script="/usr/libexec/hyperv/hv_set_ifconfig",
    writes_for=(Stack.RC_CONF,),
)
