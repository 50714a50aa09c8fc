"""Variables of Ansible's plugins that say how a host is reached: each is honoured, harmless or a mistake; ours win."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from compliance.inventory.ansible.plugins import PLUGINS
from compliance.inventory.limit import EVERYTHING
from compliance.inventory.read import read_any, translate_ansible
from tests.inventory.ansible.conftest import WITHOUT
from tests.inventory.ansible.mistakes import entries, mistakes

WINRM = "ansible_connection=winrm ansible_user=audit ansible_password=canary ansible_winrm_transport=ntlm"
PSRP = "ansible_connection=psrp ansible_user=audit ansible_password=canary"
REFUSED = {
    f"{WINRM} ansible_winrm_proxy=http://proxy:3128": "ansible_winrm_proxy: no proxy is used here",
    f"{WINRM} ansible_winrm_proxy='{{{{ proxy | default(1) }}}}'": "ansible_winrm_proxy: no proxy is used here",
    f"{WINRM} ansible_winrm_send_cbt=false": "ansible_winrm_send_cbt: logins over https are always bound",
    f"{WINRM} ansible_winrm_transport=kerberos ansible_winrm_service=HOST": "ansible_winrm_service: tickets are asked",
    f"{WINRM} ansible_winrm_transport=credssp ansible_winrm_credssp_disable_tlsv1_2=yes": (
        "ansible_winrm_credssp_disable_tlsv1_2: CredSSP uses TLS 1.2 here"
    ),
    f"{WINRM} ansible_winrm_server_cert_validaton=ignore": (
        "ansible_winrm_server_cert_validaton: unknown (did you mean ansible_winrm_server_cert_validation?)"
    ),
    f"{PSRP} ansible_psrp_auth=kerberos ansible_psrp_negotiate_service=cifs": (
        "ansible_psrp_negotiate_service: tickets are asked for HTTP/host here"
    ),
    f"{PSRP} ansible_psrp_negotiate_send_cbt=no": "ansible_psrp_negotiate_send_cbt: logins over https",
    f"{PSRP} ansible_psrp_auth=credssp ansible_psrp_credssp_auth_mechanism=kerberos": (
        "ansible_psrp_credssp_auth_mechanism: CredSSP logs in by NTLM here"
    ),
    f"{PSRP} ansible_psrp_auth=credssp ansible_psrp_credssp_minimum_version=5": (
        "ansible_psrp_credssp_minimum_version: older versions of CredSSP are taken here"
    ),
}
HARMLESS = [
    f"{WINRM} ansible_winrm_proxy=legacy_requests",
    f"{WINRM} ansible_winrm_proxy=",
    f"{WINRM} ansible_winrm_proxy='{{{{ none }}}}' none=",
    f"{WINRM} ansible_winrm_send_cbt=True ansible_winrm_read_timeout_sec=70 ansible_winrm_operation_timeout_sec=60",
    f"{WINRM} ansible_winrm_service=cifs ansible_winrm_credssp_disable_tlsv1_2=true",  # not for ntlm
    f"{WINRM} ansible_winrm_kinit_mode=managed ansible_winrm_kinit_cmd=/bin/kinit ansible_winrm_connection_timeout=9",
    f"{WINRM} ansible_psrp_proxy=http://proxy:3128",  # of another plugin
    f"{PSRP} ansible_winrm_proxy=http://proxy:3128",
    f"{PSRP} ansible_psrp_ignore_proxy=yes ansible_psrp_reconnection_retries=3 ansible_psrp_configuration_name=JEA",
    f"{PSRP} ansible_psrp_negotiate_service=WSMAN ansible_psrp_credssp_minimum_version=5",
]


@pytest.mark.parametrize(("line", "why"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_changes_the_way_to_a_host_is_a_mistake(tmp_path: Path, line: str, why: str) -> None:
    (path := tmp_path / "hosts.ini").write_text(f"hv01 {line}\n")
    (mistake,) = mistakes(path, WITHOUT)
    assert mistake.startswith(f"hosts.ini:1: hv01: {why}")


@pytest.mark.parametrize("line", HARMLESS, ids=range(len(HARMLESS)))
def test_what_changes_nothing_is_taken(tmp_path: Path, line: str) -> None:
    (path := tmp_path / "hosts.ini").write_text(f"hv01 {line}\n")
    found = translate_ansible(path, EVERYTHING, WITHOUT)
    assert entries(found.inventory, "address", "transport", "port") == {"hv01": ("hv01", "ntlm", 5986)}
    assert found.entries["hv01"].remarks == []


def test_what_no_plugin_knows_is_a_remark(tmp_path: Path) -> None:
    (path := tmp_path / "hosts.ini").write_text(f"hv01 {WINRM} ansible_winrm_of_our_own=x\n")
    found = translate_ansible(path, EVERYTHING, WITHOUT)
    assert found.entries["hv01"].remarks == ["ansible_winrm_of_our_own is not known of Ansible's plugin, and not used"]


@pytest.mark.slow
def test_every_variable_of_both_plugins_is_decided() -> None:
    """By their own documentation, where ansible-core is installed."""
    connection = pytest.importorskip("ansible.plugins.connection", reason="no ansible-core here")
    folder = Path(connection.__file__).parent
    pywinrm = pytest.importorskip("winrm.protocol")
    extras = {
        f"ansible_winrm_{name}"
        for name in pywinrm.Protocol.__init__.__annotations__
        if name not in ("return", "endpoint", "transport", "username", "password")
    }
    for name, plugin in PLUGINS.items():
        documented = set(re.findall(r"name: (ansible_\w+)", (folder / f"{name}.py").read_text("utf-8")))
        known = documented | (extras if name == "winrm" else set())
        assert known - plugin.known == set()
        assert {one for one in plugin.known if one.startswith(plugin.prefix)} - known <= set()


OURS_WINS = {
    "hyperv_scheme=http": {"scheme": "http", "port": 5985},
    "hyperv_port=5985": {"scheme": "http", "port": 5985},
    "hyperv_port=8443": {"scheme": "https", "port": 8443},
    "hyperv_scheme=https hyperv_port=5985": {"scheme": "https", "port": 5985},
    "hyperv_address=hv.corp.example": {"address": "hv.corp.example"},
    "hyperv_transport=kerberos hyperv_principal=svc@CORP": {"transport": "kerberos", "principal": "svc@CORP"},
    "hyperv_verify=no": {"verify": False},
    "hyperv_path=/other": {"path": "/other"},
}
JINJA = "'{{ nothing | that | we | know }}'"
OF_ANSIBLE = {
    "scheme": ("ansible_winrm_scheme", "ansible_port"),
    "port": ("ansible_port",),
    "address": ("ansible_host",),
    "transport": ("ansible_winrm_transport", "ansible_user"),
    "verify": ("ansible_winrm_server_cert_validation",),
    "path": ("ansible_winrm_path",),
}


@pytest.mark.parametrize(("ours", "expected"), OURS_WINS.items(), ids=list(OURS_WINS))
def test_a_variable_of_ours_wins(tmp_path: Path, ours: str, expected: Mapping[str, object]) -> None:
    keys = [one.partition("=")[0].removeprefix("hyperv_") for one in ours.split()]
    jinja = {name for key in keys for name in OF_ANSIBLE.get(key, ())}
    if keys == ["scheme"]:
        jinja -= {"ansible_port"}  # which is not said by the scheme
    base = {"ansible_connection": "winrm", "hyperv_credential": "audit", "ansible_winrm_transport": "ntlm"}
    if "transport" in keys:
        del base["hyperv_credential"]
    text = " ".join(f"{name}={value}" for name, value in (base | dict.fromkeys(jinja, JINJA)).items())
    (path := tmp_path / "hosts.ini").write_text(f"hv01 {text} {ours}\n")
    (entry,) = read_any(path, world=WITHOUT).servers
    assert {key: getattr(entry, key) for key in expected} == expected


def test_a_linux_host_with_templates_stops_nothing(tmp_path: Path) -> None:
    web01 = f"web01 ansible_port={JINJA} ansible_shell_type={JINJA}\n"
    (path := tmp_path / "hosts.ini").write_text(f"hv01 {WINRM}\n{web01}")
    assert [entry.name for entry in read_any(path, world=WITHOUT).servers] == ["hv01"]


@pytest.mark.parametrize(
    "variable",
    [
        "hyperv_path: 'D:\\VMs'",
        "hyperv_path: '\\\\files\\vms'",
        "hyperv_path: [a, b]",
        "hyperv_path: {a: b}",
        "hyperv_path: '{{ root | default(1) }}\\VMs'",
        "hyperv_path: 'C:/VMs'",
        "hyperv_groups: [{name: a}]",
        "hyperv_key: {a: b}",
        "hyperv_certificate: [{a: b}]",
    ],
)
def test_what_can_only_be_a_roles_is_a_remark(tmp_path: Path, variable: str) -> None:
    (path := tmp_path / "hosts.yml").write_text(
        "a:\n  hosts: {hv01: }\n  vars:\n    ansible_connection: psrp\n    ansible_user: audit\n"
        f"    ansible_password: canary\n    {variable}\n"
    )
    found = translate_ansible(path, EVERYTHING, WITHOUT)
    assert entries(found.inventory, "path", "groups", "key") == {"hv01": ("/wsman", ("a",), None)}
    (remark,) = found.entries["hv01"].remarks
    assert remark.endswith("so it is taken as a role's")
