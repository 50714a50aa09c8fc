"""The table: on which system a failover address is applied inside the guest, by which package, and who says so.

Microsoft's words *Static IP Injection* and *Key-Value Pair* are rows of its pages on each distribution; the rest is
what packages hold. Nothing was tried on Hyper-V. ``docs/failover-address.md`` shows the table as it stands here.
"""

from __future__ import annotations

from dataclasses import replace

from compliance.model import Stack
from compliance.rules.evidence.system import Daemon, Says, Source, System, Told

LEARN = "https://learn.microsoft.com/windows-server/virtualization/hyper-v"


def _page(of: str, file: str) -> Source:
    return Source(f"Microsoft's page on {of}", f"{LEARN}/supported-{file}-virtual-machines-on-hyper-v")


WINDOWS_PAGE = Source(
    "Microsoft's page on Windows guests", f"{LEARN}/supported-windows-guest-operating-systems-for-hyper-v-on-windows"
)
INJECTION_POST = Source(
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
ALL_PAGES = Source(
    "no page of Microsoft's", f"{LEARN}/supported-linux-and-freebsd-virtual-machines-for-hyper-v-on-windows"
)
RED_HAT_SPEC = Source("the spec of RHEL 10's hyperv-daemons, with its patches")
FEDORA_SPEC = Source("the spec of Fedora's hyperv-daemons 6.10")
DEBIAN_12_PACKAGE = Source(
    "Debian 12's hyperv-daemons 6.1.192, opened", "https://packages.debian.org/bookworm/hyperv-daemons"
)
DEBIAN_13_PACKAGE = Source(
    "Debian 13's hyperv-daemons 6.12.117, opened", "https://packages.debian.org/trixie/hyperv-daemons"
)
UBUNTU_SCRIPT = Source(
    "the script of Ubuntu's kernel, as Endless keeps it",
    "https://github.com/endlessm/linux/blob/27b0df0b/debian/cloud-tools/hv_set_ifconfig",
)
NETPLAN_REPORT = Source("Microsoft's LISA, issue 707", "https://github.com/microsoft/lisa/issues/707")
SUSE_SPEC = Source("the spec of SUSE's hyper-v 7")
FREEBSD_SCRIPT = Source("FreeBSD's contrib/hyperv/tools/scripts/hv_set_ifconfig")
AZURE_SPEC = Source(
    "the spec of Azure Linux's hyperv-daemons",
    "https://github.com/microsoft/azurelinux/blob/HEAD/SPECS/hyperv-daemons/hyperv-daemons.spec",
)

WINDOWS_SERVICE = Daemon(package="built in", service="vmickvpexchange", writes_for=(Stack.WINDOWS,))
RED_HAT_DAEMON = Daemon(
    package="hyperv-daemons (hypervkvpd)",
    service="hypervkvpd.service",
    path="/usr/sbin/hypervkvpd",
    script="/usr/libexec/hypervkvpd/hv_set_ifconfig",
    writes_for=(Stack.IFCFG,),
)
RED_HAT_NEW_DAEMON = replace(RED_HAT_DAEMON, writes_for=(Stack.NETWORK_MANAGER,))
FEDORA_DAEMON = replace(RED_HAT_DAEMON, path="/usr/sbin/hv_kvp_daemon", writes_for=(Stack.IFCFG, Stack.NETWORK_MANAGER))
DEBIAN_DAEMON = Daemon(
    package="hyperv-daemons",
    service="hv-kvp-daemon.service",
    path="/usr/sbin/hv_kvp_daemon",
    script="/usr/libexec/hypervkvpd/hv_set_ifconfig",
    brings_script=False,
)
UBUNTU_DAEMON = Daemon(
    package="linux-cloud-tools-virtual",
    service="hv-kvp-daemon.service",
    path="/usr/sbin/hv_kvp_daemon",
    script="/usr/sbin/hv_set_ifconfig",
    writes_for=(Stack.IFUPDOWN,),
)
SUSE_DAEMON = Daemon(
    package="hyper-v",
    service="hv_kvp_daemon.service",
    path="/usr/lib/hyper-v/bin/hv_kvp_daemon",
    script="/usr/lib/hyper-v/bin/hv_set_ifconfig",
)
FREEBSD_DAEMON = Daemon(
    package="the base system",
    service="started by devd; hv_kvpd in older ones",
    path="/usr/sbin/hv_kvp_daemon",
    script="/usr/libexec/hyperv/hv_set_ifconfig",
    writes_for=(Stack.RC_CONF,),
)

NOT_LISTED = "not listed"
NOT_MANAGED = "NetworkManager does not manage the adapter"
GIVE_IT_TO_IFCFG = (
    "Let a file below /etc/sysconfig/network-scripts own the adapter, with NM_CONTROLLED=no, and try a test failover."
)
GIVE_IT_TO_IFUPDOWN = (
    "Describe the adapter in /etc/network/interfaces, with ifupdown installed and netplan's file for it removed, and "
    "try a test failover."
)
BRING_A_SCRIPT = (
    "Put an executable /usr/libexec/hypervkvpd/hv_set_ifconfig into the guest that writes for its network stack, and "
    "try a test failover; or let something else set the address, such as DHCP with a reservation at the replica's site."
)

_RED_HAT = System(
    distribution="Red Hat Enterprise Linux, CentOS",
    versions="",
    names=(
        "red hat enterprise linux",
        "red hat enterprise linux server",
        "red hat enterprise linux workstation",
        "red hat enterprise linux client",
        "red hat enterprise linux computenode",
        "centos",
        "centos linux",
        "centos stream",
    ),
    says=Says.WORKS_IF,
    injection="yes, note 2",
    data_exchange="yes",
    why=NOT_MANAGED,
    advice=GIVE_IT_TO_IFCFG,
    daemon=RED_HAT_DAEMON,
    sources=(RED_HAT_PAGE,),
)
_RED_HAT_NEW = replace(
    _RED_HAT,
    why=(
        "NetworkManager manages the adapter, for which the script of this version writes; Microsoft's page still says "
        "that it may fail there"
    ),
    advice="The two sources disagree: try a test failover.",
    daemon=RED_HAT_NEW_DAEMON,
    sources=(RED_HAT_PAGE, RED_HAT_SPEC),
)
_ORACLE = System(
    distribution="Oracle Linux",
    versions="",
    names=("oracle linux", "oracle linux server"),
    says=Says.WORKS_IF,
    injection="yes, note 2",
    data_exchange="yes",
    why=NOT_MANAGED,
    advice=GIVE_IT_TO_IFCFG,
    sources=(ORACLE_PAGE,),
)
_DEBIAN = System(
    distribution="Debian",
    versions="",
    names=("debian gnu/linux",),
    says=Says.KNOWN_NOT,
    injection=NOT_LISTED,
    data_exchange=NOT_LISTED,
    why="its hyperv-daemons package brings no hv_set_ifconfig script, which its daemon calls",
    advice=BRING_A_SCRIPT,
    daemon=DEBIAN_DAEMON,
)
_UBUNTU = System(
    distribution="Ubuntu",
    versions="",
    names=("ubuntu",),
    says=Says.WORKS_IF,
    injection="yes, note 1",
    data_exchange="yes, notes 5 and 9",
    why=(
        "ifupdown owns the adapter: the script edits /etc/network/interfaces, which netplan, there since 17.10, "
        "does not read"
    ),
    advice=GIVE_IT_TO_IFUPDOWN,
    daemon=UBUNTU_DAEMON,
    sources=(UBUNTU_PAGE, UBUNTU_SCRIPT, NETPLAN_REPORT),
)
_SUSE = System(
    distribution="SUSE Linux Enterprise Server",
    versions="",
    names=("sles", "sles_sap", "suse linux enterprise server"),
    says=Says.WORKS_IF,
    injection="yes, note 1",
    data_exchange="yes",
    why=NOT_MANAGED,
    advice="Let wicked own the adapter, and try a test failover.",
    daemon=SUSE_DAEMON,
    sources=(SUSE_PAGE, SUSE_SPEC),
)
_FREEBSD = System(
    distribution="FreeBSD",
    versions="",
    names=("freebsd",),
    says=Says.WORKS_IF,
    injection="yes, note 4",
    data_exchange="yes",
    why="it is the first adapter's address: the script writes none but hn0 to rc.conf, so others lose it at a restart",
    advice="Have one adapter, with an IPv4 failover address, or write rc.conf after a failover.",
    told=Told.VERSION,
    takes_ipv6=False,
    daemon=FREEBSD_DAEMON,
    sources=(FREEBSD_PAGE, FREEBSD_SCRIPT),
)


def _windows(versions: str, *names: str, **changes: object) -> System:
    known = System(
        distribution="Windows",
        versions=versions,
        names=names,
        says=Says.WORKS,
        injection="no row for Windows",
        data_exchange="built in",
        told=Told.VERSION,
        daemon=WINDOWS_SERVICE,
        sources=(WINDOWS_PAGE, INJECTION_POST),
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # of a row


def _silent(row: System, versions: str, why: str = "", **changes: object) -> System:
    """What Microsoft's page leaves out of a distribution that it has, and no package was opened for."""
    values = {"says": Says.NO_STATEMENT, "injection": NOT_LISTED, "data_exchange": NOT_LISTED, "advice": "", **changes}
    return replace(row, versions=versions, why=why, **values)  # type: ignore[arg-type]  # of a row


def _unlisted(distribution: str, *names: str, why: str = "", daemon: Daemon | None = None, source: Source) -> System:
    return System(
        distribution=distribution,
        versions="",
        names=names,
        says=Says.NO_STATEMENT,
        injection=NOT_LISTED,
        data_exchange=NOT_LISTED,
        why=why,
        daemon=daemon,
        sources=(source,),
    )


SYSTEMS: tuple[System, ...] = (
    _windows(
        "Server 2012, 2012 R2, 2016, 2019, 2022, 2025",
        *(f"windows server {year}*" for year in ("2012", "2012 r2", "2016", "2019", "2022", "2025")),
    ),
    _windows("8.1, 10, 11", "windows 8.1*", "windows 10*", "windows 11*"),
    _windows(
        "Server 2008 SP2, Server 2008 R2 SP1",
        "windows server 2008*",
        "windows server 2008 r2*",
        "windows server (r) 2008*",
        says=Says.WORKS_IF,
        data_exchange="by Windows Update",
        why="it has SP2 (2008) or SP1 (2008 R2), and all critical updates since",
        advice="Install all critical Windows updates.",
    ),
    _windows(
        "7 SP1",
        "windows 7*",
        says=Says.WORKS_IF,
        data_exchange="after an upgrade",
        why="it has SP1, and its integration services were upgraded after setup",
        advice="Upgrade the integration services in the guest.",
    ),
    _silent(_windows("", "windows*"), "in other versions", data_exchange=NOT_LISTED, sources=(WINDOWS_PAGE,)),
    replace(_RED_HAT_NEW, versions="10", since=(10,), before=(11,)),
    replace(_RED_HAT_NEW, versions="9.5 and later 9", since=(9, 5), before=(10,)),
    replace(_RED_HAT, versions="8, 9.0 to 9.4", since=(8,), before=(9, 5)),
    replace(_RED_HAT, versions="7", since=(7,), before=(8,), data_exchange="yes, note 4: hyperv-daemons installed"),
    _silent(_RED_HAT, "in other versions"),
    replace(_ORACLE, versions="9.0", since=(9,), before=(9, 1)),
    replace(_ORACLE, versions="8.0 to 8.5", since=(8,), before=(8, 6)),
    replace(_ORACLE, versions="7.3 to 7.8", since=(7, 3), before=(7, 9)),
    replace(_ORACLE, versions="6.8 to 6.10", since=(6, 8), before=(6, 11), data_exchange="yes, notes 10 and 11"),
    _silent(_ORACLE, "in other versions"),
    replace(_DEBIAN, versions="13", since=(13,), before=(14,), sources=(DEBIAN_13_PACKAGE,)),
    replace(_DEBIAN, versions="12", since=(12,), before=(13,), sources=(DEBIAN_12_PACKAGE,)),
    replace(
        _DEBIAN,
        versions="10, 11",
        since=(10,),
        before=(12,),
        injection="no",
        data_exchange="yes, note 2: installed by hand",
        why="Microsoft's page leaves static IP injection out, and in later versions the script that sets it is missing",
        sources=(DEBIAN_PAGE, DEBIAN_12_PACKAGE),
    ),
    _silent(_DEBIAN, "in other versions", "in 12 and 13 the script that sets it is missing", sources=(DEBIAN_PAGE,)),
    replace(_UBUNTU, versions="20.10 and later", since=(20, 5), injection=NOT_LISTED, data_exchange=NOT_LISTED),
    replace(_UBUNTU, versions="17.10 to 20.04", since=(17, 10), before=(20, 5)),
    replace(
        _UBUNTU,
        versions="14.04 to 17.04",
        since=(14, 4),
        before=(17, 10),
        why="ifupdown owns the adapter, as on an installed server: the script edits /etc/network/interfaces, "
        "which NetworkManager does not read",
        sources=(UBUNTU_PAGE, UBUNTU_SCRIPT),
    ),
    _silent(_UBUNTU, "in other versions", sources=(UBUNTU_PAGE,)),
    replace(_SUSE, versions="15", since=(15,), before=(16,)),
    replace(_SUSE, versions="12 SP1 to SP4", since=(12, 1), before=(12, 5)),
    replace(
        _SUSE,
        versions="11 SP3, SP4",
        since=(11,),
        before=(12,),
        data_exchange="yes, note 7",
        why=f"it has SP3 or SP4, and {NOT_MANAGED}",
    ),
    _silent(_SUSE, "in other versions"),
    replace(_FREEBSD, versions="10, 11, 12", since=(10,), before=(13,)),
    replace(
        _FREEBSD, versions="9.1 to 9.3", since=(9, 1), before=(9, 4), injection="yes", data_exchange="yes, from ports"
    ),
    replace(_FREEBSD, versions="8.4", since=(8, 4), before=(8, 5), injection="yes", data_exchange="yes, from ports"),
    _silent(_FREEBSD, "in other versions", "its script is likely that of 12", sources=(FREEBSD_PAGE,)),
    _unlisted(
        "Fedora",
        "fedora",
        "fedora linux",
        why="its package brings a script that writes for both NetworkManager and ifcfg files",
        daemon=FEDORA_DAEMON,
        source=FEDORA_SPEC,
    ),
    _unlisted(
        "Azure Linux",
        "azure linux",
        "common base linux mariner",
        why="its package brings a script of its own",
        source=AZURE_SPEC,
    ),
    _unlisted("Rocky Linux", "rocky linux", why="it rebuilds Red Hat Enterprise Linux", source=ALL_PAGES),
    _unlisted("AlmaLinux", "almalinux", why="it follows Red Hat Enterprise Linux", source=ALL_PAGES),
    _unlisted("Amazon Linux", "amazon linux", "amazon linux ami", source=ALL_PAGES),
    _unlisted("Photon OS", "vmware photon os", "vmware photon", source=ALL_PAGES),
    _unlisted("openSUSE", "opensuse", "opensuse leap", "opensuse tumbleweed", source=ALL_PAGES),
)
OTHER = _unlisted("any other system", source=ALL_PAGES)
"""What the table does not know. Its name was read all the same."""
