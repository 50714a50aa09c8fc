"""The script that looks around in a guest, and its output taken apart.

One script, not testinfra's modules one by one: a round trip in place of some forty; one locale, whatever the account's
profile sets; and output that is cut short where it arises. testinfra's modules would also run what they find, such as
``python`` to guess an encoding, and keep all that a hostile guest says.
"""

from __future__ import annotations

import re
import secrets
from importlib import resources

from compliance.errors import ReadError, Why

COMMAND = "/bin/sh"
"""All that the guest's login shell, whichever it is, has to understand. The script comes by standard input: no
length of an argument limits it, no shell's quoting changes it, and it stands in no list of processes."""
BEGIN = "system"
END = "end"
NAME = re.compile(r"[a-z]{1,20}")
MOST_LETTERS = 8192
"""Of one section. The script cuts at as many bytes; a guest that does otherwise is cut here."""


def make_script(token: str) -> str:
    """Return the whole script. ``token`` parts the sections: nobody can have written it into a file of the guest."""
    return resources.files("compliance.gather.guests").joinpath("look.sh").read_text("ascii").replace("@TOKEN@", token)


def make_token() -> str:
    return secrets.token_hex(16)


def split_sections(output: bytes, token: str) -> dict[str, str]:
    """Return name -> text. What a profile prints before the first section, or a shell after the last, is in none.

    Raise ReadError where the output does not come from the script, or not to its end.
    """
    text = output.decode("utf-8", "replace")
    _, *parts = re.split(rf"(?m)^{re.escape(token)} (.*)\r?$", text)
    names, bodies = parts[::2], parts[1::2]
    if not names:
        raise ReadError("its shell printed nothing of our script's: is /bin/sh there, and allowed?", why=Why.BROKEN)
    if names[-1] != END:
        raise ReadError(f"its answer ends in the middle, after `{_quote_name(names[-1])}`", why=Why.INCOMPLETE)
    if names[0] != BEGIN or len(set(names)) < len(names) or not all(NAME.fullmatch(name) for name in names):
        raise ReadError("its answer is not in the order of our script", why=Why.BROKEN)
    return {name: body.strip("\r\n")[:MOST_LETTERS] for name, body in zip(names, bodies, strict=True) if name != END}


def _quote_name(name: str) -> str:
    return name if NAME.fullmatch(name) else "something else"
