"""Names of files as Windows has them, and files that another program holds open."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.running import DEMO, ROOT, RunCommand, RunPytest

SNAPSHOT = ROOT / "inventories" / "demo.jsonl.gz"
FOLDERS = ["with blanks and (signs)", "Zürich ß", "東京", "Ελλάδα und Україна", "deep/er/" + "x" * 60]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> bytes:
    """What a run in an ordinary folder writes."""
    folder = tmp_path_factory.mktemp("plain")
    assert run_pytest(folder, "--inventory", DEMO, "--hv-report-dir", "reports").returncode == 1
    return (folder / "reports" / "results.json").read_bytes()


@pytest.mark.parametrize("name", FOLDERS)
def test_an_estate_in_a_folder_of_any_name(name: str, expected: bytes, tmp_path: Path, run_pytest: RunPytest) -> None:
    (folder := tmp_path / name).mkdir(parents=True)
    (folder / "dëmo.jsonl.gz").write_bytes(SNAPSHOT.read_bytes())
    (folder / "site.yaml").write_text("name: demo\nsnapshot: dëmo.jsonl.gz\n", encoding="utf-8")
    run = run_pytest(tmp_path, "--inventory", folder / "site.yaml", "--hv-report-dir", folder / "reports")
    assert run.returncode == 1, run.stdout + run.stderr
    assert (folder / "reports" / "results.json").read_bytes() == expected


def forms(path: Path) -> dict[str, str]:
    """Return how a file may be named: by its drive, by slashes, and by the two forms of a name on a server."""
    drive, rest = path.drive, str(path).removeprefix(path.drive)
    return {
        "a drive": f"{drive}{rest}",
        "a drive in small letters": f"{drive.lower()}{rest}",
        "slashes": path.as_posix(),
        "without its drive": rest,
        "an extended name": f"\\\\?\\{drive}{rest}",
        "a share": f"\\\\localhost\\{drive[0]}${rest}",
        "a share, by slashes": f"//LOCALHOST/{drive[0].lower()}${rest}".replace("\\", "/"),
    }


def refuse_without_shares(name: str) -> None:
    r"""Skip where ``\\localhost\C$`` is none: Windows shows it to administrators, and .ci/windows makes it for Wine."""
    if name.startswith(("\\\\localhost", "//")) and not Path(name).exists():
        pytest.skip("needs the share C$, which administrators have")


@pytest.mark.parametrize("form", forms(Path("C:/x")))
def test_a_file_by_any_form_of_its_name(form: str, expected: bytes, tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "demo.jsonl.gz").write_bytes(SNAPSHOT.read_bytes())
    named = forms(tmp_path / "demo.jsonl.gz")[form]
    refuse_without_shares(named)
    run = run_pytest(tmp_path, "--snapshot", named, "--hv-report-dir", forms(tmp_path / "reports")[form])
    assert run.returncode == 1, run.stdout + run.stderr
    assert (tmp_path / "reports" / "results.csv").is_file()
    (tmp_path / "site.yaml").write_text(f"name: demo\nsnapshot: {named}\n", encoding="utf-8")
    assert run_pytest(tmp_path, "--inventory", "site.yaml", "--hv-report-dir", "again").returncode == 1
    assert (tmp_path / "again" / "results.json").read_bytes() == expected


def test_an_inventory_on_a_share_finds_what_stands_beside_it(
    expected: bytes, tmp_path: Path, run_pytest: RunPytest, command: RunCommand
) -> None:
    (tmp_path / "demo.jsonl.gz").write_bytes(SNAPSHOT.read_bytes())
    (tmp_path / "site.yaml").write_text("name: demo\nsnapshot: demo.jsonl.gz\n", encoding="utf-8")
    share = forms(tmp_path)["a share"]
    refuse_without_shares(share)
    inventory = f"{share}\\site.yaml"
    run = run_pytest(tmp_path, "--inventory", inventory, "--hv-report-dir", f"{share}\\reports", "--html", "x.html")
    assert run.returncode == 1, run.stdout + run.stderr
    folder = tmp_path / "reports"
    assert f"Report: {Path(share, 'reports', 'report.html').as_uri()}" in run.stdout
    assert (folder / "results.csv").is_file()
    places = re.findall(r'"uri": ?"(.*?)"', (folder / "results.sarif").read_text(encoding="utf-8"))
    assert set(places) == {Path(inventory).as_uri()}
    assert Path(share, "reports", "report.html").as_uri() in (tmp_path / "x.html").read_text(encoding="utf-8")
    assert command("inventory", "show", inventory).returncode == 0
    made = command("init", "hv01", "--user", "a", "--no-test", "--ca", inventory, "--out", f"{share}\\new.yaml")
    assert (made.returncode, made.stderr) == (0, "")
    assert "  ca: site.yaml\n" in (tmp_path / "new.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["NUL", "CON", "con\\reports", "aux", "COM9"])
def test_a_device_is_no_folder_for_reports(name: str, tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", DEMO, "--hv-report-dir", name)
    assert run.returncode == 4, run.stdout + run.stderr
    assert f"ERROR: {name}: reports can't be written there: " in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


# --- files that another program holds ---------------------------------------------------------------------------------


def test_a_snapshot_that_is_open_elsewhere_is_known_before_the_gathering(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "site.yaml").write_text("servers: [{name: hv01, address: 127.0.0.1, port: 1, credential: audit}]\n")
    (tmp_path / "site.jsonl.gz").write_bytes(b"of yesterday")
    login = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": "c4nary-x"}
    with (tmp_path / "site.jsonl.gz").open("rb"):  # as a viewer does: without leave to replace it
        run = run_pytest(tmp_path, "--inventory", "site.yaml", "--hv-save", "site.jsonl.gz", env=login)
    assert run.returncode == 4, run.stdout + run.stderr
    assert "site.jsonl.gz: can't be written: " in run.stderr
    assert "hv01" not in run.stdout
    assert (tmp_path / "site.jsonl.gz").read_bytes() == b"of yesterday"


def test_a_report_that_is_open_elsewhere_is_named(tmp_path: Path, run_pytest: RunPytest) -> None:
    arguments = ("--inventory", DEMO, "--hv-report-dir", "reports")
    assert run_pytest(tmp_path, *arguments).returncode == 1
    with (tmp_path / "reports" / "results.csv").open(encoding="utf-8") as held:  # as a spreadsheet does
        run = run_pytest(tmp_path, *arguments)
        assert len(list(csv.reader(held))) > 10
    assert run.returncode == 4, run.stdout + run.stderr
    assert "ERROR: reports: reports can't be written there: results.csv: " in run.stderr
    gate = (tmp_path / "reports" / "gate.json").read_text(encoding="utf-8")
    assert '"open": false' in gate
    assert '"exit_code": 4' in gate
    assert run_pytest(tmp_path, *arguments).returncode == 1
