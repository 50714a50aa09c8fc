"""Plays the servers of a snapshot until Ctrl-C, so that anyone can try a live run without a Windows host."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.canary import CANARY
from tests.simulator.server import Simulator
from tests.simulator.snapshots import SnapshotServer, estate_and_servers

USERNAME, PASSWORD = "demo", CANARY


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    estate, servers = estate_and_servers(asked.snapshot)
    if not servers:
        sys.stderr.write(f"{asked.snapshot}: no server in it was read\n")
        return 2
    with contextlib.ExitStack() as stack:
        simulators = [
            stack.enter_context(Simulator(one.played, scheme=asked.scheme, auth=asked.auth, users={USERNAME: PASSWORD}))
            for one in servers
        ]
        inventory = inventory_text(estate, list(zip(servers, simulators, strict=True)))
        if asked.inventory_out:
            asked.inventory_out.write_text(inventory, encoding="utf-8")
        with contextlib.suppress(KeyboardInterrupt):
            _tell(asked, inventory, len(simulators))
            threading.Event().wait(asked.seconds)
    return 0


def inventory_text(estate: str, played: Sequence[tuple[SnapshotServer, Simulator]]) -> str:
    """YAML; its scalars and lists are written as JSON, which YAML 1.2 contains."""
    lines = [f"name: {_scalar(estate)}", "servers:"]
    for server, simulator in played:
        entry: dict[str, object] = {
            "name": server.name,
            "address": simulator.host,
            "port": simulator.port,
            "scheme": simulator.scheme,
            "transport": simulator.auth,
            "credential": USERNAME,
        }
        if simulator.scheme == "https":
            entry["ca"] = str(simulator.ca)
        if server.site is not None:
            entry["site"] = server.site
        if server.groups:
            entry["groups"] = list(server.groups)
        for at, (key, value) in enumerate(entry.items()):
            lines.append(f"  {'- ' if at == 0 else '  '}{key}: {_scalar(value)}")
    return "\n".join(lines) + "\n"


def _scalar(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tell(asked: argparse.Namespace, inventory: str, count: int) -> None:
    print(f"Playing {count} server{'' if count == 1 else 's'}. Set these two, then run against the inventory:")
    for name, value in (("COMPLIANCE_DEMO_USERNAME", USERNAME), ("COMPLIANCE_DEMO_PASSWORD", PASSWORD)):
        print(f"  $env:{name} = '{value}'" if os.name == "nt" else f"  export {name}={shlex.quote(value)}")
    if asked.inventory_out:
        print(f"Inventory: {asked.inventory_out}")
    else:
        print(inventory, end="")
    print(f"Stops after {asked.seconds:g} seconds." if asked.seconds else "Stop it with Ctrl-C.", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--snapshot", type=Path, required=True, help="JSON lines of an earlier run, .gz if so named")
    parser.add_argument("--scheme", choices=("https", "http"), default="https")
    parser.add_argument("--auth", choices=("basic", "ntlm"), default="basic")
    parser.add_argument("--inventory-out", type=Path, metavar="FILE", help="write an inventory of the servers here")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop by itself after this time")
    return parser


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # also when a shell started us in the background, ignoring Ctrl-C
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
