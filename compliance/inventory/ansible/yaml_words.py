"""What a plain word of YAML is for Ansible, whose reader (PyYAML) keeps to YAML 1.1: `0123` is 83, `yes` is true.

The patterns are those of YAML 1.1's types (yaml.org/type: int, float, bool, null) as PyYAML 6 has them: other than
there, `y` and `n` are text, and a number with an exponent needs a point and a sign.
"""

from __future__ import annotations

import re

NOTHING = re.compile(r"~|null|Null|NULL|")
WORDS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
INTEGER = re.compile(
    r"""(?P<sign>[-+]?)(?:
      0b(?P<two>[01_]+)
      |0x(?P<sixteen>[0-9a-fA-F_]+)
      |(?P<sixty>[1-9][0-9_]*(?::[0-5]?[0-9])+)
      |0(?P<eight>[0-7_]+)
      |(?P<ten>0|[1-9][0-9_]*))""",
    re.VERBOSE,
)
FLOAT = re.compile(
    r"""(?P<number>[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?)|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)
    |(?P<sixty>[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)
    |(?P<infinite>[-+]?\.(?:inf|Inf|INF))
    |(?P<none>\.(?:nan|NaN|NAN))""",
    re.VERBOSE,
)
BASES = {"two": 2, "eight": 8, "ten": 10, "sixteen": 16}
LONGEST_NUMBER = 1000
"""Digits. PyYAML and Python refuse 4,300."""


def value_of(text: str) -> str | int | float | bool | None:
    """Return what a plain scalar stands for. ValueError for a number that is none, such as `0b_`, or too long."""
    if NOTHING.fullmatch(text):
        return None
    if text in (word := text.lower(), word.title(), word.upper()) and word in WORDS:
        return WORDS[word]
    if match := INTEGER.fullmatch(text) or FLOAT.fullmatch(text):
        if len(text) > LONGEST_NUMBER:
            raise ValueError("a number of too many digits")
        return _integer(match) if match.re is INTEGER else _float(match)
    return text


def _integer(match: re.Match[str]) -> int:
    sign = -1 if match["sign"] == "-" else 1
    if match["sixty"]:
        return sign * int(_sixty(match["sixty"]))
    base, digits = next((BASES[name], match[name]) for name in BASES if match[name])
    return sign * int(digits.replace("_", ""), base)


def _float(match: re.Match[str]) -> float:
    if match["none"]:
        return float("nan")
    if match["infinite"]:
        return float("-inf" if match[0].startswith("-") else "inf")
    if match["sixty"]:
        sign = -1 if match[0].startswith("-") else 1
        return sign * float(_sixty(match["sixty"].lstrip("+-")))
    return float(match["number"].replace("_", ""))


def _sixty(text: str) -> float | int:
    """Return the number that is written in base 60, as times are: `1:30` is 90."""
    result: float | int = 0
    for part in text.replace("_", "").split(":"):
        result = result * 60 + (float(part) if "." in part else int(part))
    return result
