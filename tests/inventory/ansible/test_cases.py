"""Inventories in the form of real ones (names and addresses are invented), each with what is right of it.

Where Ansible is installed the same is asked of it: both readings agree, or both say what is wrong.
"""

from __future__ import annotations

from pathlib import Path

from compliance.inventory.limit import EVERYTHING
from compliance.inventory.read import read_any, translate_ansible
from compliance.world import World
from tests.inventory.ansible.conftest import WITHOUT
from tests.inventory.ansible.mistakes import entries, mistakes

CASES = Path(__file__).parent / "cases"
NEEDS = 'needs ansible-core: pip install "hyperv-compliance[ansible]"'


def test_a_proxy_is_a_mistake(world: World) -> None:
    (mistake,) = mistakes(CASES / "proxy" / "inventory.yml", world)
    assert mistake == (
        "inventory.yml:3: home: ansible_psrp_proxy: no proxy is used here: run where the host is reached directly, and "
        "leave the variable empty for it"
    )


def test_a_name_in_place_of_a_mapping_is_one_of_it(world: World) -> None:
    inventory = read_any(CASES / "names_for_mappings" / "inventory.yml", world=world)
    assert entries(inventory, "groups", "transport", "port") == {
        "hv01.corp.example": (("hyperv",), "kerberos", 5986),
        "hv02.corp.example": (("dr", "hyperv"), "kerberos", 5986),
    }


def test_numbers_are_those_of_yaml_1_1(world: World) -> None:
    inventory = read_any(CASES / "yaml_numbers" / "inventory.yml", world=world)
    assert entries(inventory, "port", "transport") == {
        f"hv0{number}.corp.example": (5986, "ntlm") for number in (1, 2, 3)
    }
    assert inventory.logins["svc"]() == ("svc", "83")


def test_a_role_may_have_a_path_of_its_own(world: World) -> None:
    found = translate_ansible(CASES / "variables_of_a_role" / "hosts.ini", EVERYTHING, world)
    assert entries(found.inventory, "address", "path", "verify") == {"hyperv01": ("192.0.2.14", "/wsman", False)}
    assert found.entries["hyperv01"].remarks == [
        "hyperv_path is no path of a WinRM listener, so it is taken as a role's"
    ]


def test_the_environment_is_looked_up(world: World) -> None:
    inventory = read_any(CASES / "lookups" / "hosts.yml", world=world)
    assert entries(inventory, "address", "credential", "transport") == {"hv01": ("hv01", "audit", "ntlm")}
    assert inventory.logins == {}  # a credential of ours


def test_a_variable_of_ours_wins_over_what_only_ansible_evaluates(world: World) -> None:
    inventory = read_any(CASES / "lookups" / "hosts2.yml", world=world)
    assert entries(inventory, "address", "credential") == {"hv01": ("hv01.corp.example", "audit")}


def test_large_letters_and_a_vault(world: World) -> None:
    inventory = read_any(CASES / "vault_and_upper" / "hosts.yml", world=world)
    assert entries(inventory, "address", "transport", "principal", "credential") == {
        "hv01": ("hv01.corp.example", "kerberos", "svc-hv@CORP.EXAMPLE", None),
        "hv02": ("hv02.corp.example", "ntlm", None, "svc_hv"),
    }


def test_the_answer_of_a_source_is_no_file_for_ansible(with_ansible: World) -> None:
    path = CASES / "answer_of_a_source" / "awx.json"
    assert mistakes(path, with_ansible)[0].startswith(
        'awx.json: ansible-inventory failed: Invalid "children" entry for "all" group, requires a dictionary, found '
        "something else; Completely failed to parse inventory source"
    )
    assert mistakes(path, WITHOUT)[-1] == (
        "awx.json:3: _meta makes this the answer of a dynamic source, which Ansible reads from no file: name the "
        "source itself, or write it as YAML (ansible-inventory -i SOURCE --list --yaml)"
    )


def test_a_plugin_that_is_not_installed(with_ansible: World) -> None:
    path = CASES / "missing_plugin" / "microsoft.ad.ldap.yml"
    assert mistakes(path, with_ansible)[0].startswith(
        f"{path.name}: ansible-inventory failed: inventory config '{path}' specifies unknown plugin "
        "'microsoft.ad.ldap';"
    )
    assert mistakes(path, WITHOUT) == [f"{path.name}:1: the configuration of an inventory plugin, which {NEEDS}"]
