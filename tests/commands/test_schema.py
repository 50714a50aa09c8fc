"""`schema NAME`: the files that come with the program, which are those that the models give."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from compliance.__main__ import main
from compliance.commands.schema import NAMES, schema_file
from compliance.files.json_schema import json_schema
from compliance.gate.policy import PolicyBlock
from compliance.gate.waivers import WaiverDocument

OF_MODELS = {"policy": (PolicyBlock, "Policy"), "waivers": (WaiverDocument, "Waivers")}
REGENERATE = "python -m tests.commands.test_schema"
WAIVER = {"rule": "server-was-read", "server": "hv01", "reason": "r", "owner": "o", "expires": "2026-12-31"}
# Kind of file, what it holds, and whether it fits.
DOCUMENTS: list[tuple[str, object, bool]] = [
    ("inventory", {"servers": ["hv01", {"name": "hv02"}], "defaults": {"credential": "audit"}}, True),
    ("inventory", {"servers": [1]}, False),
    ("policy", {"fail_at": "error", "rules": {"guest-can-apply-failover-ip": "off"}}, True),
    ("policy", {"fail_at": "loud"}, False),
    ("waivers", {"waivers": [WAIVER]}, True),
    ("waivers", {"waivers": [{"rule": "server-was-read"}]}, False),
]


@pytest.mark.parametrize("name", OF_MODELS)
def test_a_schema_is_up_to_date(name: str) -> None:
    assert json.loads(schema_file(name).read_bytes()) == json_schema(*OF_MODELS[name]), f"run: {REGENERATE}"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_printed_whole(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    out = tmp_path / "out.json"
    assert main(["schema", name, "--out", str(out)]) == 0
    assert json.loads(out.read_bytes()) == schema
    assert out.read_bytes() == schema_file(name).read_bytes()


@pytest.mark.parametrize(("name", "document", "fits"), DOCUMENTS)
def test_what_fits(name: str, document: object, fits: bool) -> None:
    schema = json.loads(schema_file(name).read_bytes())
    assert jsonschema.Draft202012Validator(schema).is_valid(document) is fits


def test_a_place_that_can_not_be_written_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "policy", "--out", str(tmp_path)]) == 4
    assert capsys.readouterr().err.startswith("ERROR: --out ")


if __name__ == "__main__":
    inventories = Path(__file__).parents[2] / "inventories"
    for name, (model, title) in OF_MODELS.items():
        text = f"{json.dumps(json_schema(model, title), indent=2)}\n"
        (inventories / f"{name}.schema.json").write_text(text, encoding="utf-8", newline="\n")
