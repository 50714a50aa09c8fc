"""What `init` asks where its options leave something open. One answer is one line; Enter takes what is usual."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from compliance.commands.init.draft import PASSWORD, Draft, DraftServer, hosts_of
from compliance.errors import UsageError
from compliance.program import PROGRAM
from compliance.words import printable

TRANSPORTS = ("ntlm", "kerberos", "credssp", "basic")
AGAIN = f"run `{PROGRAM} init` again"
LineReader = Callable[[str], str]
"""Shows a question and returns the line that is typed, as `input` does. EOFError where nothing is."""
Say = Callable[[Iterable[str]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialogue:
    """``read_line`` None: nobody is there to answer."""

    read_line: LineReader | None
    say: Say

    def draft(self, options: argparse.Namespace, path: Path) -> Draft:
        """Return what options and answers come to. UsageError where one is missing or is no answer."""
        hosts = hosts_of(" ".join(options.hosts), self._site(options)) if options.hosts else self._hosts(options)
        transport = options.transport or self.answer("Login (ntlm or kerberos; Enter for ntlm): ", "ntlm")
        if transport not in TRANSPORTS:
            raise UsageError(f"`{printable(transport)}` is no login, expected {', '.join(TRANSPORTS)}: {AGAIN}")
        draft = Draft(
            hosts=hosts,
            transport=transport,
            username=options.user or "",
            ca=options.ca or "",
            verify=not options.no_verify,
            path=path,
        )
        if draft.needs_password and not draft.username:
            draft = replace(draft, username=self.answer(r"Account (DOMAIN\name, or a local one): ", ""))
            if not draft.username:
                raise UsageError(rf'`{transport}` needs an account: give --user "DOMAIN\name"')
        return draft

    def authority(self) -> str:
        """Return the file of an authority's certificate as it was typed; empty where there is none."""
        while typed := self.answer("File of its authority (PEM; Enter to go on without): ", ""):
            if Path(typed).expanduser().is_file():
                return typed
            self.say([f"There is no file {printable(typed)}."])
        return ""

    def answer(self, question: str, usual: str) -> str:
        """Return the answer, or what is usual where Enter alone or nobody answers."""
        if self.read_line is None:
            return usual
        try:
            return self.read_line(question).strip() or usual
        except EOFError:
            raise UsageError(f"the answers ended before the questions, and nothing was written: {AGAIN}") from None

    def _site(self, options: argparse.Namespace) -> str:
        return options.site or self.answer("Site of these servers (Enter for none): ", "")

    def _hosts(self, options: argparse.Namespace) -> tuple[DraftServer, ...]:
        """Ask for the servers of one site after the other."""
        if self.read_line is None:
            raise UsageError(
                rf'there is no terminal to ask on: run `{PROGRAM} init HOST... --user "DOMAIN\name"`, the password '
                f"in {PASSWORD}"
            )
        self.say(["Name both sides, primary and replica servers: a guest's answer is seen where it runs."])
        hosts: list[DraftServer] = []
        question = "Servers (names or addresses, separated by blanks): "
        while typed := self.answer(question, ""):
            hosts += hosts_of(typed, self._site(options), hosts)
            question = "Servers of another site (Enter for no more): "
        if not hosts:
            raise UsageError(f"no server was named: {AGAIN}, or see `{PROGRAM} demo` first")
        return tuple(hosts)
