"""One variable's text: names of other variables put in, vaulted values opened. Jinja itself is not spoken.

`ansible-inventory` prints templates as they are written. What people write for logins is nearly always the name of
another variable (`{{ vault_password }}`), so names are resolved, and all else is a mistake that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from compliance.inventory.ansible.hosts import Content, Host, Literal, Other, Value, Vaulted

NAME = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}")
JINJA = re.compile(r"\{\{|\{%|\{#")
DEEPEST = 8
LONGEST = 20_000


class UnusableError(ValueError):
    """A variable that can't be understood; ``str(error)`` names it and repeats nothing of it."""


def content_of(host: Host, name: str) -> Content:
    """A variable's value as it is written; None where it is not set, or empty."""
    value = host.variables.get(name)
    if value is None or (isinstance(value.content, str) and not value.content.strip()):
        return None
    return value.content


def text_of(host: Host, name: str, open_vault: Callable[[str], str] | None = None) -> str | None:
    """A variable's text. UnusableError where it is none, or needs what can't be had here."""
    return _resolved(content_of(host, name), name, magic_of(host) | dict(host.variables), open_vault, DEEPEST)


def magic_of(host: Host) -> dict[str, Value]:
    """Variables that Ansible makes by itself, as far as an address or a user may be written with them."""
    short = host.name.partition(".")[0]
    names = {"inventory_hostname": host.name, "inventory_hostname_short": short}
    return {name: Value(content=Literal(text), origin="inventory_hostname") for name, text in names.items()}


def _resolved(
    content: Content,
    name: str,
    variables: Mapping[str, Value],
    open_vault: Callable[[str], str] | None,
    room: int,
) -> str | None:
    if isinstance(content, Literal):
        return content.text
    if isinstance(content, Vaulted):
        if open_vault is None:
            raise UnusableError(f"{name}: encrypted by ansible-vault")
        return open_vault(content.cipher).removesuffix("\n")
    if isinstance(content, Other):
        raise UnusableError(f"{name}: expected text, got {content.what}")
    if isinstance(content, tuple):
        raise UnusableError(f"{name}: expected text, got a list")
    if content is None or not JINJA.search(content):
        return content

    def named(match: re.Match[str]) -> str:
        inner = match[1]
        if not room:
            raise UnusableError(f"{name}: a template that leads to itself")
        if inner not in variables:
            raise UnusableError(f"{name}: a template with {inner}, which is not set for this host")
        return _resolved(variables[inner].content, name, variables, open_vault, room - 1) or ""

    if JINJA.search(NAME.sub("", content)) or len(content) > LONGEST:
        raise UnusableError(f"{name}: a Jinja expression, of which only names such as {{{{ user }}}} are resolved")
    return NAME.sub(named, content)
