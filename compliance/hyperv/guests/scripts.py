"""The script that applies an address: for what it writes, how many files it takes, and whether it makes them count.

A daemon hands over one file in the form of ifcfg, and from kernel 6.6 on a second one, a keyfile of NetworkManager's
(torvalds/linux 42999c904612). Distributions write the script: RHEL 9.5's ends unless it gets the second file, Ubuntu's
unless it gets exactly one, and then nothing is applied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.hyperv.guests.lines import MOST_LETTERS, KeyValue, all_values, first_value, read_pairs, split_groups
from compliance.model import Script, Stack, Takes, Unread

KEYFILE = "NetworkManager/system-connections"
IFCFG = "sysconfig/network-scripts"
INTERFACES = "/etc/network/interfaces"
NMCLI = "nmcli"
BY_FILE = frozenset({KEYFILE, IFCFG})
"""Files of connections that NetworkManager reads when it is asked to."""

STACKS: Mapping[str, Stack] = {
    NMCLI: Stack.NETWORK_MANAGER,
    KEYFILE: Stack.NETWORK_MANAGER,
    "/etc/netplan": Stack.NETPLAN,
    "netplan apply": Stack.NETPLAN,
    INTERFACES: Stack.IFUPDOWN,
    IFCFG: Stack.IFCFG,
    "sysconfig/network/": Stack.WICKED,
    "wicked": Stack.WICKED,
    "systemd/network": Stack.NETWORKD,
    "networkctl": Stack.NETWORKD,
    "rc.conf": Stack.RC_CONF,
}
"""What stands in a script outside of comments -> what it configures by that."""

FOLDERS: Mapping[str, str] = {
    KEYFILE: "/etc/NetworkManager/system-connections",
    IFCFG: "/etc/sysconfig/network-scripts",
    INTERFACES: INTERFACES,
    "/etc/netplan": "/etc/netplan",
    "sysconfig/network/": "/etc/sysconfig/network",
    "systemd/network": "/etc/systemd/network",
    "rc.conf": "/etc/rc.conf",
}
"""Of these the ones that are files, with what has to be writable; all others are asked over D-Bus."""

MOST_OF_A_SCRIPT = 3500
"""Letters of its lines. Our script cuts at 3,600; what is longer was not read to its end."""


ANY = Takes()


@dataclass(frozen=True, slots=True)
class ScriptEffect:
    """What the script does. ``loads``: makes NetworkManager load the connection that it writes."""

    writes: tuple[Stack, ...] | Unread
    folders: tuple[str, ...] = ()
    takes: Takes = ANY
    loads: bool | Unread = True
    calls_ifup: bool | None = None


def state_of(script: str | Unread, section: Sequence[KeyValue]) -> Script | Unread:
    """Return whether the script that the daemon calls is there and executable."""
    if isinstance(script, Unread):
        return script
    group = _group(script, section)
    if not group:
        closed = script in all_values(section, "closed")
        return Unread(f"the folder of {script} is closed to this account") if closed else Script.MISSING
    return Script.THERE if ("executable", "yes") in group else Script.NOT_EXECUTABLE


def effect_of(
    script: str | Unread, state: Script | Unread, section: Sequence[KeyValue], lines: str | None, hands_over: int | None
) -> ScriptEffect:
    """Return what the script does, by the words that stand in it and by its lines.

    ``lines``: the section of our script that holds them; None in snapshots of versions before 0.2. ``hands_over``: the
    number of files that the daemon calls it with, where that is known.
    """
    if isinstance(script, Unread) or isinstance(state, Unread):
        return ScriptEffect(Unread("it was not read"))
    if state is not Script.THERE:
        return ScriptEffect(())
    group = _group(script, section)
    if ("content", "read") not in group:
        return ScriptEffect(Unread(f"{script} can't be read by this account"))
    words = dict.fromkeys(word for word in all_values(group, "writes") if word in STACKS)
    if not words:
        return ScriptEffect(Unread(f"{script} names no file or tool of a network stack that we know"))
    stacks = dict.fromkeys(STACKS[word] for word in words)
    if NMCLI in words:
        stacks.pop(Stack.IFCFG, None)  # NetworkManager reads the ifcfg file that nmcli names; no ifup does
    folders = tuple(FOLDERS[word] for word in words if word in FOLDERS)
    if ("lines", "read") not in group:
        takes = _takes_by_words(words, hands_over)
        return ScriptEffect(tuple(stacks), folders, takes, NMCLI in words or not BY_FILE & set(words))
    code = _lines_of(script, lines)
    if isinstance(code, Unread):
        return ScriptEffect(tuple(stacks), folders, Takes(doubt=str(code)), code if BY_FILE & set(words) else True)
    calls_ifup = any(IFUP.search(line) for line in code)
    return ScriptEffect(tuple(stacks), folders, takes_by_lines(code), _loads(words, code), calls_ifup)


def _group(script: str, section: Sequence[KeyValue]) -> list[KeyValue]:
    return next((group for group in split_groups(section, "script") if group[0][1] == script), [])


def _lines_of(script: str, section: str | None) -> tuple[str, ...] | Unread:
    """Return the script's lines; they are printed once where its folder has two names (/sbin is /usr/sbin)."""
    if section is None or len(section) >= MOST_LETTERS - 1:
        return Unread(f"the lines of {script} were not read")
    groups = read_pairs(section)
    folder = first_value(_group(script, groups), "folder")
    same = [group for group in split_groups(groups, "script") if folder and first_value(group, "folder") == folder]
    if not same:
        return Unread(f"the lines of {script} were not read")
    code = all_values(same[0], "line")
    if sum(map(len, code)) >= MOST_OF_A_SCRIPT:
        return Unread(f"{script} is longer than what we read of a script")
    return code


# --- how many files it takes ------------------------------------------------------------------------------------------


def _takes_by_words(words: Mapping[str, None], hands_over: int | None) -> Takes:
    """Return what the scripts of distributions take that have these words: a keyfile is the second file."""
    if KEYFILE in words and IFCFG not in words:
        return Takes(least=2)
    if INTERFACES in words and hands_over != 1:
        return Takes(doubt="Ubuntu's takes exactly one, and the lines of this one were not read")
    return Takes()


COUNTED = re.compile(
    r"(?:\$\{?#\}?|len\((?P<argv>(?:sys\.)?argv)\))[\"']?\s*(?P<test>-ne|-eq|-lt|-le|-gt|-ge|!=|==|=|<=|>=|<|>)"
    r"\s*[\"']?(?P<number>[0-9])\b"
)
"""``[ $# -ne 2 ]``, ``(( $# < 2 ))``, ``len(sys.argv) != 2``, which counts the script itself."""
MISSING = re.compile(r"(?:-z\s+|!\s+-[a-z]\s+)\"?\$\{?([2-9])\b|\"x?\$\{?([2-9])[^\"]*\"\s*==?\s*(?:\"\"|''|\"?x\"?)")
"""``[ -z "$2" ]``, ``[ ! -f "$2" ]``, ``[ "$2" = "" ]``."""
PRESENT = re.compile(r"-[nefrs]\s+\"?\$\{?([2-9])\b")
REQUIRED = re.compile(r"\$\{([2-9]):?\?")
OPTIONAL = re.compile(r"\$\{([2-9]):?[-+]")
USED = re.compile(r"(?<!\\)\$\{?([2-9])\b|argv\[([2-9])\]")
HIDDEN = re.compile(r"\$\{?#|\$\{?[@*]|argv(?!\[[0-9])|argparse|\bshift\b|\bset\s+--")
"""By which a script may count its arguments in ways that are not read here."""
ENDS = re.compile(r"\b(?:exit|return|raise|die|quit|_exit)\b")
CLOSES = re.compile(r"^(?:else|elif|fi|\}|;;|esac|done)\b|^\}")
FUNCTION = re.compile(r"^(?:function\s+\w+|\w+\s*\(\)|def\s)")

NEGATED = {"-ne": "-eq", "-eq": "-ne", "-lt": "-ge", "-ge": "-lt", "-gt": "-le", "-le": "-gt"}
SPELLED = {"!=": "-ne", "==": "-eq", "=": "-eq", "<": "-lt", "<=": "-le", ">": "-gt", ">=": "-ge"}


def takes_by_lines(code: Sequence[str]) -> Takes:
    """Return how many files a script of shell or Python takes before it ends for want, or for more, of them."""
    code = [_without_quoted(line) for line in code]
    least, most, doubt = 1, None, ""
    handled: set[str] = set()
    for at, line in enumerate(code):
        refuses = _refuses(code, at)
        for match in COUNTED.finditer(line):
            test = SPELLED.get(match["test"], match["test"])
            number = int(match["number"]) - bool(match["argv"])
            if refuses is None:
                doubt = "it counts its files in a way that we don't read"
                continue
            low, high = _bounds(test if refuses else NEGATED[test], number)
            least, most = max(least, low), high if most is None else min(most, most if high is None else high)
        for match in MISSING.finditer(line):
            argument = match[1] or match[2]
            handled.add(argument)
            if refuses:
                least = max(least, int(argument))
        for match in PRESENT.finditer(line):
            handled.add(match[1])
            if refuses is False:
                least = max(least, int(match[1]))
        for match in REQUIRED.finditer(line):
            least = max(least, int(match[1]))
        handled |= {match[1] for match in OPTIONAL.finditer(line)}
    used = {match[1] or match[2] for line in code for match in USED.finditer(line)} - handled
    functions = any(FUNCTION.search(line) for line in code)
    if more := [int(number) for number in used if int(number) > least]:
        if functions:
            doubt = "its functions have arguments of their own"
        else:
            least = max(more)
    elif not doubt and most is None and least == 1 and _counts_unseen(code):
        doubt = "it counts its files in a way that we don't read"
    return Takes(least=least, most=most, doubt=doubt)


def _counts_unseen(code: Sequence[str]) -> bool:
    return any(HIDDEN.search(COUNTED.sub("", line)) for line in code)


def _without_quoted(line: str) -> str:
    """Return a line without what a shell does not expand: awk's own ``$2`` stands between single quotes."""
    return line if "argv" in line else re.sub(r"'[^']*'", "''", line)


def _refuses(code: Sequence[str], at: int) -> bool | None:
    """Return whether the script ends where the condition of that line holds; False: where it does not hold; None:
    not known."""
    line = code[at]
    _, or_else, behind = line.partition("||")
    if or_else and ENDS.search(behind) and "&&" not in behind:
        return False if not COUNTED.search(behind) else None
    _, and_then, behind = line.partition("&&")
    if and_then and ENDS.search(behind):
        return True
    if ENDS.search(line):
        return True
    if not re.match(r"(?:if|elif)\b", line):
        return None
    for later in code[at + 1 : at + 5]:
        if CLOSES.search(later):
            return None
        if ENDS.search(later):
            return True
    return None


def _bounds(refused: str, number: int) -> tuple[int, int | None]:
    """Return least and most of what passes a test that refuses."""
    return {
        "-ne": (number, number),
        "-lt": (number, None),
        "-le": (number + 1, None),
        "-gt": (1, number),
        "-ge": (1, number - 1),
        "-eq": (number + 1, None) if number < 2 else (1, None),
    }[refused]


# --- whether NetworkManager gets to know ------------------------------------------------------------------------------

LOADS = re.compile(
    r"\b(?:c|con|conn|connection)\s+(?:load|reload|add|modify|mod|import)\b"
    r"|\b(?:restart|reload|reload-or-restart|try-restart|force-reload)\s+NetworkManager\b"
    r"|\bNetworkManager(?:\.service)?\s+(?:restart|reload|force-reload)\b"
    r"|\b(?:busctl|dbus-send|gdbus)\b.*NetworkManager"
)
"""What makes NetworkManager read its files again; it does not watch them. ``up`` starts what was loaded before."""


IFUP = re.compile(r"\bifup\b")


def _loads(words: Mapping[str, None], code: Sequence[str]) -> bool | Unread:
    if NMCLI not in words and not BY_FILE & set(words):
        return True
    if any(LOADS.search(line) for line in code):
        return True
    if any(NMCLI in line or IFUP.search(line) for line in code):
        return Unread("it calls nmcli or ifup in a way that we don't read")
    return False
