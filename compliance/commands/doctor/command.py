"""`hyperv-compliance doctor`: examine servers, tell what was found, and say by the exit code whether all is well."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from compliance.audit import tool
from compliance.commands.doctor.document import document
from compliance.commands.doctor.examination import Examination
from compliance.commands.doctor.next_step import next_step
from compliance.commands.doctor.one_server import (
    CREDENTIAL,
    WITH_A_PASSWORD,
    inventory_from,
    inventory_text,
    refuse_two_ports,
)
from compliance.commands.doctor.record.anonymous import anonymised
from compliance.commands.doctor.text import examination_lines, next_lines, summary, way_in
from compliance.commands.doctor.walk import Refusals, examine
from compliance.commands.output import adapt, add_out, refuse_out, write_lines
from compliance.credentials.ask_places import from_prompt
from compliance.credentials.find import Credential
from compliance.credentials.terminal import is_terminal
from compliance.errors import SnapshotError, UsageError
from compliance.inventory.entries import Entry
from compliance.inventory.inventory import Inventory
from compliance.inventory.logins import credentials_of
from compliance.inventory.read import read_any
from compliance.patterns import any_matches
from compliance.program import PROGRAM, doctor_command
from compliance.secret import Secret
from compliance.snapshot.snapshot import Snapshot
from compliance.snapshot.write import refuse_unwritable, write_snapshot
from compliance.world import World

PASSWORD = f"COMPLIANCE_{CREDENTIAL.upper()}_PASSWORD"
WORKS, STUCK = 0, 1
"""Exit codes: everything that an audit needs works, or something does not."""
RECORD = "doctor-record.jsonl"
"""The file of --record where none is named."""
MOST_NAMES = 10
"""Servers that a message about a wrong name lists."""
DIRECT = ("transport", "user", "keytab", "scheme", "port", "ca", "no_verify")
"""Options that describe the one server of the command line; an inventory says these things itself."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", nargs="?", metavar="HOST[:PORT]", help="one server, without an inventory")
    parser.add_argument("--inventory", metavar="FILE", help="the servers to examine (YAML, or Ansible's)")
    parser.add_argument("--server", metavar="GLOB", action="append", default=[], help="only these; repeatable")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the text")
    add_out(parser)
    parser.add_argument(
        "--record",
        metavar="FILE",
        nargs="?",
        const=RECORD,
        help=f"write what was read, without names, for a bug report; nothing is sent (FILE: {RECORD})",
    )
    direct = parser.add_argument_group("for HOST", f"The password is read from {PASSWORD}, or asked for.")
    transports = ("ntlm", "kerberos", "basic", "credssp")
    direct.add_argument("--transport", choices=transports, help="how to log in (ntlm)")
    direct.add_argument("--user", metavar="NAME", help=r"DOMAIN\name, or a local account; for kerberos name@REALM")
    direct.add_argument("--keytab", metavar="FILE", help="keys for kerberos, in place of your own ticket")
    direct.add_argument("--scheme", choices=("https", "http"), help="https (port 5986) or http (5985)")
    direct.add_argument("--port", type=int, metavar="N", help="where the listener has a port of its own")
    direct.add_argument("--ca", metavar="FILE", help="certificates (PEM) to trust instead of the public authorities")
    direct.add_argument("--no-verify", action="store_true", help="accept any certificate")


def real_world() -> World:
    adapt(sys.stdout)
    ask = getpass.getpass if is_terminal(sys.stdin) else None
    return World(ask=ask)


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """Return the exit code. UsageError for a mistake in an option, a file or a credential: nothing was sent then."""
    world = world or real_world()
    if options.out is None:
        return _run(options, world)
    refuse_out(options.out, (Path(name) for name in (options.inventory, options.record) if name))
    report = StringIO()
    code = _run(options, replace(world, out=report))
    write_lines(report.getvalue().split("\n")[:-1], world.out, options.out)
    return code


def _run(options: argparse.Namespace, world: World) -> int:
    inventory, text = _inventory(options, world)
    entries = _chosen(inventory, options.server)
    credentials = _credentials(entries, inventory, options, world)
    if options.record:
        try:
            refuse_unwritable(Path(options.record))
        except SnapshotError as error:
            raise UsageError(f"{error}: name another file by --record") from error
    began = datetime.now(UTC)
    examinations: list[Examination] = []
    for examination in _examined(inventory, entries, credentials):
        examinations.append(examination)
        if not options.json:
            _say(world, examination_lines(examination, world.width))
            if step := next_step(examination):
                _say(world, next_lines(step, _again(options, examination), world.width))
            if text and examination.logged_in:
                _say(world, way_in(text, world.width))
    if options.json:
        inventories = [text if examination.logged_in else None for examination in examinations]
        steps = [next_step(examination) for examination in examinations]
        text = document(examinations, tool=tool(), time=began.isoformat(), inventories=inventories, next_steps=steps)
        world.out.write(f"{text}\n")
    else:
        world.out.write(f"{summary(examinations)}\n")
    if options.record:
        _record(world, inventory, examinations, began, Path(options.record))
    return WORKS if all(examination.works for examination in examinations) else STUCK


def _again(options: argparse.Namespace, examination: Examination) -> str:
    """Return the command that tries one server of an inventory again; empty where the command line was about one."""
    if options.inventory is None:
        return ""
    return doctor_command(str(options.inventory), examination.name)


# --- whom to examine, and as whom -------------------------------------------------------------------------------------


def _inventory(options: argparse.Namespace, world: World) -> tuple[Inventory, str | None]:
    """The inventory, and its text where it was made from the command line."""
    if (options.host is None) == (options.inventory is None):
        raise UsageError(
            f"name one server (HOST), or a file of them (--inventory FILE): `{PROGRAM} init` asks for servers and "
            "writes one"
        )
    if options.inventory is not None:
        if stray := [name for name in DIRECT if getattr(options, name)]:
            raise UsageError(f"--{stray[0].replace('_', '-')} is for HOST: an inventory says it itself")
        if not Path(options.inventory).exists():
            raise UsageError(f"{options.inventory}: is not there: name another file, or write one by `{PROGRAM} init`")
        inventory = read_any(Path(options.inventory), world=world)
        if inventory.snapshot:
            raise UsageError(f"{options.inventory}: names a snapshot; the doctor examines servers: name one (HOST)")
        return inventory, None
    if options.server:
        raise UsageError("--server chooses from an inventory: give --inventory FILE")
    options.transport, options.scheme = options.transport or "ntlm", options.scheme or "https"
    refuse_two_ports(options)
    text = inventory_text(options)
    return inventory_from(text), text


def _chosen(inventory: Inventory, patterns: Sequence[str]) -> list[Entry]:
    names = [entry.name for entry in inventory.hosts]
    if vain := [pattern for pattern in patterns if not any(any_matches([pattern], [name]) for name in names)]:
        more = ", …" if len(names) > MOST_NAMES else ""
        raise UsageError(f"--server {vain[0]}: no server is called so; there are {', '.join(names[:MOST_NAMES])}{more}")
    return [entry for entry in inventory.hosts if not patterns or any_matches(patterns, [entry.name])]


def _credentials(
    entries: Sequence[Entry], inventory: Inventory, options: argparse.Namespace, world: World
) -> dict[str, Credential]:
    if options.host is None or options.transport not in WITH_A_PASSWORD:
        return credentials_of(entries, inventory, world)
    if not options.user:
        raise UsageError(rf'--transport {options.transport} needs --user: give --user "DOMAIN\name"')
    return {CREDENTIAL: Credential(username=options.user, password=_password(options.user, world))}


def _password(user: str, world: World) -> Secret:
    try:
        return Secret(world.environ.get(PASSWORD, "")) or from_prompt(user, world.ask)
    except UsageError as error:
        raise UsageError(
            f"the password is read from {PASSWORD}, or asked for on a terminal: there is neither; set it, or use one"
        ) from error


def _examined(
    inventory: Inventory, entries: Sequence[Entry], credentials: Mapping[str, Credential]
) -> Iterator[Examination]:
    """One after the other: what one server says of a credential decides whether the next one is sent it."""
    refusals = Refusals()
    for entry in entries:
        credential = credentials.get(entry.login) if entry.login else None
        yield examine(entry, credential, inventory.limits, lambda: datetime.now(UTC), refusals)


# --- what is told beside the steps ------------------------------------------------------------------------------------


def _say(world: World, lines: Iterable[str]) -> None:
    """A paragraph; at once, since the next server may take minutes."""
    world.out.writelines(f"{line}\n" for line in (*lines, ""))
    world.out.flush()


def _record(
    world: World, inventory: Inventory, examinations: Sequence[Examination], began: datetime, path: Path
) -> None:
    snapshot = Snapshot(
        estate=inventory.name,
        time=began,
        tool=tool(),
        inventory_digest=inventory.digest,
        settings=inventory.settings,
        servers=tuple(examination.source for examination in examinations),
    )
    write_snapshot(anonymised(snapshot), path)
    world.err.write(
        f"{path} holds what was read with names, addresses, identifiers and texts replaced and no credential, and is "
        "sent nowhere: look at it (JSON lines), then attach it to your report, where it gives the same verdicts "
        f"({PROGRAM} audit --snapshot {path}).\n"
    )
