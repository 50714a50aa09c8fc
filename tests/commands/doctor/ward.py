"""Patients for the doctor: simulated servers with every kind of illness, and a way to see one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compliance.commands.doctor.command import run
from compliance.commands.doctor.examination import STEPS
from compliance.commands.parser import parser_for
from compliance.world import World
from tests.canary import CANARY, silent
from tests.host_rows import host_rows
from tests.hosts import Host, Vm
from tests.simulator import Played, Simulator
from tests.wsman.authority import Authority

PASSWORD = f"{CANARY}-right"
WRONG = f"{CANARY}-wrong"
PRIVATE = {"COMPLIANCE_DOCTOR_PASSWORD": PASSWORD}
NAMED = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": PASSWORD}

HOST = Host(name="HV01", vms=[Vm(name="sql01", checkpoints=1), Vm(name="web01", kvp=12, heartbeat=12)])
OLD_HOST = Host(name="HV01", version="6.2.9200", vms=[Vm(name="sql01", checkpoints=1)])
WAYS: dict[str, dict[str, Any]] = {
    "TLS, Basic": {"scheme": "https", "auth": "basic"},
    "TLS, NTLM": {"scheme": "https", "auth": "ntlm"},
    "sealed NTLM": {"scheme": "http", "auth": "ntlm"},
}


@dataclass(frozen=True, kw_only=True)
class Told:
    code: int
    out: str
    err: str

    @property
    def servers(self) -> list[dict[str, Any]]:
        """Of a run with --json."""
        document = json.loads(self.out)
        assert (document["format"], document["version"]) == ("hyperv-compliance doctor", 1)
        assert all([step["step"] for step in one["steps"]] == list(STEPS) for one in document["servers"])
        servers: list[dict[str, Any]] = document["servers"]
        assert all(bool(one["next"]) is not one["works"] for one in servers)  # what can't be audited has a next step
        return servers

    @property
    def server(self) -> dict[str, Any]:
        (only,) = self.servers
        return only

    def step(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.server["steps"] if one["step"] == key)
        return found

    @property
    def statuses(self) -> dict[str, list[str]]:
        """Steps by status."""
        found: dict[str, list[str]] = {}
        for one in self.server["steps"]:
            found.setdefault(one["status"], []).append(one["step"])
        return found

    @property
    def grants(self) -> list[str]:
        return [one["key"] for one in self.server["grants"]]


def doctor(
    *arguments: str | Path,
    environ: Mapping[str, str] = PRIVATE,
    ask: Callable[[str], str] | None = None,
    width: int = 100,
) -> Told:
    """One run in this process. Whatever it says, no password is in it, and nothing that a terminal would obey."""
    given = ["doctor", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    world = World(environ=environ, out=out, err=err, width=width, ask=ask)
    told = Told(code=run(parser_for(given).parse_args(given), world), out=out.getvalue(), err=err.getvalue())
    everything = silent(told.out + told.err)
    assert everything.replace("\n", "").isprintable()
    return told


def played(host: Host = HOST, **changes: Any) -> Played:
    values: dict[str, Any] = {
        "rows": host_rows(host),
        "version": host.version,
        "computer": host.name,
        "clock": datetime.now(UTC),
    }
    return Played(**{**values, **changes})


@contextmanager
def server(authority: Authority, what: Played | None = None, **options: Any) -> Iterator[Simulator]:
    """A server on 127.0.0.1 whose certificate is the authority's, and good for a year."""
    options = {"scheme": "https", "auth": "ntlm", "users": {"audit": PASSWORD}, **options}
    if options["scheme"] == "https":
        options = {"context": authority.server("127.0.0.1", days=365), **options}
    with Simulator(what or played(), **options) as simulator:
        yield simulator


def to(simulator: Simulator, authority: Authority, *more: str | Path) -> tuple[str | Path, ...]:
    """The arguments for a server, without an inventory."""
    trust: tuple[str | Path, ...] = ("--ca", authority.file) if simulator.scheme == "https" else ("--scheme", "http")
    return f"{simulator.host}:{simulator.port}", "--transport", simulator.auth, "--user", "audit", *trust, *more


def logins(simulator: Simulator) -> float:
    """Attempts to log in: NTLM needs two headers for one, Basic sends its one with each message."""
    seen = simulator.authorization_seen
    return seen.count("Negotiate") / 2 + seen.count("Basic")
