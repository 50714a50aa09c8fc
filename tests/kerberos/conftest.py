"""One realm for all tests here, and an environment in which nothing of this machine's Kerberos is seen."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kerberos.realm import PASSWORD, PROGRAMS, SERVICE, Realm, program

LIBRARIES = ("kerberos", "krb5", "gssapi")


def lacking() -> str:
    """What isn't here, and how to get it; empty where all is."""
    packages = sorted({package for name, package in PROGRAMS.items() if program(name) is None})
    if packages:
        return f"no Kerberos realm here (Debian: apt-get install {' '.join(packages)})"
    if any(importlib.util.find_spec(library) is None for library in LIBRARIES):
        headers = "Debian: apt-get install gcc libkrb5-dev python3-dev"
        return f"no Kerberos libraries here (pip install 'hyperv-compliance[test-kerberos]'; {headers})"
    return ""


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    if reason := lacking():
        pytest.skip(reason)
    with Realm(tmp_path_factory.mktemp("realm")) as made:
        made.account("reader", PASSWORD)
        yield made


@pytest.fixture(scope="session")
def service(realm: Realm) -> Path:
    """The hosts' key."""
    return realm.keytab(SERVICE, fresh=False)


@pytest.fixture(autouse=True)
def _environment(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(realm.config))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")
    for name in ("KRB5_KTNAME", "KRB5_CLIENT_KTNAME", "KRB5_TRACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ticket(realm: Realm, tmp_path: Path) -> None:
    """As after kinit: reader's ticket is in the cache that the environment names."""
    realm.kinit("reader", PASSWORD, tmp_path / "tickets")
