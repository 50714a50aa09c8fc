"""The table: on which system a failover address is applied inside the guest, by which package, and who says so.

Microsoft's words *Static IP Injection* and *Key-Value Pair* are rows of its pages on each distribution; the rest is
what packages hold. Nothing was tried on Hyper-V. ``docs/systems.md`` shows the table as it stands here.
"""

from __future__ import annotations

from dataclasses import replace

from compliance.rules.evidence.packages import (
    ALL_PAGES,
    AZURE_SPEC,
    DEBIAN_12_PACKAGE,
    DEBIAN_13_PACKAGE,
    DEBIAN_DAEMON,
    DEBIAN_PAGE,
    FEDORA_DAEMON,
    FEDORA_SPEC,
    FREEBSD_DAEMON,
    FREEBSD_PAGE,
    FREEBSD_SCRIPT,
    INJECTION_POST,
    NETPLAN_REPORT,
    OPENSUSE_SPEC,
    SUSE_DAEMON,
    SUSE_PAGE,
    SUSE_SPEC,
    UBUNTU_DAEMON,
    UBUNTU_PAGE,
    UBUNTU_SCRIPT,
    WINDOWS_PAGE,
    WINDOWS_SERVICE,
)
from compliance.rules.evidence.red_hat import RED_HAT_ROWS
from compliance.rules.evidence.row import NOT_LISTED, NOT_MANAGED, UNLISTED, changed, silent
from compliance.rules.evidence.system import Citation, PackagedDaemon, Statement, System, VersionItem

GIVE_IT_TO_IFUPDOWN = (
    "Describe the adapter in /etc/network/interfaces, with ifupdown installed and netplan's file for it removed; or "
    "put a script of your own at /usr/sbin/hv_set_ifconfig that writes for netplan. Then try a test failover."
)
BRING_A_SCRIPT = (
    "Put an executable /usr/libexec/hypervkvpd/hv_set_ifconfig into the guest that writes for its network stack, and "
    "try a test failover; or let something else set the address, such as DHCP with a reservation at the replica's site."
)
_DEBIAN = System(
    distribution="Debian",
    versions="",
    names=("debian gnu/linux",),
    statement=Statement.KNOWN_NOT,
    injection=NOT_LISTED,
    data_exchange=NOT_LISTED,
    why="its hyperv-daemons package brings no hv_set_ifconfig script, which its daemon calls",
    advice=BRING_A_SCRIPT,
    daemon=DEBIAN_DAEMON,
)
TWO_FILES = (
    "from kernel 6.6 on its daemon may hand over two files, and its script ends unless it gets exactly one: with "
    "ifupdown, too, look inside"
)
_UBUNTU = System(
    distribution="Ubuntu",
    versions="",
    names=("ubuntu",),
    statement=Statement.NOT_AS_INSTALLED,
    injection="yes, note 1",
    data_exchange="yes, notes 5 and 9",
    why=("netplan configures its adapters, and its script writes /etc/network/interfaces, which netplan does not read"),
    advice=GIVE_IT_TO_IFUPDOWN,
    daemon=UBUNTU_DAEMON,
    sources=(UBUNTU_PAGE, UBUNTU_SCRIPT, NETPLAN_REPORT),
)
_SUSE = System(
    distribution="SUSE Linux Enterprise Server",
    versions="",
    names=("sles", "sles_sap", "suse linux enterprise server"),
    statement=Statement.WORKS_IF,
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
    statement=Statement.WORKS_IF,
    injection="yes, note 4",
    data_exchange="yes",
    why="its failover address is that of its first adapter, hn0",
    notes=("the script writes none but hn0 to rc.conf, so that other adapters lose theirs at the next restart",),
    advice="Have one adapter, with an IPv4 failover address, or write rc.conf after a failover.",
    version_in=VersionItem.VERSION,
    takes_ipv6=False,
    daemon=FREEBSD_DAEMON,
    sources=(FREEBSD_PAGE, FREEBSD_SCRIPT),
)


def _windows(versions: str, *names: str, **changes: object) -> System:
    known = System(
        distribution="Windows",
        versions=versions,
        names=names,
        statement=Statement.WORKS,
        injection="no row for Windows",
        data_exchange="built in",
        version_in=VersionItem.VERSION,
        daemon=WINDOWS_SERVICE,
        sources=(WINDOWS_PAGE, INJECTION_POST),
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # of a row


def _unlisted(
    distribution: str, *names: str, why: str = "", daemon: PackagedDaemon | None = None, source: Citation
) -> System:
    return System(
        distribution=distribution,
        versions="",
        names=names,
        statement=Statement.NO_STATEMENT,
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
        statement=Statement.WORKS_IF,
        data_exchange="by Windows Update",
        why="it has SP2 (2008) or SP1 (2008 R2), and all critical updates since",
        advice="Install all critical Windows updates.",
    ),
    _windows(
        "7 SP1",
        "windows 7*",
        statement=Statement.WORKS_IF,
        data_exchange="after an upgrade",
        why="it has SP1, and its integration services were upgraded after setup",
        advice="Upgrade the integration services in the guest.",
    ),
    silent(_windows("", "windows*"), "in other versions", data_exchange=NOT_LISTED, sources=(WINDOWS_PAGE,)),
    *RED_HAT_ROWS,
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
    silent(_DEBIAN, "in other versions", "in 12 and 13 the script that sets it is missing", sources=(DEBIAN_PAGE,)),
    changed(_UBUNTU, versions="24.04 and later", since=(24, 4), notes=(TWO_FILES,), **UNLISTED),
    changed(_UBUNTU, versions="20.10 to 23.10", since=(20, 5), before=(24, 4), **UNLISTED),
    replace(_UBUNTU, versions="17.10 to 20.04", since=(17, 10), before=(20, 5)),
    replace(
        _UBUNTU,
        versions="14.04 to 17.04",
        since=(14, 4),
        before=(17, 10),
        statement=Statement.WORKS_IF,
        why="ifupdown configures its adapter, as on an installed server",
        notes=("its script edits /etc/network/interfaces, which NetworkManager does not read",),
        sources=(UBUNTU_PAGE, UBUNTU_SCRIPT),
    ),
    silent(_UBUNTU, "in other versions", sources=(UBUNTU_PAGE,)),
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
    silent(_SUSE, "in other versions"),
    replace(_FREEBSD, versions="10, 11, 12", since=(10,), before=(13,)),
    replace(
        _FREEBSD, versions="9.1 to 9.3", since=(9, 1), before=(9, 4), injection="yes", data_exchange="yes, from ports"
    ),
    replace(_FREEBSD, versions="8.4", since=(8, 4), before=(8, 5), injection="yes", data_exchange="yes, from ports"),
    silent(_FREEBSD, "in other versions", "its script is likely that of 12", sources=(FREEBSD_PAGE,)),
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
    _unlisted("Amazon Linux", "amazon linux", "amazon linux ami", source=ALL_PAGES),
    _unlisted("Photon OS", "vmware photon os", "vmware photon", source=ALL_PAGES),
    _unlisted("openSUSE", "opensuse", "opensuse leap", "opensuse tumbleweed", source=OPENSUSE_SPEC),
)
OTHER = _unlisted("any other system", source=ALL_PAGES)
"""What the table does not know. Its name was read all the same."""
