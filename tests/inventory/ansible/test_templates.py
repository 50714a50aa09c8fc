"""Templates: names, the environment and the size of letters are resolved, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.errors import UsageError
from compliance.inventory.ansible.templates import UNKNOWN
from compliance.inventory.read import read_any
from tests.inventory.ansible.conftest import WITHOUT
from tests.inventory.ansible.mistakes import entries, mistakes

# a template -> the text, with domain=Corp, user=svc and X=Env
TEMPLATES: Mapping[str, str] = {
    "{{ lookup('env', 'X') }}": "Env",
    '{{lookup("env","X")}}': "Env",
    "{{ lookup( 'ansible.builtin.env' , 'X' ) | upper }}.example": "ENV.example",
    "{{ user }}.{{ domain | lower }}": "svc.corp",
    "{{ domain|upper|lower }}": "corp",
    "{{ domain | upper }}-{{ lookup('env', 'X') | lower }}": "CORP-env",
    "a {{- domain }}": "aCorp",
    "{{ inventory_hostname_short | upper }}": "HV01",
    "{{ nested }}": "CORP",
}
NOT_RESOLVED = {
    "{{ lookup('env', 'NOT_SET') }}": "the environment variable NOT_SET is not set",
    "{{ lookup('env', 'COMPLIANCE_AUDIT_PASSWORD') }}": (
        "COMPLIANCE_AUDIT_PASSWORD holds a credential of ours: name it by hyperv_credential"
    ),
    "{{ lookup('env', 'X', default='y') }}": UNKNOWN,
    "{{ lookup('env', 'X', 'Y') }}": UNKNOWN,
    "{{ lookup('env', user) }}": UNKNOWN,
    "{{ lookup('file', '/etc/passwd') }}": UNKNOWN,
    "{{ lookup('pipe', 'id') }}": UNKNOWN,
    "{{ lookup('env\", 'X') }}": UNKNOWN,
    "{{ query('env', 'X') }}": UNKNOWN,
    "{{ domain | title }}": UNKNOWN,
    "{{ domain | upper() }}": UNKNOWN,
    "{{ domain.upper() }}": UNKNOWN,
    "{{ domain }}{% if true %}x{% endif %}": UNKNOWN,
    "{{ hostvars['hv01'].domain }}": UNKNOWN,
    "{{ missing | upper }}": "a template with missing, which is not set for this host",
    "{{ itself }}": "a template that leads to itself",
}


def host_with(tmp_path: Path, template: str) -> Path:
    quoted = template.replace("\\", "\\\\").replace('"', '\\"')
    (path := tmp_path / "hosts.yml").write_text(
        f'all:\n  hosts:\n    hv01:\n      ansible_host: "{quoted}"\n  vars:\n    domain: Corp\n    user: svc\n'
        "    nested: '{{ domain | upper }}'\n    itself: '{{ itself | upper }}'\n    ansible_connection: psrp\n"
    )
    return path


@pytest.mark.parametrize(("template", "text"), TEMPLATES.items(), ids=range(len(TEMPLATES)))
def test_a_template_is_resolved(tmp_path: Path, template: str, text: str) -> None:
    inventory = read_any(host_with(tmp_path, template), world=replace(WITHOUT, environ={"X": "Env"}))
    assert entries(inventory, "address") == {"hv01": (text,)}


@pytest.mark.parametrize(("template", "why"), NOT_RESOLVED.items(), ids=range(len(NOT_RESOLVED)))
def test_no_other_is(tmp_path: Path, template: str, why: str) -> None:
    environ = {"X": "Env", "COMPLIANCE_AUDIT_PASSWORD": "canary"}
    wrong = mistakes(host_with(tmp_path, template), replace(WITHOUT, environ=environ))
    assert wrong == [f"hosts.yml:3: hv01: ansible_host: {why}"]


def test_what_the_environment_holds_is_no_template(tmp_path: Path) -> None:
    world = replace(WITHOUT, environ={"X": "{{domain}}"})
    (wrong,) = mistakes(host_with(tmp_path, "{{ lookup('env', 'X') }}"), world)
    assert "ansible_host: expected a name or an IP address" in wrong


def test_a_password_of_the_environment_is_looked_up_where_servers_are_read(tmp_path: Path) -> None:
    (path := tmp_path / "hosts.yml").write_text(
        "all:\n  hosts: {hv01: , hv02: {ansible_password: \"{{ lookup('env', 'OTHER') }}\"}}\n"
        "  vars: {ansible_connection: psrp, ansible_user: svc, ansible_password: \"{{ lookup('env', 'X') }}\"}\n"
    )
    inventory = read_any(path, world=replace(WITHOUT, environ={"X": "canary"}))
    assert entries(inventory, "credential") == {"hv01": ("svc",), "hv02": ("svc_2",)}
    assert inventory.logins["svc"]() == ("svc", "canary")
    with pytest.raises(UsageError, match="hv02: ansible_password: the environment variable OTHER is not set"):
        inventory.logins["svc_2"]()
