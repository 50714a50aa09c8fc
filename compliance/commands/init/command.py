"""`hyperv-compliance init`: asks for servers, login and site, tries the way there, and writes the inventory.

A password is asked for without an echo, used for this one try, and kept nowhere.
"""

from __future__ import annotations

import argparse
import getpass
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from compliance.commands.doctor.examination import Examination
from compliance.commands.doctor.next_step import next_step
from compliance.commands.doctor.text import next_lines, summary, trouble_lines
from compliance.commands.init.draft import PASSWORD, Draft
from compliance.commands.init.questions import TRANSPORTS, Dialogue, LineReader
from compliance.commands.init.trial import inventory_from, try_draft
from compliance.credentials.find import Credential
from compliance.credentials.terminal import is_terminal
from compliance.errors import UsageError
from compliance.files.whole import refuse_unwritable, replace_file
from compliance.program import PROGRAM, doctor_command
from compliance.secret import Secret
from compliance.words import plural, printable
from compliance.world import World

READY, STUCK = 0, 1
SITE = "site.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; what they leave open is asked for."""
    parser.epilog = (
        "Exit code: 0 where every server can be audited; 1 where one can't, and the inventory is written all the same; "
        "4 for a mistake. No password is written or shown."
    )
    parser.add_argument("hosts", nargs="*", metavar="HOST[:PORT]", help="the servers, those of both sides")
    parser.add_argument("--out", metavar="FILE", type=Path, default=Path(SITE), help=f"the inventory to write ({SITE})")
    parser.add_argument("--site", metavar="NAME", help="where the servers stand")
    parser.add_argument("--transport", choices=TRANSPORTS, help="how to log in (ntlm)")
    parser.add_argument("--user", metavar="NAME", help=r"DOMAIN\name, or a local account; for kerberos name@REALM")
    parser.add_argument("--ca", metavar="FILE", help="certificates (PEM) to trust instead of the public authorities")
    parser.add_argument("--no-verify", action="store_true", help="accept any certificate")
    parser.add_argument("--no-test", action="store_true", help="write the inventory without trying it")


def run(options: argparse.Namespace, world: World | None = None, read_line: LineReader | None = None) -> int:
    """Return the exit code. UsageError for a mistake in an option or an answer: nothing was written then."""
    if world is None:
        is_asked = is_terminal(sys.stdin)
        width = min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)
        world = World(width=width, ask=getpass.getpass if is_asked else None)
        read_line = input if is_asked else None

    def say(lines: Iterable[str]) -> None:
        """Print the lines at once: the next server may take minutes."""
        world.out.writelines(f"{printable(line)}\n" for line in lines)
        world.out.flush()

    path: Path = options.out
    _refuse_place(path)
    questions = Dialogue(read_line=read_line, say=say)
    draft = questions.draft(options, path)
    inventory_from(draft)  # a mistake in an answer is one before a password is asked for
    examinations: Sequence[Examination] = ()
    if not options.no_test:
        draft, examinations = try_draft(draft, _credential(draft, world), questions)
    with replace_file(path) as file:
        file.write(draft.yaml.encode())
    say(_end_lines(draft, examinations, world.width))
    return READY if all(examination.works for examination in examinations) else STUCK


def _refuse_place(path: Path) -> None:
    if path.exists():
        raise UsageError(f"{path}: is there already, and is kept: name another file by --out, or move it away")
    try:
        refuse_unwritable(path)
    except OSError as error:
        raise UsageError(f"{path}: can't be written ({error.strerror or error}): name another file by --out") from error


def _credential(draft: Draft, world: World) -> Credential | None:
    """Return the login, or None where none is needed: by the environment, else as it is typed."""
    if not draft.needs_password:
        return None
    password = Secret(world.environ.get(PASSWORD, ""))
    if not password and world.ask is not None:
        try:
            password = Secret(world.ask(f"Password of {printable(draft.username)} (not shown, not kept): "))
        except EOFError:
            password = Secret("")
    if not password:
        raise UsageError(f"no password was given: set {PASSWORD}, type it on a terminal, or add --no-test")
    return Credential(username=draft.username, password=password)


def _end_lines(draft: Draft, examinations: Sequence[Examination], width: int) -> Iterable[str]:
    for examination in examinations:
        yield from trouble_lines(examination, width)
        if step := next_step(examination):
            yield from next_lines(step, doctor_command(str(draft.path), examination.name), width)
            yield ""
    yield f"{draft.path}: written, {plural(len(draft.hosts), 'server')}, no password in it."
    if examinations:
        yield summary(examinations)
    if all(examination.works for examination in examinations):
        yield f"Next: {PROGRAM} audit {draft.path}"
        if draft.needs_password:
            yield f"It asks for the password; where nobody can be asked, set {PASSWORD}."
