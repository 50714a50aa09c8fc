"""The demos' snapshots are what their builders say, read over the wire."""

from __future__ import annotations

from pathlib import Path

from compliance.snapshot.read import read_snapshot
from tests import demo, demo_guests, lab
from tests.running import DEMO, RunPytest, counts


def test_the_snapshot_in_the_repository_is_the_estate_of_the_builders() -> None:
    assert read_snapshot(demo.SNAPSHOT) == demo.gathered(), "write it anew: python -m tests.demo"


def test_the_snapshot_of_the_tests_too() -> None:
    assert read_snapshot(lab.SNAPSHOT) == lab.gathered(), "write it anew: python -m tests.lab"


def test_the_snapshot_with_guests_too() -> None:
    kept = read_snapshot(demo_guests.SNAPSHOT)
    assert kept == demo_guests.gathered(), "write it anew: python -m tests.demo_guests"


def test_the_hosts_are_content_and_the_guests_say_why_the_address_would_never_arrive(
    tmp_path: Path, run_pytest: RunPytest
) -> None:
    run = run_pytest(tmp_path, "--inventory", DEMO.with_name("demo-guests.yaml"), "--hv-report-dir", "x", "-v")
    assert run.returncode == 1
    founding = [line for line in run.stdout.splitlines() if "::failover-ip-needs-integration-services[" in line]
    assert len(founding) == 16
    assert all(" PASSED" in line for line in founding)
    assert {word: counts(run.stdout)[word] for word in ("failed", "error")} == {"failed": 8, "error": 5}
    for report in ("report.html", "summary.md"):
        text = (tmp_path / "x" / report).read_text(encoding="utf-8").replace("\\", "")
        assert "and that is missing: the address never reaches the adapter" in text, report
        assert "writes for ifupdown, but eth0 is configured by netplan and systemd-networkd" in text, report
