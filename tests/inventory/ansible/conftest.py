"""Ansible's own commands, where they are installed, and an environment in which nothing of this machine's is heeded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import pytest

from compliance.inventory.ansible.by_ansible import LIST
from compliance.world import World, find_command


def nothing(_name: str, _environ: Mapping[str, str]) -> None:
    """As where Ansible is not installed."""


WITHOUT = World(environ={}, find_command=nothing)


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Ansible runs in: without this user's own settings and secrets."""
    home = tmp_path_factory.mktemp("home")
    (config := home / "ansible.cfg").write_text("")
    return {"PATH": os.environ["PATH"], "HOME": str(home), "ANSIBLE_CONFIG": str(config), "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="session")
def with_ansible(environ: dict[str, str]) -> World:
    if find_command(LIST, environ) is None:
        pytest.skip("no ansible-inventory here (pip install 'hyperv-compliance[test-ansible]')")
    return World(environ=environ)


ENVIRON = {"HV_USER": "svc", "HV_PASSWORD": "canary"}


@pytest.fixture(params=["without", pytest.param("with", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest) -> World:
    """Our own reading, and Ansible's where it is installed."""
    if request.param == "without":
        return replace(WITHOUT, environ=ENVIRON)
    ansible: World = request.getfixturevalue("with_ansible")
    return replace(ansible, environ={**ansible.environ, **ENVIRON})
