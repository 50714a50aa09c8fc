"""docs/inventory-keys.md: every key of an inventory, from its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.docs.markdown import code, escaped, table_of
from tests.running import ROOT

SCHEMA = json.loads((ROOT / "inventories" / "inventory.schema.json").read_text(encoding="utf-8"))
PARTS = (
    ("At the top", "", "What concerns the estate as a whole."),
    ("A server", "Entry", "An entry of `servers:`. A name alone stands for an entry with nothing else."),
    ("A cluster", "ClusterEntry", "An entry of `clusters:`: these keys, and those of a server, for each of its nodes."),
    ("Defaults", "ServerKeys", "The keys of `defaults:` are those of a server without `name` and `address`."),
    ("A guest", "GuestEntry", "An entry of `guests:` for Linux and FreeBSD."),
    (
        "A Windows guest",
        "WindowsGuest",
        "With `winrm://`: these keys, and a server's for its listener.",
    ),
    ("A guest that Ansible knows", "AnsibleGuest", "An entry of `guests:` with `ansible://`."),
    (
        "A credential",
        "PasswordPlace",
        "Under a name in `credentials:`. [Where passwords are kept](credentials.md).",
    ),
    ("Limits", "Limits", "Under `limits:`. Times are seconds."),
    ("Policy", "PolicyBlock", "Under `policy:`, or in a file for `--hv-policy`. [The gate](gate.md) explains them."),
)
LIKE_A_SERVER = {"ClusterEntry", "WindowsGuest"}


def page() -> str:
    text = (
        "# Keys of an inventory\n\n"
        "[inventories/example.yaml](../inventories/example.yaml) shows them in use; editors complete them by "
        "[the schema](../inventories/inventory.schema.json). A key that is not here is a mistake, with its line. Files "
        "are looked for beside the inventory.\n"
    )
    return text + "".join(f"\n## {title}\n\n{says}\n\n{rows}" for title, says, rows in _parts() if rows)


def _parts() -> Iterator[tuple[str, str, str]]:
    server = SCHEMA["$defs"]["Entry"]["properties"]
    for title, name, says in PARTS:
        model = SCHEMA["$defs"][name] if name else SCHEMA
        known = {**model["properties"]}
        if name in LIKE_A_SERVER:
            known = {key: value for key, value in known.items() if key not in server or value != server[key]}
        if name == "ServerKeys":
            yield title, says, table_of(("key",), [(", ".join(map(code, known)),)])
        else:
            required = model.get("required", ())
            yield title, says, table_of(("key", "value", "if left out", "meaning"), _rows(known, required))


def _rows(keys: Mapping[str, Any], required: list[str]) -> Iterator[tuple[str, ...]]:
    for key, value in keys.items():
        default = "required" if key in required else code(_plain(value["default"])) if value.get("default") else ""
        if value.get("default") is False:
            default = "`false`"
        yield code(key), _kind(value), default, escaped(value.get("description", ""))


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).strip('"')


def _kind(value: Mapping[str, Any]) -> str:
    """Return what a key takes, in words."""
    if "anyOf" in value:
        kinds = dict.fromkeys(_kind(one) for one in value["anyOf"] if one != {"type": "null"})
        return " or ".join(kinds)
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return next((f"[keys](#{_anchor(title)})" for title, part, _ in PARTS if part == name), "keys")
    if "enum" in value:
        return ", ".join(map(code, value["enum"]))
    match value.get("type"):
        case "array":
            return f"a list: {_kind(value['items'])}"
        case "object":
            inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()))
            return f"names, each with {_kind(inner)}"
        case "boolean":
            return "`true`, `false`"
        case "integer" | "number":
            return _range(value)
    if "const" in value:
        return code(str(value["const"]))
    return "a file" if value.get("format") == "path" else "text"


def _range(value: Mapping[str, Any]) -> str:
    least, most = value.get("minimum", value.get("exclusiveMinimum")), value.get("maximum")
    over = "above " if "exclusiveMinimum" in value else ""
    return f"a number, {over}{least:g} to {most:g}"


def _anchor(title: str) -> str:
    return title.casefold().replace(" ", "-")
