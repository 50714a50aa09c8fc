"""Return the text of one variable: names of other variables and of the environment put in, vaulted values opened.

`ansible-inventory` prints templates as they are written. What people write for logins is nearly always a name
(`{{ vault_password }}`, `{{ lookup('env', 'HV_PASSWORD') }}`), in large or small letters at most (`| upper`,
`| lower`): these are resolved. Nothing else of Jinja is evaluated, and a mistake says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from compliance.inventory.ansible.hosts import Content, Host, Literal, Other, VariableValue, Vaulted

EXPRESSION = re.compile(
    r"""(?:(?<!\s)\s*\{\{-|\{\{)\s*          # a dash takes the blanks before it away
    (?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      |lookup\s*\(\s*(?P<q>['"])(?:ansible\.builtin\.)?env(?P=q)\s*,\s*(?P<p>['"])(?P<env>[^'"{}\s]+)(?P=p)\s*\))
    (?P<filters>(?:\s*\|\s*(?:upper|lower))*)
    \s*(?:-\}\}\s*|\}\})""",
    re.VERBOSE,
)
JINJA = re.compile(r"\{\{|\{%|\{#")
FILTERS: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower}
UNKNOWN = (
    "a Jinja expression, of which only names such as {{ user }}, {{ lookup('env', 'USER') }}, `| upper` and `| lower` "
    "are resolved"
)
OURS = "COMPLIANCE_"
"""Variables of the environment that begin so hold credentials of our own, which are no part of any other value."""
DEEPEST = 8
LONGEST = 20_000

Open = Callable[[str], str]


class UnusableError(ValueError):
    """A variable that can't be understood; ``str(error)`` names it and repeats nothing of it."""


def content_of(host: Host, name: str) -> Content:
    """Return a variable's value as it is written; None where it is not set, or empty."""
    value = host.variables.get(name)
    if value is None or (isinstance(value.content, str) and not value.content.strip()):
        return None
    return value.content


def text_of(host: Host, name: str, open_vault: Open | None = None, read_environ: Open | None = None) -> str | None:
    """Return a variable's text. UnusableError where it is none, or needs what can't be had here.

    ``open_vault`` takes a cipher. ``read_environ`` takes the name of a variable of the environment, and stands in place
    of looking it up.
    """

    def look_up(variable: str) -> str:
        if variable.upper().startswith(OURS):
            raise UnusableError(f"{name}: {variable} holds a credential of ours: name it by hyperv_credential")
        text = host.environ.get(variable, "")
        if not text:
            raise UnusableError(f"{name}: the environment variable {variable} is not set")
        return text

    variables = magic_of(host) | dict(host.variables)
    return _Template(name, variables, open_vault, read_environ or look_up).resolved(content_of(host, name))


def magic_of(host: Host) -> dict[str, VariableValue]:
    """Return variables that Ansible makes by itself, as far as an address or a user may be written with them."""
    short = host.name.partition(".")[0]
    names = {"inventory_hostname": host.name, "inventory_hostname_short": short}
    return {name: VariableValue(content=Literal(text), origin="inventory_hostname") for name, text in names.items()}


@dataclass(frozen=True, slots=True)
class _Template:
    name: str
    variables: Mapping[str, VariableValue]
    open_vault: Open | None
    read_environ: Open

    def resolved(self, content: Content, room: int = DEEPEST) -> str | None:
        if isinstance(content, Literal):
            return content.text
        if isinstance(content, Vaulted):
            if self.open_vault is None:
                raise UnusableError(f"{self.name}: encrypted by ansible-vault")
            return self.open_vault(content.cipher).removesuffix("\n")
        if isinstance(content, Other):
            raise UnusableError(f"{self.name}: expected text, got {content.what}")
        if isinstance(content, tuple):
            raise UnusableError(f"{self.name}: expected text, got a list")
        if content is None or not JINJA.search(content):
            return content
        if len(content) > LONGEST or JINJA.search(EXPRESSION.sub("", content)):
            raise UnusableError(f"{self.name}: {UNKNOWN}")
        return EXPRESSION.sub(lambda match: self._value(match, room), content)

    def _value(self, match: re.Match[str], room: int) -> str:
        inner = match["name"]
        if not inner:
            text = self.read_environ(match["env"])
        elif not room:
            raise UnusableError(f"{self.name}: a template that leads to itself")
        elif inner not in self.variables:
            raise UnusableError(f"{self.name}: a template with {inner}, which is not set for this host")
        else:
            text = self.resolved(self.variables[inner].content, room - 1) or ""
        for word in re.findall(r"\w+", match["filters"]):
            text = FILTERS[word](text)
        return text
