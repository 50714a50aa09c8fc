"""Ansible inventories as Ansible itself resolves them: its two commands, as processes of their own.

Only commands are started, none of ansible-core is imported: it is GPL, and its Python is nobody's interface. It heeds
the user's own ansible.cfg and environment, ANSIBLE_VAULT_PASSWORD_FILE among it; nobody is there for it to ask.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath

from compliance.child import all_but_ours, run
from compliance.errors import InventoryError, ReadError, UsageError
from compliance.inventory.ansible.hosts import AnsibleHosts, Host, VariableValue, content_of
from compliance.words import printable, shorten
from compliance.world import find_command

LIST, VAULT = "ansible-inventory", "ansible-vault"
SECONDS = 120.0
"""For one command. Dynamic sources ask clouds and directories, which takes its time."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an answer: some 30,000 hosts."""
MOST_COMPLAINTS = 100_000
"""Bytes of what it says beside its answer."""
LONGEST_REASON = 300
CAUSES = (r"Failed to parse inventory: .", r"Expected ", r".*[Vv]ault")
"""Lines that say more than the error itself, the best first."""
OF_PLUGIN = re.compile(
    r"(?:Failed to parse inventory with '([\w.]+)' plugin|\* Failed to parse .* with ([\w.]+) plugin): (.+)"
)
"""Ansible tries one plugin after the other, and says why each failed: 2.19 in the first form, 2.18 in the second."""
BUILTIN = frozenset(
    {"script", "auto", "yaml", "ini", "toml", "host_list", "advanced_host_list", "constructed", "generator"}
)
ENDINGS = {"yaml": (".yml", ".yaml", ".json"), "ini": (".ini", ".cfg"), "toml": (".toml",)}
OF_ANOTHER_KIND = re.compile(
    r"no root 'plugin' key|Plugin configuration YAML file|could not be read as|[Uu]nable to read|YAML parsing failed|"
    r"Syntax Error while loading|Invalid host pattern '.*:' supplied|requires.* toml"
)
"""What a plugin says of a file of another kind: `auto` of one that names no plugin, `yaml` of one that does or that is
no YAML, `ini` of one that is."""
STRICT = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True"}
"""By default, what can't be read is a warning and an exit code of 0."""
QUIET = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_DEPRECATION_WARNINGS": "False", "PAGER": "cat"}


def list_hosts(path: Path, listing: str, environ: Mapping[str, str], seconds: float = SECONDS) -> AnsibleHosts:
    """``listing`` is the command. InventoryError with Ansible's own reason, in short."""
    where = printable(str(path))
    if _is_program(path) and not os.access(path, os.X_OK):  # Ansible would call it a list of hosts with mistakes
        raise InventoryError(f"{where}: a program that may not be executed: chmod +x it")
    answer = _answer([listing, "-i", _source(path), "--list"], where, environ, seconds)
    try:
        document = json.loads(answer)
        variables = dict(document["_meta"]["hostvars"])
        groups = {name: group for name, group in document.items() if name != "_meta" and isinstance(group, dict)}
        members = {name: _names(group.get("hosts")) for name, group in groups.items()}
        children = {name: _names(group.get("children")) for name, group in groups.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InventoryError(f"{where}: {LIST} did not answer with an inventory") from None
    origin = f"{where}, by {LIST}"
    own: dict[str, set[str]] = {}
    for group, names in members.items():
        for name in names:
            own.setdefault(name, set()).add(group)
    hosts = [
        Host(
            name=name,
            groups=_with_those_above(groups_of, children),
            variables=_values(variables.get(name), origin),
            file=where,
        )
        for name, groups_of in own.items()
    ]
    return AnsibleHosts(hosts=tuple(hosts), how=f"{where}: resolved by {LIST}")


def _is_program(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(2) == b"#!"
    return False


def _source(path: Path) -> str:
    """Absolute: what has a comma or a leading dash in it is otherwise no file for Ansible."""
    return str(path.absolute())


def _names(value: object) -> tuple[str, ...]:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()


def _values(variables: object, origin: str) -> dict[str, VariableValue]:
    if not isinstance(variables, dict):
        return {}
    return {str(name): VariableValue(content=content_of(value), origin=origin) for name, value in variables.items()}


def _with_those_above(groups: set[str], children: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    names = set(groups)
    while more := {name for name, below in children.items() if name not in names and names.intersection(below)}:
        names |= more
    return tuple(sorted(names - {"all", "ungrouped"}))


def decrypt(cipher: str, place: str, environ: Mapping[str, str], seconds: float = SECONDS) -> str:
    """Return what ansible-vault makes of one value. UsageError, which begins with ``place``."""
    vault = find_command(VAULT, environ)
    if vault is None:
        raise UsageError(f"{place}: encrypted by ansible-vault, which is not installed")
    text = "\n".join(line.strip() for line in cipher.strip().splitlines()) + "\n"
    return _answer([vault, "decrypt", "--output", "-"], place, environ, seconds, given=text)


# --- the process ------------------------------------------------------------------------------------------------------


def _answer(arguments: list[str], where: str, environ: Mapping[str, str], seconds: float, given: str = "") -> str:
    """Return its standard output. In a session of its own, without a terminal that it could ask for a password on.

    It gets every variable but ours: its plugins log in to clouds and directories by variables that only they know, and
    its own configuration is variables as well. Through pipes and never a file: an answer may hold passwords.
    """
    name = Path(arguments[0]).name
    try:
        ended = run(
            arguments,
            environ=all_but_ours(environ) | STRICT | QUIET,
            given=given.encode(),
            seconds=seconds,
            most=LARGEST,
            most_errors=MOST_COMPLAINTS,
        )
    except OSError as error:
        raise InventoryError(f"{where}: {name} can't be started: {error.strerror}") from error
    except ReadError as error:
        raise InventoryError(f"{where}: {name} {error}") from None
    if ended.status:
        raise InventoryError(f"{where}: {name} failed: {reason(ended.errors, arguments[2])}")
    return ended.output.decode(errors="replace")


def reason(complaints: bytes, source: str = "") -> str:
    """Return the line that is Ansible's error, after that of the plugin which understood most of ``source``.

    What they quote of a file may be a password: it goes.
    """
    text = complaints.decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"\[ERROR\]|ERROR!", line)]
    causes = [line for pattern in CAUSES for line in lines if re.match(pattern, line)]
    parts = re.split(r"\n(?=\[|ERROR!)|\n\s*\n", text)  # before 2.19 warnings are wrapped
    warnings = [" ".join(part.split()) for part in parts if part.startswith("[WARNING]")]
    best = _best_plugin(warnings, source)
    chosen = dict.fromkeys(_unquoted(line) for line in ([best] if best else causes[:1]) + errors[:1])
    return shorten("; ".join(chosen) or _unquoted(next(iter(lines), "it gave no reason")), LONGEST_REASON)


def _best_plugin(warnings: list[str], source: str) -> str | None:
    """Return what the plugin said that is meant for such a source: one that the user configured or that runs it as a
    program, then one whose own error it is, then the one for its name's ending; the last that was tried, else."""
    reasons = {match[1] or match[2]: match[3] for line in warnings if (match := OF_PLUGIN.search(line))}
    suffix = PurePath(source).suffix.lower()

    def understanding(name: str) -> tuple[int, bool, bool]:
        builtin = name.removeprefix("ansible.builtin.")
        special = 2 if builtin not in BUILTIN else int(builtin in ("script", "auto", "constructed", "generator"))
        fits = not OF_ANOTHER_KIND.search(reasons[name])
        return special if fits else 0, suffix in ENDINGS.get(builtin, ()), fits

    best = max(reasons, key=understanding, default=None)
    return None if best is None else reasons[best]


def _unquoted(line: str) -> str:
    line = re.sub(r"^(\[ERROR\]|ERROR!|\[WARNING\]):?\s*", "", line)
    line = re.sub(r"(Invalid value provided for '\w+'): .*", r"\1", line)
    return re.sub(r"\b(got|definition|found):? .*", r"\1 something else", line)
