"""Nobody's text leaves its quotes in a command, whatever a host, a guest or a file wrote."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.rules.remedies.advice import Advice
from compliance.rules.remedies.case import Family
from compliance.rules.remedies.command import Command, Shell
from compliance.rules.remedies.hosts import PLACEHOLDER
from compliance.rules.remedies.quoting import UnquotableError, quote_guid, quote_powershell, quote_sh
from compliance.rules.remedies.remedy import REMEDIES
from tests.rules.remedies.cases import GUID, NIC_GUID, case, families, sides
from tests.test_powershell import errors

QUOTES = "'\u2018\u2019\u201a\u201b"
"""Each ends a single-quoted string of PowerShell's, and two of them are one."""
OUTSIDE = re.compile(r"(?:[A-Za-z0-9 ,|;&$(){}_./>-]|<[A-Z]+>)*")
"""What a command of ours may hold outside of quotes, the places among it that an administrator fills in."""
HOSTILE = [
    "x'; Remove-VM *; '",
    "x\u2019; Remove-VM *; \u2018",
    "\u201b;calc;\u201a",
    "$(reboot)",
    "`reboot`",
    "a\nreboot",
    "a\u2028reboot",
    "a\u202egnp.exe",
    "a\x00b",
    "--help",
    "'",
    "''",
    "\u2019",
    "*",
    "x && reboot",
    "\ud800",
    "\u00a0",
    "",
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(alphabet=st.sampled_from([*QUOTES, *'a;$`|&"\\ \n*']), max_size=12))


def strings(command: str) -> tuple[str, list[str]]:
    """Return a PowerShell command with each single-quoted string as '', and what these hold; AssertionError where one
    does not end. As PowerShell's own tokenizer takes them (ScanStringLiteral)."""
    skeleton, values, at = "", [], 0
    while at < len(command):
        if command[at] not in QUOTES:
            skeleton, at = skeleton + command[at], at + 1
            continue
        value, at = "", at + 1
        while True:
            assert at < len(command), f"a string does not end: {command}"
            if command[at] not in QUOTES:
                value, at = value + command[at], at + 1
            elif command[at + 1 : at + 2] and command[at + 1] in QUOTES:
                value, at = value + command[at + 1], at + 2
            else:
                at += 1
                break
        skeleton += "''"
        values.append(value)
    return skeleton, values


@dataclass(frozen=True)
class Origin:
    """Where a command comes from: a way to mend a cause, on a family of guests."""

    cause: str
    way: Advice
    family: Family | None

    def command(self, text: str, guid: str = GUID, nic_guid: str = NIC_GUID) -> Command | None:
        """Return it where hosts and guests call everything ``text``."""
        vm = sides(text, guid=guid, nic_guid=nic_guid)
        return self.way.command(case(self.cause, self.family, text, vm=vm, adapter_guid=nic_guid))


def origins() -> Mapping[Command, Origin]:
    """Return each command that there is, with one of its origins."""
    every = (Origin(cause, way, family) for cause, ways in REMEDIES.items() for way in ways for family in families())
    return {command: origin for origin in every if (command := origin.command("app01"))}


BENIGN = origins()


@given(TEXTS)
@example("a'b")
def test_a_string_of_powershells_comes_back_whole(text: str) -> None:
    if not text or not text.isprintable():
        with pytest.raises(UnquotableError):
            quote_powershell(text)
        return
    assert strings(f"a {quote_powershell(text)} b") == ("a '' b", [text])


@given(TEXTS)
def test_a_word_of_shs_comes_back_whole(text: str) -> None:
    if not text or not text.isprintable() or text.startswith("-"):
        with pytest.raises(UnquotableError):
            quote_sh(text)
        return
    assert shlex.split(f"a {quote_sh(text)} b") == ["a", text, "b"]


@pytest.mark.parametrize("text", [*HOSTILE, f"{GUID}\n", f"{{{GUID}}}", GUID.replace("A", "\uff21"), f"{GUID}'"])
def test_what_is_no_guid_is_quoted_nowhere(text: str) -> None:
    with pytest.raises(UnquotableError):
        quote_guid(text)


@given(TEXTS)
@settings(max_examples=30)
def test_no_text_leaves_its_quotes_in_any_command(text: str) -> None:
    for benign, origin in BENIGN.items():
        command = origin.command(text)
        if command is None:
            continue
        assert command.text.isprintable(), command
        if command.shell is Shell.POWERSHELL:
            skeleton, _ = strings(command.text)
            assert OUTSIDE.fullmatch(skeleton.replace("''", "")), command
        else:
            assert OUTSIDE.fullmatch(unquoted(command.text)), command
            assert len(words(command)) == len(words(benign)), command


def words(command: Command) -> list[str]:
    """Return the words of a command of sh's; what our own text asks of the guest is none of them."""
    return shlex.split(command.text.replace("$(uname -r)", "release"))


def unquoted(command: str) -> str:
    """Return a command of sh's without what stands in quotes, as shlex.quote writes it."""
    return re.sub(r"""'[^']*'|"'\"""", "", command)


@given(TEXTS, TEXTS)
@settings(max_examples=30)
def test_what_has_no_guid_has_no_command_on_a_host(guid: str, nic_guid: str) -> None:
    made = [origin.command("app01", guid=guid, nic_guid=nic_guid) for origin in BENIGN.values()]
    assert [command for command in made if command and "Get-VM -Id" in command.text] == []


@pytest.mark.parametrize("command", BENIGN, ids=lambda command: command.text[-60:])
def test_a_command_is_one_of_its_shell(command: Command) -> None:
    """What changes something says what it would do."""
    if command.shell is Shell.SH:
        assert shlex.split(command.text)
        return
    # the grammar takes no digit in a parameter's name, which PowerShell's own has (-IPv4Address)
    text = re.sub("-IPv[46]", "-IPv", command.text)
    assert errors(PLACEHOLDER.sub("10.2.0.20", text)) == []
    # PowerShell's parser refuses a line with < outside of quotes, which its grammar has for a redirection
    assert "<" not in PLACEHOLDER.sub("", strings(text)[0]), text
    assert PLACEHOLDER.findall(text) == [] or "(fill in <" in command.where
    for part in re.split(r"[;|] ", command.text):
        reads = part.startswith(("Get-", "Where-Object", "Select-Object"))
        assert reads or part.strip().endswith("-WhatIf"), part


def test_a_guests_own_words_are_quoted() -> None:
    ours = "a b'; reboot"
    made = [command for origin in BENIGN.values() if (command := origin.command(ours))]
    assert {shlex.split(one.text)[-1] for one in made if one.text.startswith("systemctl")} == {ours}


@pytest.mark.parametrize("name", ["hv*", "hv 01", "-x", "hv'01", "hv[01]", "hv01\n"])
def test_a_server_whose_name_a_shell_would_read_gets_no_command(name: str) -> None:
    made = [origin.command(name) for origin in BENIGN.values()]
    assert all(f"--server {name}" not in command.text for command in made if command)
