"""What a look into the guest says of its failover address, link by link; and what of it the founding rule takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Evidence, Judging, Unread
from compliance.rule import Outcome, Result, Rule
from compliance.rules.evidence.causes import Cause
from compliance.rules.failover import failover_ip_needs_integration_services as FOUNDING  # noqa: N812
from compliance.rules.guests import guest_can_apply_failover_ip
from compliance.rules.inside import guest_applies_failover_ip as RULE  # noqa: N812
from compliance.snapshot.snapshot import GuestRecord
from tests.builders import snapshot, source, with_text
from tests.guests.replies import SCRIPT, guest, lines, script, sections
from tests.host_rows import mac_of
from tests.hosts import Host, Nic, Vm, replica_of

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
SQL = Vm(name="sql01")
WAY = "ssh://audit@sql01.dr.example"
SEEN = f"seen inside the guest, by {WAY}"


def outcomes(
    *guests: GuestRecord, vm: Vm = SQL, rule: Rule = RULE, settings: Judging = Judging(), **replica: object
) -> dict[str, Outcome]:
    sources = (
        source(Host(name="HV01", vms=[Vm(name="other"), vm])),
        source(Host(name="HV02", vms=[replica_of(vm, **replica)])),
    )
    estate = translate(replace(snapshot(*sources, settings=settings), guests=guests))
    return {verdict.label: verdict.outcome for verdict in judge(estate, [rule])}


def only(vm: Vm = SQL, **changes: str) -> Outcome:
    return outcomes(guest("sql01", seen=sections(vm, **changes)), vm=vm)["hv01/sql01"]


DEBIAN = {
    "system": 'kernel=Linux 6.1.0-21-amd64\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n'
    'VERSION_ID="12"',
    "programs": "program=/usr/sbin/hv_kvp_daemon\npackage=hyperv-daemons: /x\nstrings=read\n"
    "string=/usr/libexec/hypervkvpd/%s %s\nstring=hv_set_ifconfig",
    "scripts": "",
    "units": "Id=hv-kvp-daemon.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
    "ProtectSystem=full",
    "networkmanager": "",
    "ifupdown": "interfaces=yes\nifup=yes\niface eth0 inet static",
}
UBUNTU = {
    "system": 'kernel=Linux 5.15.0-91-generic\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"',
    "scripts": f"script={SCRIPT}\nexecutable=yes\ncontent=read\nwrites=/etc/network/interfaces",
    "networkmanager": "",
    "networkd": "  2 eth0 ether routable configured",
    "netplan": "/etc/netplan/50-cloud-init.yaml",
}
FREEBSD = {
    "system": "kernel=FreeBSD 12.4-RELEASE\nNAME=FreeBSD\nPRETTY_NAME=FreeBSD 12.4",
    "units": "",
    "boot": "link=/etc/devd/hyperv.conf",
    "networkmanager": "",
    "addresses": "ifconfig_hn0=x",
    "scripts": f"script={SCRIPT}\nexecutable=yes\ncontent=read\nwrites=rc.conf",
}
NO_DAEMON = {"processes": "list=read", "programs": "", "units": ""}
CONFINED = "Id=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nProtectSystem=full"
WRITES_IFCFG = f"script={SCRIPT}\nexecutable=yes\ncontent=read\nwrites=sysconfig/network-scripts"

KEYFILE, INTERFACES = "NetworkManager/system-connections", "/etc/network/interfaces"
OLD = f"script={SCRIPT}\nexecutable=yes\ncontent=read"
"""As versions before 0.2 read it: words, and no lines."""
ONE_FILE = {"programs": "program=/usr/sbin/hypervkvpd\nstring=/usr/libexec/hypervkvpd/%s %s"}
LOADS_IFCFG = {
    **ONE_FILE,
    "system": 'kernel=Linux 5.14.0-362.el9\nPRETTY_NAME="Red Hat Enterprise Linux 9.3"\nVERSION_ID="9.3"\n'
    'NAME="Red Hat Enterprise Linux"',
    "scripts": script("sysconfig/network-scripts", "nmcli"),
    "lines": lines(
        "cp $1 /etc/sysconfig/network-scripts/", "nmcli connection load x", "nmcli connection up filename x"
    ),
    "ifcfg": "/etc/sysconfig/network-scripts/ifcfg-eth0",
}
IFUPDOWN = {
    "scripts": script(INTERFACES),
    "lines": lines('if_filename="/etc/network/interfaces"', "if len(sys.argv) != 2 :", "exit(errno.EINVAL)"),
    "networkmanager": "",
    "ifupdown": "interfaces=yes\nifup=yes\niface eth0 inet static",
}
WRAPPER = {
    "system": UBUNTU["system"],
    "processes": "list=read",
    "programs": "program=/usr/sbin/hv_kvp_daemon\npackage=linux-cloud-tools-common: x\nstrings=read",
    "units": "Id=hv-kvp-daemon.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=enabled",
}
RPM = "program=/usr/sbin/hypervkvpd\nstring=/usr/libexec/hypervkvpd/%s %s\npackage="
Cases = dict[str, tuple[dict[str, str], Result, str, str]]

FILES: Cases = {
    "a keyfile script, and a daemon that hands over one file": (
        ONE_FILE,
        FAILED,
        f"its daemon hands over 1 file, and the script {SCRIPT} takes at least 2",
        "the daemon and the script of one package and version",
    ),
    "the same, as 0.1 read it": (
        {**ONE_FILE, "scripts": f"{OLD}\nwrites={KEYFILE}\nwrites=nmcli"},
        FAILED,
        "takes at least 2",
        "",
    ),
    "a keyfile script, and nobody knows what the daemon hands over": (
        {"programs": "program=/usr/sbin/hypervkvpd\nstring=/usr/libexec/hypervkvpd/hv_set_ifconfig"},
        UNKNOWN,
        "how many files its daemon hands over is not known",
        "",
    ),
    "Ubuntu's script with ifupdown, and two files": (
        IFUPDOWN,
        FAILED,
        "hands over 2 files",
        "change the script to take both files",
    ),
    "the same, as 0.1 read it, two files": (
        {**IFUPDOWN, "scripts": f"{OLD}\nwrites={INTERFACES}"},
        UNKNOWN,
        "Ubuntu's takes exactly one",
        "",
    ),
    "Ubuntu's script with ifupdown, and one file": ({**IFUPDOWN, **ONE_FILE}, PASSED, "writes for ifupdown", ""),
    "the same, as 0.1 read it, one file": (
        {**IFUPDOWN, **ONE_FILE, "scripts": f"{OLD}\nwrites={INTERFACES}"},
        PASSED,
        "writes for ifupdown",
        "",
    ),
    "lines that were to be read, and were not": (
        {**IFUPDOWN, "lines": ""},
        UNKNOWN,
        f"the lines of {SCRIPT} were not read",
        "",
    ),
    "an ifcfg file that nmcli loads": (LOADS_IFCFG, PASSED, "writes for NetworkManager", ""),
    "the same, as 0.1 read it, by nmcli": (
        {**LOADS_IFCFG, "scripts": f"{OLD}\nwrites=sysconfig/network-scripts\nwrites=nmcli"},
        PASSED,
        "writes for NetworkManager",
        "",
    ),
    "an ifcfg file that nmcli loads, and NM_CONTROLLED=no": (
        {**LOADS_IFCFG, "networkmanager": "eth0:unmanaged"},
        FAILED,
        "writes for NetworkManager, but eth0 is configured by ifcfg files",
        "let NetworkManager manage eth0: take NM_CONTROLLED=no out of its ifcfg file",
    ),
    "an ifcfg file that nothing loads": (
        {**LOADS_IFCFG, "scripts": script("sysconfig/network-scripts"), "lines": lines("cp $1 /etc/sysconfig/x")},
        FAILED,
        "which the script does not make load them",
        "nmcli connection load",
    ),
    "an ifcfg file, and ifup that is not there": (
        {**LOADS_IFCFG, "scripts": script("sysconfig/network-scripts"), "lines": lines("/sbin/ifup $interface")},
        FAILED,
        "the script calls ifup to make them count, and there is none",
        "update hyperv-daemons",
    ),
    "an ifcfg file, and ifup": (
        {
            **LOADS_IFCFG,
            "scripts": script("sysconfig/network-scripts"),
            "lines": lines("/sbin/ifup $interface"),
            "ifupdown": "ifup=yes",
        },
        PASSED,
        "writes for ifcfg files",
        "",
    ),
    "a keyfile that nothing loads": (
        {"scripts": script(KEYFILE), "lines": lines("cp $2 /etc/NetworkManager/system-connections/", "exit 0")},
        FAILED,
        "writes a connection and does not make NetworkManager load it, which configures eth0",
        "nmcli connection load",
    ),
    "the same, as 0.1 read it, nothing loads": (
        {"scripts": f"{OLD}\nwrites={KEYFILE}"},
        FAILED,
        "does not make NetworkManager load it",
        "nmcli connection load",
    ),
    "a keyfile that nmcli does something with": (
        {"scripts": script(KEYFILE, "nmcli"), "lines": lines("cp $2 /etc/x", 'nmcli device show "$dev"')},
        UNKNOWN,
        "makes NetworkManager load the connection that it writes is not known",
        "",
    ),
    "a keyfile, and NetworkManager started again": (
        {"scripts": script(KEYFILE), "lines": lines("cp $2 /etc/x", "systemctl restart NetworkManager")},
        PASSED,
        "",
        "",
    ),
    "no program for the kernel that runs": (
        WRAPPER,
        FAILED,
        "its kernel has no daemon of Data Exchange: the package linux-cloud-tools-5.15.0-91-generic is missing",
        "apt-get install linux-cloud-tools-5.15.0-91-generic, and linux-cloud-tools-generic",
    ),
    "the same, not from a package that dpkg knows": (
        {**WRAPPER, "programs": "program=/usr/sbin/hv_kvp_daemon\npackage=\nstrings=read\nwrapper=yes"},
        FAILED,
        "the package linux-cloud-tools-5.15.0-91-generic is missing",
        "",
    ),
    "the same, on Azure's kernel": (
        {**WRAPPER, "system": UBUNTU["system"].replace("5.15.0-91-generic", "6.8.0-1015-azure")},
        FAILED,
        "the package linux-cloud-tools-6.8.0-1015-azure is missing",
        "linux-cloud-tools-azure",
    ),
    "the program is there and does not run": (
        {
            **WRAPPER,
            "programs": f"{WRAPPER['programs']}\nprogram=/usr/lib/linux-tools/5.15.0-91-generic/hv_kvp_daemon\n"
            "strings=read\nstring=%s %s\nstring=hv_set_ifconfig",
        },
        FAILED,
        "the daemon /usr/sbin/hv_kvp_daemon does not run",
        "start hv-kvp-daemon.service",
    ),
    "a package with known faults": (
        {**LOADS_IFCFG, "programs": f"{RPM}hypervkvpd 0-0.39.20190303git.el9"},
        PASSED,
        "",
        "hypervkvpd 0-0.39.20190303git.el9 sets no default gateway: update it to 0-0.41.el9 or later",
    ),
    "another": (
        {**LOADS_IFCFG, "programs": f"{RPM}hypervkvpd 0-0.42.20190303git.el9"},
        PASSED,
        "",
        "gives an IPv6 address a wrong prefix: update it to 0-0.43.el9 or later",
    ),
    "one of RHEL 8": (
        {**LOADS_IFCFG, "programs": f"{RPM}hypervkvpd 0-0.33.20180415git.el8"},
        PASSED,
        "",
        "sets no default gateway: update it to 0-0.34.el8_7 or later",
    ),
}

# what differs -> outcome, a part of its finding, a part of a remark
CASES: Cases = {
    "all there": ({}, PASSED, "writes for NetworkManager, as eth0 needs", ""),
    "no driver": ({"driver": "device=x"}, FAILED, "its kernel has not loaded the driver hv_utils", "modprobe hv_utils"),
    "no device": ({"driver": "hv_utils=yes"}, FAILED, "/dev/vmbus/hv_kvp, is missing", "switch Data Exchange on"),
    "no daemon, Red Hat": (NO_DAEMON, FAILED, "is not installed", "install hyperv-daemons (hypervkvpd)"),
    "no daemon, Debian": (
        {**NO_DAEMON, "system": DEBIAN["system"]},
        FAILED,
        "is not installed",
        "install hyperv-daemons",
    ),
    "no daemon, Ubuntu": (
        {**NO_DAEMON, "system": UBUNTU["system"]},
        FAILED,
        "is not installed",
        "install linux-cloud-tools-virtual",
    ),
    "no daemon, nobody knows": (
        {**NO_DAEMON, "system": "kernel=Linux 6"},
        FAILED,
        "Linux 6: the daemon of Data Exchange is not installed",
        "distributions call its package",
    ),
    "does not run": (
        {
            "processes": "list=read",
            "units": "Id=a.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=enabled",
        },
        FAILED,
        "the daemon /usr/sbin/hypervkvpd does not run",
        "start a.service",
    ),
    "runs unseen": (
        {"processes": "", "units": "", "boot": "link=/etc/rc3.d/S20hv-kvp-daemon"},
        UNKNOWN,
        "whether the daemon /usr/sbin/hypervkvpd runs is not known",
        "",
    ),
    "not at boot": (
        {"units": "Id=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=disabled"},
        FAILED,
        "a.service is not started at boot, as after a failover",
        "systemctl enable a.service",
    ),
    "at boot unseen": ({"units": ""}, UNKNOWN, "is started at boot is not known", ""),
    "Debian as packaged": (
        DEBIAN,
        FAILED,
        f"(bookworm): its daemon of the package hyperv-daemons calls the script {SCRIPT} to apply an address, and that",
        "Put an executable /usr/libexec/hypervkvpd/hv_set_ifconfig into the guest",
    ),
    "Debian's service shuts its script in": (
        {**DEBIAN, "scripts": f"script={SCRIPT}\nexecutable=yes\ncontent=read\nwrites=/etc/network/interfaces"},
        FAILED,
        "hv-kvp-daemon.service keeps the script from writing files below /etc (ProtectSystem=full)",
        "ReadWritePaths=/etc",
    ),
    **FILES,
    "script missing elsewhere": ({"scripts": ""}, FAILED, "calls the script", "that writes for NetworkManager"),
    "script not executable": ({"scripts": f"script={SCRIPT}"}, FAILED, "is not executable", f"chmod 755 {SCRIPT}"),
    "script closed": ({"scripts": f"closed={SCRIPT}"}, UNKNOWN, "is closed to this account", ""),
    "script unreadable": (
        {"scripts": f"script={SCRIPT}\nexecutable=yes"},
        UNKNOWN,
        "can't be read by this account",
        "",
    ),
    "shut in, but nmcli asks another": (
        {"units": CONFINED, "scripts": script("nmcli"), "lines": lines('nmcli con mod "$dev" ipv4.addresses "$ip"')},
        PASSED,
        "",
        "",
    ),
    "shut in, and it writes a keyfile": (
        {"units": CONFINED},
        FAILED,
        "a.service keeps the script from writing files below /etc (ProtectSystem=full)",
        "ReadWritePaths=/etc",
    ),
    "Ubuntu with netplan": (
        UBUNTU,
        FAILED,
        f"the script {SCRIPT} writes for ifupdown, but eth0 is configured by netplan and systemd-networkd",
        "Describe the adapter in /etc/network/interfaces",
    ),
    "ifcfg under NetworkManager with a file": (
        {
            "scripts": WRITES_IFCFG,
            "ifcfg": "/etc/sysconfig/network-scripts/ifcfg-eth0",
            "ifupdown": "ifup=yes",
        },
        PASSED,
        "writes for ifcfg files",
        "",
    ),
    "the same without ifup": (
        {"scripts": WRITES_IFCFG, "ifcfg": "/etc/sysconfig/network-scripts/ifcfg-eth0"},
        UNKNOWN,
        "which may or may not read them",
        "",
    ),
    "ifcfg under NetworkManager alone": ({"scripts": WRITES_IFCFG}, UNKNOWN, "which may or may not read them", ""),
    "nobody configures the adapter": ({"networkmanager": ""}, UNKNOWN, "what configures eth0 is not known", ""),
    "log": (
        {"log": "kernel=read\nline=KVP: IP injection functionality not available"},
        PASSED,
        "",
        "its log says: KVP: IP injection functionality not available",
    ),
    "log closed": ({"log": ""}, PASSED, "", "lines of failed attempts were not looked for"),
    "by DHCP": ({"addresses": "2: eth0    inet 10.1.0.2/24 scope global dynamic eth0"}, PASSED, "", "by DHCP now"),
    "a container": (
        {"platform": "sys=no", "driver": "device=x"},
        UNKNOWN,
        "whether it is on Hyper-V is not known: /sys is not there",
        "besides, whether its kernel has the driver",
    ),
}


@pytest.mark.parametrize(("changes", "result", "finding", "remark"), CASES.values(), ids=CASES)
def test_each_link(changes: dict[str, str], result: Result, finding: str, remark: str) -> None:
    outcome = only(**changes)
    assert outcome.result is result, outcome
    assert finding in outcome.finding
    assert remark in "\n".join(outcome.remarks)
    assert outcome.evidence == SEEN
    assert (outcome.cause in set(Cause)) is (result is not PASSED)


NAMED = st.from_regex(r"[a-z][a-z0-9-]{0,14}", fullmatch=True).filter(lambda name: name != "other")


@given(st.sampled_from(sorted(FILES)), NAMED, st.integers(0, 3))
def test_no_link_depends_on_names_or_on_adapters_without_an_address(case: str, name: str, more: int) -> None:
    changes, result, finding, _ = FILES[case]
    nics = (Nic(addresses=("10.2.0.20",)), *(Nic(name=f"without {number}") for number in range(more)))
    vm = Vm(name=name, nics=nics)
    outcome = outcomes(guest(name, seen=sections(vm, **changes)), vm=vm)
    assert {label: found.result for label, found in outcome.items() if label.endswith(f"/{name}")} == {
        f"hv01/{name}": result,
        f"hv02/{name}": result,
    }
    assert finding in outcome[f"hv02/{name}"].finding


def test_a_package_without_its_faults_is_not_blamed_for_them() -> None:
    for package in ("hypervkvpd 0-0.34.20180415git.el8_7", "hypervkvpd 0-0.43.20190303git.el9", "hyperv-daemons", ""):
        outcome = only(**{**LOADS_IFCFG, "programs": f"{RPM}{package}"})
        assert not any("default gateway" in remark or "prefix" in remark for remark in outcome.remarks), package


def test_debians_daemon_with_red_hats_script_fails_twice_over() -> None:
    outcome = only(
        **{**DEBIAN, "networkmanager": "eth0:connected", "scripts": f"{OLD}\nwrites={KEYFILE}\nwrites=nmcli"}
    )
    assert (outcome.result, outcome.cause) == (FAILED, Cause.SCRIPT_TAKES_OTHER_FILES)
    assert "besides, hv-kvp-daemon.service keeps the script from writing files below /etc" in "\n".join(outcome.remarks)


def test_the_first_broken_link_is_the_finding_and_the_others_stand_beside_it() -> None:
    outcome = only(**{**DEBIAN, "driver": "hv_utils=yes"})
    assert "/dev/vmbus/hv_kvp, is missing" in outcome.finding
    remarks = "\n".join(outcome.remarks)
    assert "besides, its daemon of the package hyperv-daemons calls the script" in remarks
    assert (
        "besides, hv-kvp-daemon.service keeps the script from writing files below /etc (ProtectSystem=full): systemctl"
        in remarks
    )


def test_a_broken_link_wins_over_one_that_is_not_known() -> None:
    outcome = only(units="", scripts="")
    assert outcome.result is FAILED
    assert "besides, whether" in "\n".join(outcome.remarks)


def test_freebsd_takes_no_ipv6() -> None:
    vm = Vm(name="sql01", nics=[Nic(addresses=("2001:db8::20",))])
    hn = {**FREEBSD, "adapters": sections(vm)["adapters"].replace("eth0", "hn0").replace("hv_netvsc", "hn")}
    outcome = outcomes(guest("sql01", seen=sections(vm, **hn)), vm=vm)["hv01/sql01"]
    assert (outcome.result, "takes no IPv6 address at a failover: 2001:db8::20" in outcome.finding) == (FAILED, True)
    four = outcomes(guest("sql01", seen=sections(SQL, **{**hn, "adapters": hn["adapters"]})))["hv01/sql01"]
    assert four.result is PASSED, four


def test_only_adapters_with_a_failover_address_count() -> None:
    vm = Vm(name="sql01", nics=[Nic(addresses=("10.2.0.20",)), Nic(name="backup")])
    both = outcomes(guest("sql01", seen=sections(vm, networkmanager="eth0:connected")), vm=vm)["hv01/sql01"]
    assert both.result is PASSED
    other = outcomes(guest("sql01", seen=sections(vm, networkmanager="eth1:connected")), vm=vm)["hv01/sql01"]
    assert other.result is UNKNOWN


def test_the_replica_inherits_what_was_seen_on_the_primary() -> None:
    found = outcomes(guest("hv01/sql01", seen=sections(SQL, **DEBIAN)))
    assert (found["hv02/sql01"].result, found["hv02/sql01"].evidence) == (FAILED, SEEN)
    assert "that is missing" in found["hv02/sql01"].finding


@pytest.mark.parametrize("vm", [Vm(name="sql01", nics=[Nic()])])
def test_no_address_no_question(vm: Vm) -> None:
    outcome = outcomes(guest("sql01", seen=sections(vm)), vm=vm)["hv01/sql01"]
    assert (outcome.result, outcome.finding) == (NOT_APPLICABLE, "no failover address is configured")


def test_where_no_way_leads() -> None:
    outcome = outcomes(guest("sql01", seen=sections(SQL)))["hv01/other"]
    assert (outcome.result, outcome.finding) == (NOT_APPLICABLE, "the inventory names no connection into this guest")
    assert outcomes() == {}


def test_what_was_not_seen_is_not_known() -> None:
    dead = outcomes(guest("sql01", seen=Unread(f"{WAY}: nobody listens at its port", Why.UNREACHABLE)))["hv01/sql01"]
    assert (dead.result, dead.evidence) == (UNKNOWN, "nothing")
    assert dead.finding == f"the guest was not looked into: {WAY}: nobody listens at its port"
    other = outcomes(guest("sql01", seen=sections(Vm(name="another"))))["hv01/sql01"]
    assert (other.result, "is not known to be this machine" in other.finding) == (UNKNOWN, True)
    off = outcomes(guest("sql01", seen=sections(SQL)), vm=Vm(name="sql01", power=3))["hv01/sql01"]
    assert (off.result, "it is off and was not seen elsewhere" in off.finding) == (UNKNOWN, True)


# --- the founding rule ------------------------------------------------------------------------------------------------

LOST = Vm(name="sql01", kvp=13)
NO_CONTACT = Vm(name="sql01", kvp=12, heartbeat=2)


def founding(vm: Vm, **changes: str) -> dict[str, Outcome]:
    return outcomes(guest("sql01", seen=sections(vm, **changes)), vm=vm, rule=FOUNDING)


@pytest.mark.parametrize("side", ["hv01/sql01", "hv02/sql01"])
def test_a_daemon_that_runs_inside_is_an_answer_where_the_host_saw_none(side: str) -> None:
    without = outcomes(vm=LOST, rule=FOUNDING)[side]
    assert without.result is UNKNOWN
    outcome = founding(LOST)[side]
    assert (outcome.result, outcome.evidence) == (PASSED, SEEN)
    assert outcome.finding == "inside the guest the Data Exchange daemon /usr/sbin/hypervkvpd runs"
    assert any("answered Data Exchange since it started, but does not answer now" in one for one in outcome.remarks)


@pytest.mark.parametrize(
    "changes",
    [{"processes": "list=read", "units": ""}, {"processes": "", "units": ""}, {"driver": "hv_utils=yes"}, NO_DAEMON],
)
def test_a_daemon_that_was_not_seen_running_is_no_answer(changes: dict[str, str]) -> None:
    assert founding(LOST, **changes)["hv01/sql01"].result is UNKNOWN


def test_what_the_host_saw_fail_stays_failed() -> None:
    outcome = founding(NO_CONTACT)["hv01/sql01"]
    assert outcome.result is FAILED
    assert f"inside the guest the Data Exchange daemon /usr/sbin/hypervkvpd runs, {SEEN}" in outcome.remarks


def test_an_offer_that_is_switched_off_stays_failed() -> None:
    vm = Vm(name="sql01", offered=3)
    assert founding(vm)["hv01/sql01"].result is FAILED


@pytest.mark.parametrize("changes", [DEBIAN, UBUNTU, {"scripts": ""}])
def test_script_and_stack_never_change_the_founding_rule(changes: dict[str, str]) -> None:
    assert founding(SQL, **changes) == outcomes(vm=SQL, rule=FOUNDING)


def test_another_machines_daemon_is_no_answer() -> None:
    stranger = guest("sql01", seen=sections(Vm(name="another")))
    assert outcomes(stranger, vm=LOST, rule=FOUNDING)["hv01/sql01"].result is UNKNOWN


def test_bpa_asks_no_guest() -> None:
    settings = Judging(evidence=Evidence.BPA)
    outcome = outcomes(guest("sql01", seen=sections(LOST)), vm=LOST, rule=FOUNDING, settings=settings)
    assert outcome == outcomes(vm=LOST, rule=FOUNDING, settings=settings)


def test_where_somebody_looked_the_table_is_silent() -> None:
    """It would warn of a Debian whose administrator brought the script, and praise an Ubuntu that has netplan."""
    seen = guest("sql01", seen=sections(SQL, **UBUNTU))
    outcome = outcomes(seen, rule=guest_can_apply_failover_ip)["hv01/sql01"]
    assert (outcome.result, "was looked into" in outcome.finding) == (NOT_APPLICABLE, True)
    dead = guest("sql01", seen=Unread("dead"))
    assert outcomes(dead, rule=guest_can_apply_failover_ip)["hv01/sql01"].result is PASSED


TWO = Vm(name="sql01", nics=(Nic(addresses=("10.2.0.20",)), Nic(name="second", addresses=("10.3.0.20",))))


def test_an_adapter_that_the_guest_does_not_show_was_not_judged() -> None:
    lines = sections(TWO)["adapters"].splitlines()
    assert only(TWO).result is PASSED
    outcome = only(TWO, adapters=lines[0])
    assert (outcome.result, "2 adapters have a failover address, and it shows 1" in outcome.finding) == (UNKNOWN, True)


def test_a_guest_without_any_adapter_of_hyper_v_passes_nothing() -> None:
    outcome = only(adapters=sections(SQL)["adapters"].replace("hv_netvsc", "e1000"))
    assert (outcome.result, "it shows no adapter that could get an address" in outcome.finding) == (UNKNOWN, True)


def test_an_adapter_that_is_known_by_its_address_does_not_hide_another_one() -> None:
    """On the replica's side some addresses of adapters are the primary's and some are not."""
    replica = with_text(source(Host(name="HV02", vms=[replica_of(TWO)])), mac_of(TWO, 1), "00155DFFFFFF")
    seen = sections(TWO, networkmanager="eth0:connected", networkd="3 eth1 ether routable configured")
    taken = replace(snapshot(source(Host(name="HV01", vms=[TWO])), replica), guests=(guest("sql01", seen=seen),))
    outcome = {one.label: one.outcome.result for one in judge(translate(taken), [RULE])}
    assert outcome == {"hv01/sql01": FAILED, "hv02/sql01": FAILED}
