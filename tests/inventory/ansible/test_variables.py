"""Variables of Ansible's connection plugins in the words of our inventory, with Ansible's own defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compliance.errors import InventoryError
from compliance.inventory.ansible.templates import UNKNOWN
from compliance.inventory.entries import Entry
from compliance.inventory.inventory import Inventory
from compliance.inventory.read import read_any
from tests.inventory.ansible.conftest import WITHOUT
from tests.lab import closed_port
from tests.running import RunPytest

WINRM = "ansible_connection=winrm ansible_user=audit ansible_password=canary"
PSRP = "ansible_connection=psrp ansible_user=audit ansible_password=canary"
KERBEROS = "ansible_connection=winrm ansible_winrm_transport=kerberos"
NTLM = f"{WINRM} ansible_winrm_transport=ntlm"
IN_CLEAR = (
    "Ansible's default for http without a user@domain is Basic, whose password everybody reads: "
    "set ansible_winrm_transport to ntlm, or hyperv_transport"
)

# what a host's line says -> how its entry differs from one of ours that says nothing
MAPPED: dict[str, dict[str, object]] = {
    # winrm: https and Basic; Kerberos for a user@domain
    WINRM: {"transport": "basic"},
    f"{WINRM} ansible_port=5986": {"transport": "basic"},
    f"{NTLM}": {},
    f"{NTLM} ansible_port=5985": {"scheme": "http", "port": 5985},
    f"{NTLM} ansible_port=443": {"port": 443},
    f"{NTLM} ansible_winrm_scheme=http": {"scheme": "http", "port": 5986},
    f"{NTLM} ansible_winrm_scheme=http ansible_port=5985": {"scheme": "http", "port": 5985},
    f"{NTLM} ansible_winrm_port=8443 ansible_port=1": {"port": 8443},
    f"{NTLM} ansible_host=192.0.2.7": {"address": "192.0.2.7"},
    f"{NTLM} ansible_host=[2001:db8::7]": {"address": "2001:db8::7"},
    f"{NTLM} ansible_host=a ansible_winrm_host=b": {"address": "b"},
    f"{NTLM} ansible_winrm_path=/other": {"path": "/other"},
    f"{NTLM} ansible_winrm_server_cert_validation=ignore": {"verify": False},
    f"{NTLM} ansible_winrm_server_cert_validation=ignore ansible_port=5985": {"scheme": "http", "port": 5985},
    f"{NTLM} ansible_winrm_ca_trust_path=pem": {"ca": "pem"},
    f"{NTLM} ansible_winrm_ca_trust_path=legacy_requests": {},
    f"{NTLM} ansible_winrm_message_encryption=never ansible_port=5985": {
        "scheme": "http",
        "port": 5985,
        "cleartext": True,
    },
    f"{NTLM} ansible_winrm_message_encryption=never": {},
    f"{NTLM} ansible_winrm_message_encryption=always": {},
    f"{NTLM} ansible_connection=ansible.builtin.winrm": {},
    f"{WINRM} ansible_winrm_transport=ssl": {"transport": "basic"},
    f"{WINRM} ansible_winrm_transport=credssp": {"transport": "credssp"},
    f"{WINRM} ansible_winrm_transport=ntlm,kerberos": {},
    f"{WINRM} ansible_winrm_transport=\"['ntlm','kerberos']\"": {},
    f"{WINRM} ansible_winrm_transport=certificate ansible_winrm_cert_pem=pem ansible_winrm_cert_key_pem=key": {
        "transport": "certificate",
        "certificate": "pem",
        "key": "key",
        "credential": None,
    },
    f"{WINRM} ansible_winrm_cert_pem=pem ansible_winrm_cert_key_pem=key": {
        "transport": "certificate",
        "certificate": "pem",
        "key": "key",
        "credential": None,
    },
    f"{NTLM} ansible_winrm_cert_pem=pem ansible_winrm_cert_key_pem=key": {},
    "ansible_connection=winrm ansible_user=audit@DR.EXAMPLE ansible_password=canary": {
        "transport": "kerberos",
        "principal": "audit@DR.EXAMPLE",
        "credential": None,
    },
    f"{KERBEROS} ansible_winrm_kerberos_hostname_override=hv01.dr.example": {
        "transport": "kerberos",
        "kerberos_host": "hv01.dr.example",
        "credential": None,
    },
    f"{NTLM} ansible_winrm_kerberos_hostname_override=hv01.dr.example": {},
    # psrp: the port by its protocol, Negotiate
    PSRP: {},
    f"{PSRP} ansible_psrp_protocol=http": {"scheme": "http", "port": 5985},
    f"{PSRP} ansible_port=5985": {"scheme": "http", "port": 5985},
    f"{PSRP} ansible_psrp_auth=negotiate ansible_psrp_path=other": {"path": "/other"},
    f"{PSRP} ansible_psrp_auth=kerberos ansible_user=a@B ansible_psrp_negotiate_hostname_override=hv": {
        "transport": "kerberos",
        "principal": "a@B",
        "kerberos_host": "hv",
        "credential": None,
    },
    f"{PSRP} ansible_psrp_cert_validation=ignore": {"verify": False},
    f"{PSRP} ansible_psrp_ca_cert=pem ansible_psrp_cert_trust_path=none": {"ca": "pem"},
    f"{PSRP} ansible_psrp_auth=certificate ansible_psrp_certificate_pem=pem ansible_psrp_certificate_key_pem=key": {
        "transport": "certificate",
        "certificate": "pem",
        "key": "key",
        "credential": None,
    },
    # keys of ours
    f"{NTLM} hyperv_site='Berlin Mitte' hyperv_may_be_empty=yes hyperv_may_lack_failover_settings=True": {
        "site": "Berlin Mitte",
        "may_be_empty": True,
        "may_lack_failover_settings": True,
    },
    f"{NTLM} hyperv_credential=other": {"credential": "other"},
    f"{WINRM} hyperv_transport=ntlm ansible_port=5985": {"scheme": "http", "port": 5985},
    f"{WINRM} hyperv_transport=kerberos hyperv_keytab=key hyperv_principal=reader": {
        "transport": "kerberos",
        "keytab": "key",
        "principal": "reader",
        "credential": None,
    },
    f"{WINRM} ansible_port=5985 hyperv_cleartext=true": {
        "transport": "basic",
        "scheme": "http",
        "port": 5985,
        "cleartext": True,
    },
    f"{NTLM} hyperv_groups='a, b'": {"groups": ("a", "b")},
    f"{NTLM} hyperv_switch_type=external": {},  # a role's
    # names of other variables
    "ansible_connection=winrm ansible_winrm_transport=ntlm domain=DR ansible_user={{domain}}\\\\{{user}} user=audit "
    "ansible_host='{{ inventory_hostname_short }}.dr.example' pw=canary ansible_password={{pw}}": {
        "address": "hv01.dr.example"
    },
}

# what a host's line says -> why it can't be used
UNUSABLE = {
    f"{WINRM} ansible_port=5985": IN_CLEAR,
    f"{WINRM} ansible_winrm_transport=plaintext ansible_port=5985": "ansible_winrm_transport: Basic over http, whose "
    "password everybody reads (hyperv_cleartext=true allows it)",
    f"{WINRM} ansible_winrm_transport=magic": "ansible_winrm_transport: `magic` is none of basic, plaintext, "
    "certificate, kerberos, ntlm, credssp",
    f"{NTLM} ansible_winrm_scheme=ftp": "ansible_winrm_scheme: expected http or https, got `ftp`",
    f"{NTLM} ansible_port=https": "ansible_port: expected a whole number, got `https`",
    f"{NTLM} ansible_port=70000": "ansible_port: expected at most 65535, got `70000`",
    f"{NTLM} ansible_host=https://hv01": "ansible_host: expected a name or an IP address, without scheme, port or "
    "brackets, got `https://hv01`",
    f"{NTLM} ansible_winrm_ca_trust_path=none.pem": "ansible_winrm_ca_trust_path: no such file beside the inventory: "
    "`none.pem`",
    f"{WINRM} ansible_winrm_transport=certificate": "certificate: transport `certificate` needs one",
    f"{NTLM} ansible_host=\"{{{{ lookup('env', 'HOST') }}}}\"": "ansible_host: the environment variable HOST is "
    "not set",
    "ansible_connection=psrp ansible_user=a ansible_password=\"{{ 'canary' | quote }}\"": (
        f"ansible_password: {UNKNOWN}"
    ),
    f"{NTLM} ansible_host='{{{{ nowhere }}}}'": "ansible_host: a template with nowhere, which is not set for this host",
    f"{NTLM} ansible_host={{{{a}}}} a={{{{b}}}} b={{{{a}}}}": "ansible_host: a template that leads to itself",
    f"{NTLM} ansible_host=\"['a']\"": "ansible_host: expected text, got a list",
    f"{NTLM} hyperv_sit=berlin": "hyperv_sit: unknown (did you mean hyperv_site?)",
    f"{NTLM} hyperv_verify=maybe": "hyperv_verify: expected `true` or `false`, got `maybe`",
    f"{NTLM} hyperv_credential=a-b": "hyperv_credential: expected a name of ASCII letters, digits and `_` that starts "
    "with a letter, got `a-b`",
    "ansible_connection=winrm ansible_winrm_transport=kerberos ansible_user=DR\\\\audit": "ansible_user: expected a "
    "principal such as `audit@EXAMPLE.COM`, got `DR\\audit`",
    "ansible_connection=ssh ansible_shell_type=powershell": "ansible_shell_type says that it is Windows, but "
    "ansible_connection is `ssh`: set it to winrm or psrp",
    "ansible_port=5986": "ansible_port says that it is Windows, but ansible_connection is not set, so it is `ssh`: set "
    "it to winrm or psrp",
    "ansible_winrm_transport=ntlm": "ansible_winrm_transport says that it is Windows, but ansible_connection is not "
    "set, so it is `ssh`: set it to winrm or psrp",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("hosts")
    for name in ("pem", "key"):
        (found / name).write_text("")
    return found


def read(folder: Path, text: str) -> Inventory:
    path = folder / "hosts.ini"
    path.write_text(text)
    return read_any(path, world=WITHOUT)


@pytest.mark.parametrize(("line", "differs"), MAPPED.items(), ids=range(len(MAPPED)))
def test_a_host_is_what_its_variables_say(folder: Path, line: str, differs: dict[str, Any]) -> None:
    found = {
        key: folder / value if key in ("ca", "certificate", "key", "keytab") else value
        for key, value in differs.items()
    }
    expected = Entry.model_validate({"name": "hv01", "credential": "audit"} | found)
    inventory = read(folder, f"hv01 {line}\n")
    assert inventory.servers == (expected,)
    if expected.credential == "audit":
        assert inventory.logins["audit"]()[1] == "canary"
    else:
        assert inventory.logins == {}
    assert "canary" not in repr(inventory)


@pytest.mark.parametrize(("line", "why"), UNUSABLE.items(), ids=range(len(UNUSABLE)))
def test_a_windows_host_that_can_not_be_used_is_named(folder: Path, line: str, why: str) -> None:
    with pytest.raises(InventoryError) as error:
        read(folder, f"sound {NTLM}\nhv01 {line}\n")
    assert why in str(error.value).splitlines()[0].removeprefix(f"{folder / 'hosts.ini'}:2: hv01: ")
    assert str(error.value).startswith(f"{folder / 'hosts.ini'}:2: hv01: ")
    assert "canary" not in str(error.value)


def test_hosts_that_are_not_windows_are_told_in_one_line(folder: Path) -> None:
    linux = "\n".join(f"web{number:02} ansible_connection=ssh" for number in range(12))
    inventory = read(folder, f"hv01 {NTLM}\nlocalhost ansible_connection=local\n{linux}\n")
    assert [entry.name for entry in inventory.servers] == ["hv01"]
    names = ", ".join(["localhost", *(f"web{number:02}" for number in range(9))])
    assert inventory.remarks == (f"not Windows, so not read: 13 hosts ({names} and 3 more)",)


def test_passwords_that_kerberos_does_not_use_are_told_in_one_line(folder: Path) -> None:
    with_one = "\n".join(f"hv{number:02} {KERBEROS} ansible_password=canary" for number in range(12))
    without = f"hv20 {KERBEROS}\nhv21 {KERBEROS} ansible_password=canary hyperv_keytab=pem\nhv22 {NTLM}\n"
    names = ", ".join(f"hv{number:02}" for number in range(10))
    (told,) = read(folder, f"{with_one}\n{without}").remarks
    unused = "a password is not used for kerberos: whoever runs this needs a ticket (kinit), or set hyperv_keytab"
    assert told == f"{unused}: 12 hosts ({names} and 2 more)"


def test_a_run_tells_that_a_password_is_not_used(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "hosts.ini").write_text(
        f"hv01 {KERBEROS} ansible_password=canary ansible_host=127.0.0.1 ansible_port={closed_port()}\n"
    )
    told = run_pytest(tmp_path, "--inventory", "hosts.ini").stdout
    line = (
        "hosts.ini: a password is not used for kerberos: whoever runs this needs a ticket (kinit), or set hyperv_keytab"
    )
    assert f"{line}: 1 host (hv01).\n" in told


def test_hosts_share_a_login_only_where_user_and_password_are_the_same(folder: Path) -> None:
    base = "ansible_connection=winrm ansible_winrm_transport=ntlm"
    lines = {
        "a": "ansible_user=DR\\\\audit ansible_password=one",
        "b": "ansible_user=DR\\\\audit ansible_password=one",
        "c": "ansible_user=DR\\\\audit ansible_password=two",
        "d": "ansible_user=audit@dr.example ansible_password=one",
        "e": "ansible_user=7up ansible_password=one",
        "f": "ansible_user=audit",  # a password of the environment
        "g": "",
    }
    inventory = read(folder, "".join(f"{name} {base} {line}\n" for name, line in lines.items()))
    assert {entry.name: entry.credential for entry in inventory.servers} == {
        "a": "audit",
        "b": "audit",
        "c": "audit_2",
        "d": "audit_3",
        "e": "ansible_7up",
        "f": "audit_4",
        "g": "ansible",
    }
    assert {name: login() for name, login in inventory.logins.items()} == {
        "audit": ("DR\\audit", "one"),
        "audit_2": ("DR\\audit", "two"),
        "audit_3": ("audit@dr.example", "one"),
        "ansible_7up": ("7up", "one"),
    }


def test_a_credential_of_ours_is_no_login_of_ansibles(folder: Path) -> None:
    """Or one host's password would be sent to another one."""
    inventory = read(folder, f"hv01 {NTLM}\nhv02 {NTLM} hyperv_credential=Audit\n")
    assert [entry.credential for entry in inventory.servers] == ["audit_2", "Audit"]
    assert inventory.logins.keys() == {"audit_2"}


def test_what_is_said_of_the_estate(folder: Path) -> None:
    (folder / "policy.yaml").write_text("fail_at: error\n")
    inventory = read(folder, f"hv01 {NTLM}\n[all:vars]\nhyperv_estate=production\nhyperv_policy=policy.yaml\n")
    assert (inventory.name, inventory.policy.fail_at) == ("production", "error")
    assert read(folder, f"hv01 {NTLM}\n").name == "hosts"
    with pytest.raises(InventoryError, match="hyperv_estate: hosts say different things of it: `a`, `b`"):
        read(folder, f"hv01 {NTLM} hyperv_estate=a\nhv02 {NTLM} hyperv_estate=b\n")
