"""The table of guests' systems: every row has a source, and what a guest publishes finds its row, or none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.model import Answer, Guest, Stack, Unread
from compliance.rules.evidence.find import LONGEST, find
from compliance.rules.evidence.system import Citation, Statement, System
from compliance.rules.evidence.table import OTHER, SYSTEMS
from tests.docs.systems import page
from tests.hosts import freebsd, linux

ROWS = (*SYSTEMS, OTHER)


def guest(items: dict[str, str]) -> Guest:
    return Guest(
        answer=Answer.OK,
        os_name=items.get("OSName") or None,
        os_version=items.get("OSVersion") or None,
        os_major=items.get("OSMajorVersion") or None,
        os_build=items.get("OSBuildNumber") or None,
    )


def windows(name: str, version: str) -> dict[str, str]:
    return {"OSName": name, "OSVersion": version, "OSMajorVersion": version.split(".")[0], "OSBuildNumber": "1"}


# --- the data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_says_who_says_so(row: System) -> None:
    assert row.sources
    assert all(source.name and source.link.startswith(("https://", "")) for source in row.sources)
    if row.injection.startswith(("yes", "no,")) or row.injection == "no":
        assert any("Microsoft's page" in source.name for source in row.sources)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_says_what_it_must(row: System) -> None:
    assert row.distribution
    assert row.injection
    assert row.data_exchange
    assert bool(row.why) or row.statement in (Statement.WORKS, Statement.NO_STATEMENT)
    assert bool(row.advice) is (row.statement not in (Statement.WORKS, Statement.NO_STATEMENT))
    assert not row.why.endswith(".")
    assert row.advice == "" or row.advice.endswith(".")
    assert all(name == " ".join(name.casefold().split()) for name in row.names)
    assert row.since <= row.before or not row.before


@pytest.mark.parametrize("row", [row for row in ROWS if row.daemon], ids=str)
def test_a_daemon_says_what_it_calls(row: System) -> None:
    daemon = row.daemon
    assert daemon
    assert daemon.package
    assert daemon.service
    if daemon.writes_for == (Stack.WINDOWS,):
        assert (daemon.path, daemon.script) == ("", "")
    else:
        assert daemon.path.startswith("/")
        assert daemon.script.endswith("/hv_set_ifconfig")
        assert daemon.brings_script or not daemon.writes_for


def test_what_works_has_a_script_and_what_is_known_not_to_has_none() -> None:
    for row in ROWS:
        if row.daemon and row.statement is Statement.KNOWN_NOT:
            assert not row.daemon.brings_script
        if row.statement in (Statement.WORKS, Statement.WORKS_IF):
            assert row.daemon is None or row.daemon.brings_script


def test_the_rows_of_one_name_tell_their_version_in_one_place_and_never_overlap() -> None:
    for name in {name for row in SYSTEMS for name in row.names}:
        rows = [row for row in SYSTEMS if name in row.names]
        assert len({row.version_in for row in rows}) == 1
        ranges = sorted((row.since, row.before or (10**9,)) for row in rows if not row.any_version)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(ranges)), name
        assert [row.any_version for row in rows].count(True) <= 1
        assert not rows[-1].since or len(rows) == 1, f"{name}: what the others leave out comes last"


def test_the_tables_of_the_page_are_the_data() -> None:
    text = page()
    assert all(f"| {row} |" in text for row in ROWS)
    assert all(source.link in text for row in ROWS for source in row.sources)


def test_a_source_is_its_name() -> None:
    assert str(Citation("a page", "https://example.org")) == "a page"


# --- what guests publish ----------------------------------------------------------------------------------------------

PUBLISHED: list[tuple[dict[str, str], str, Statement]] = [
    (windows("Windows Server 2022 Datacenter", "10.0.20348"), "Windows Server 2012,", Statement.WORKS),
    (windows("Windows Server 2025 Standard Evaluation", "10.0.26100"), "Windows Server 2012,", Statement.WORKS),
    (windows("Windows Server 2012 R2 Standard", "6.3.9600"), "Windows Server 2012,", Statement.WORKS),
    (windows("Microsoft Windows Server 2016", "10.0.14393"), "Windows Server 2012,", Statement.WORKS),
    (windows("Windows 10 Pro", "10.0.19045"), "Windows 8.1, 10", Statement.WORKS),
    (windows("Windows 8.1 Enterprise", "6.3.9600"), "Windows 8.1, 10", Statement.WORKS),
    (windows("Windows 8 Pro", "6.2.9200"), "Windows in other", Statement.NO_STATEMENT),
    (windows("Windows Server 2008 R2 Enterprise", "6.1.7601"), "Windows Server 2008", Statement.WORKS_IF),
    (windows("Windows Server (R) 2008 Standard", "6.0.6002"), "Windows Server 2008", Statement.WORKS_IF),
    (windows("Windows 7 Professional", "6.1.7601"), "Windows 7", Statement.WORKS_IF),
    (windows("Windows Vista (TM) Business", "6.0.6002"), "Windows in other", Statement.NO_STATEMENT),
    (windows("Windows Server Datacenter", "10.0.25398"), "Windows in other", Statement.NO_STATEMENT),
    (windows("Windows Server 20220", "10.0.1"), "Windows in other", Statement.NO_STATEMENT),
    (linux("Red Hat Enterprise Linux", "10.0"), "Red Hat Enterprise Linux, CentOS 10", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "9.5"), "Red Hat Enterprise Linux, CentOS 9.5", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "9.10"), "Red Hat Enterprise Linux, CentOS 9.5", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "9.4"), "Red Hat Enterprise Linux, CentOS 9.0 to 9.4", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "9.0"), "Red Hat Enterprise Linux, CentOS 9.0 to 9.4", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "9"), "Red Hat Enterprise Linux, CentOS 9 without", Statement.WORKS_IF),
    (linux("CentOS Stream", "9"), "Red Hat Enterprise Linux, CentOS 9 without", Statement.WORKS_IF),
    (linux("CentOS Stream", "10"), "Red Hat Enterprise Linux, CentOS 10", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "8.10"), "Red Hat Enterprise Linux, CentOS 8.7", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "8.7"), "Red Hat Enterprise Linux, CentOS 8.7", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux", "8.6"), "Red Hat Enterprise Linux, CentOS 8.0 to 8.6", Statement.WORKS_IF),
    (linux("CentOS Linux", "8"), "Red Hat Enterprise Linux, CentOS 8 without", Statement.WORKS_IF),
    (linux("Red Hat Enterprise Linux Server", "7.9"), "Red Hat Enterprise Linux, CentOS 7", Statement.WORKS_IF),
    (linux("CentOS release 6.8 (Final)", ""), "Red Hat Enterprise Linux, CentOS in other", Statement.NO_STATEMENT),
    (linux("CentOS Linux release 7.9.2009 (Core)", ""), "Red Hat Enterprise Linux, CentOS 7", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "8.5"), "Oracle Linux 8.0", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "8.9"), "Oracle Linux 8.7", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "8.6"), "Oracle Linux 8.6", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "9.0"), "Oracle Linux 9.0", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "9.3"), "Oracle Linux 9.1 to 9.4", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "9.6"), "Oracle Linux 9.5", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "10.0"), "Oracle Linux 10", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "7.9"), "Oracle Linux in other", Statement.NO_STATEMENT),
    (linux("Oracle Linux Server", "7.8"), "Oracle Linux 7.3", Statement.WORKS_IF),
    (linux("Oracle Linux Server", "6.10"), "Oracle Linux 6.8", Statement.WORKS_IF),
    (linux("Debian GNU/Linux", "13"), "Debian 13", Statement.KNOWN_NOT),
    (linux("Debian GNU/Linux", "12"), "Debian 12", Statement.KNOWN_NOT),
    (linux("Debian GNU/Linux", "11"), "Debian 10, 11", Statement.KNOWN_NOT),
    (linux("Debian GNU/Linux", "9"), "Debian in other", Statement.NO_STATEMENT),
    (linux("Debian GNU/Linux", "14"), "Debian in other", Statement.NO_STATEMENT),
    (linux("Ubuntu", "24.04"), "Ubuntu 24.04", Statement.NOT_AS_INSTALLED),
    (linux("Ubuntu", "22.04"), "Ubuntu 20.10", Statement.NOT_AS_INSTALLED),
    (linux("Ubuntu", "20.04"), "Ubuntu 17.10", Statement.NOT_AS_INSTALLED),
    (linux("Ubuntu", "16.04"), "Ubuntu 14.04", Statement.WORKS_IF),
    (linux("Ubuntu", "12.04"), "Ubuntu in other", Statement.NO_STATEMENT),
    (linux("SLES", "15.5"), "SUSE Linux Enterprise Server 15", Statement.WORKS_IF),
    (linux("SLES", "12.4"), "SUSE Linux Enterprise Server 12", Statement.WORKS_IF),
    (linux("SLES", "12.5"), "SUSE Linux Enterprise Server in other", Statement.NO_STATEMENT),
    (linux("SLES", "16.0"), "SUSE Linux Enterprise Server in other", Statement.NO_STATEMENT),
    (
        linux("SUSE Linux Enterprise Server 11 (x86_64)", "VERSION = 11"),
        "SUSE Linux Enterprise Server 11",
        Statement.WORKS_IF,
    ),
    (freebsd("12.4"), "FreeBSD 10, 11, 12", Statement.WORKS_IF),
    (freebsd("9.3-RELEASE-p5"), "FreeBSD 9.1", Statement.WORKS_IF),
    (freebsd("8.4"), "FreeBSD 8.4", Statement.WORKS_IF),
    (freebsd("13.2"), "FreeBSD in other", Statement.NO_STATEMENT),
    (linux("Fedora Linux", "41"), "Fedora", Statement.NO_STATEMENT),
    (linux("Fedora Linux", ""), "Fedora", Statement.NO_STATEMENT),
    (linux("Rocky Linux", "10.0"), "Rocky Linux, AlmaLinux 10", Statement.WORKS_IF),
    (linux("Rocky Linux", "9.5"), "Rocky Linux, AlmaLinux 9.5", Statement.WORKS_IF),
    (linux("Rocky Linux", "9.4"), "Rocky Linux, AlmaLinux 9.0 to 9.4", Statement.WORKS_IF),
    (linux("AlmaLinux", "9"), "Rocky Linux, AlmaLinux 9 without", Statement.WORKS_IF),
    (linux("AlmaLinux", "8.10"), "Rocky Linux, AlmaLinux 8.7", Statement.WORKS_IF),
    (linux("AlmaLinux", "8.5"), "Rocky Linux, AlmaLinux 8.0 to 8.6", Statement.WORKS_IF),
    (linux("Rocky Linux", "8"), "Rocky Linux, AlmaLinux 8 without", Statement.WORKS_IF),
    (linux("Rocky Linux", "11.0"), "Rocky Linux, AlmaLinux in other", Statement.NO_STATEMENT),
    (linux("Amazon Linux", "2023"), "Amazon Linux", Statement.NO_STATEMENT),
    (linux("VMware Photon OS", "5.0"), "Photon OS", Statement.NO_STATEMENT),
    (linux("Microsoft Azure Linux", "3.0"), "Azure Linux", Statement.NO_STATEMENT),
    (linux("openSUSE Leap", "15.5"), "openSUSE", Statement.NO_STATEMENT),
    (linux("Arch Linux", ""), "any other system", Statement.NO_STATEMENT),
    (linux("Hyper-V Server 2019", "10"), "any other system", Statement.NO_STATEMENT),
    (linux("  ubuntu  ", " 18.04 "), "Ubuntu 17.10", Statement.NOT_AS_INSTALLED),
    (linux("Ubuntu Core", "22"), "any other system", Statement.NO_STATEMENT),
    (linux("not Debian GNU/Linux", "12"), "any other system", Statement.NO_STATEMENT),
]


@pytest.mark.parametrize(("items", "row", "says"), PUBLISHED, ids=lambda value: str(value)[:60])
def test_what_a_guest_publishes_finds_its_row(items: dict[str, str], row: str, says: Statement) -> None:
    found = find(guest(items))
    assert isinstance(found, System)
    assert str(found).startswith(row)
    assert found.statement is says


def test_every_row_is_found_by_something_that_is_published() -> None:
    assert {str(find(guest(items))) for items, _, _ in PUBLISHED} == {str(row) for row in ROWS}


RED_HATS = ("Red Hat Enterprise Linux", "Oracle Linux Server", "Rocky Linux", "AlmaLinux", "CentOS Stream")


@given(st.sampled_from(RED_HATS), st.sampled_from([8, 9, 10]), st.none() | st.integers(0, 14))
def test_from_8_7_on_network_manager_has_to_manage_the_adapter(name: str, major: int, minor: int | None) -> None:
    """Its script makes NetworkManager load what it writes; keeping it off the adapter would lose the address."""
    found = find(guest(linux(name, f"{major}" if minor is None else f"{major}.{minor}")))
    assert isinstance(found, System)
    words = " ".join((found.why, found.advice, *found.notes))
    assert "NM_CONTROLLED=no" not in words
    assert "leaves its adapter alone" not in words
    managed = minor is None or (major, minor) >= (8, 7)
    if name != "Oracle Linux Server" or minor is not None:
        assert ("NetworkManager manages its adapter" in found.why) is managed


NOT_SAID: list[tuple[dict[str, str], str]] = [
    ({}, "published nothing about its operating system"),
    (linux("   ", "12"), "published nothing about its operating system"),
    (linux("Debian\x1b[2J GNU/Linux", "12"), "no name of one"),
    (linux("Debian GNU/Linux\u202e", "12"), "no name of one"),
    (linux("Ubuntu" * LONGEST, "22.04"), "no name of one"),
    (linux("Debian GNU/Linux", ""), "no version that can be read of Debian"),
    (linux("Debian GNU/Linux", "trixie/sid"), "no version that can be read of Debian"),
    (linux("Ubuntu", "２２.04"), "no version that can be read of Ubuntu"),
    (linux("Ubuntu", "9" * 5000), "no version that can be read of Ubuntu"),
    (linux("Ubuntu", "22.04\n"), ""),
    (linux("FreeBSD", "13.2"), ""),
]


@pytest.mark.parametrize(("items", "says"), NOT_SAID)
def test_what_can_t_be_read_is_no_row(items: dict[str, str], says: str) -> None:
    found = find(guest(items))
    if says:
        assert isinstance(found, Unread)
        assert says in found.reason
        assert found.reason.isprintable()
    else:
        assert isinstance(found, System)


def test_the_kernels_version_is_never_taken_for_the_distributions() -> None:
    found = find(Guest(answer=Answer.OK, os_name="Debian GNU/Linux", os_version="12.0.0", os_build="12.0.0-1-amd64"))
    assert isinstance(found, Unread)


names = st.text(max_size=200) | st.sampled_from([name.removesuffix("*") for row in SYSTEMS for name in row.names])
versions = st.none() | st.text(max_size=40) | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True)


@given(names, versions, versions)
@example("a " * 60 + "(", "1" * 100, None)
@example("x release 1 (" + "(" * 100, None, None)
def test_any_text_gives_a_row_or_none(name: str, version: str | None, major: str | None) -> None:
    found = find(Guest(answer=Answer.OK, os_name=name, os_version=version, os_major=major))
    assert isinstance(found, Unread) or found in ROWS


@given(st.sampled_from([name for row in SYSTEMS for name in row.names]), st.integers(0, 40), st.integers(0, 30))
def test_a_known_name_with_a_version_gives_a_row_of_its_own_distribution(name: str, major: int, minor: int) -> None:
    version = f"{major}.{minor}"
    found = find(Guest(answer=Answer.OK, os_name=name.removesuffix("*"), os_version=version, os_major=version))
    assert isinstance(found, System)
    assert name in found.names
