"""The page for people: harmless whatever a host says, bounded, and usable in a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.gate.baseline import Baseline
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Cluster, Estate, ReplicatedVM, Server, Unread
from compliance.report.page.page import page
from compliance.report.table import Table
from compliance.rule import Outcome, Rule, Severity, failed, not_applicable, passed, rule, unknown
from compliance.rules.coverage import cluster_was_read, server_was_read
from compliance.rules.failover import failover_ip_needs_integration_services
from tests.builders import NOW, Host, Vm, snapshot, source
from tests.report.every import estate as lab
from tests.report.tables import hostile, many, mute_machine, small
from tests.report.test_html_hostile import HOSTILE
from tests.running import TitleIn

BROWSER_OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def embedded(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    told: dict[str, object] = json.loads(found[1])
    return told


def run_in(title_in: TitleIn, browser: str, folder: Path, text: str, script: str) -> str:
    """What ``script`` leaves in the title, after the page has run. The page's own policy would refuse it."""
    opened = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    return title_in(browser, folder, opened.replace("</body>", f"<script>{script}</script></body>"))


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_it_is_one_file_that_asks_nobody() -> None:
    text = page(small())
    assert re.findall(r"(?:src|href|action)=\"(?!#)([^\"]*)\"", text) == []
    assert re.findall(r"\son[a-z]+=", text.split("<script", 1)[0]) == []
    assert "style=" not in text


def test_its_policy_allows_its_own_two_parts_and_nothing_else() -> None:
    text = page(small())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    allowed = set(re.findall(r"sha256-[A-Za-z0-9+/=]+", policy[1].replace("&#39;", "'")))
    parts = [re.search(r"<style>(.*?)</style>", text, re.DOTALL), re.search(r"<script>(.*?)</script>", text, re.DOTALL)]
    digests = {
        f"sha256-{base64.b64encode(hashlib.sha256(part[1].encode()).digest()).decode()}" for part in parts if part
    }
    assert allowed == digests
    assert policy[1].startswith("default-src &#39;none&#39;") or policy[1].startswith("default-src 'none'")


def test_the_same_table_gives_the_same_bytes() -> None:
    assert page(small()) == page(small())


def test_every_verdict_is_in_it_or_counted() -> None:
    found = small()
    told = embedded(page(found))
    counts = [rule["counts"] for rule in told["rules"]]  # type: ignore[index,attr-defined]
    assert sum(sum(one.values()) for one in counts) == len(found.decisions)
    findings = told["findings"]
    accepted = sum(1 for one in found.decisions if one.shown.outcome.result.value in ("failed", "unknown", "waived"))
    assert {len(column) for column in findings.values()} == {accepted}  # type: ignore[attr-defined]


def test_what_is_beside_a_baseline_is_told() -> None:
    found = snapshot(source(Host(vms=[Vm(name="mute01", kvp=12)])))
    estate = translate(found)
    empty = Baseline(name="b", digest="", findings={})
    decisions, gate = decide(judge(estate), estate, Grounds(policy=DEFAULT, now=NOW, baseline=empty))
    table = Table(estate=estate, decisions=decisions, gate=gate, tool="t", baseline=empty)
    told = embedded(page(table))
    assert told["has_baseline"] is True
    assert "new" in told["texts"]  # type: ignore[operator]


# --- hostile text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_neither_ends_an_element_nor_begins_one(text: str) -> None:
    told = page(hostile(text))
    assert told.count("<script") == 2
    assert told.count("</script>") == 2
    assert told.count("<style>") == told.count("</style>") == 1
    assert not any(letter in told for letter in "\u202e\u2066\x1b\ud800")
    assert told.encode("utf-8")
    assert embedded(told)


VISIT_ALL = """
for (const name of ["rules", "servers", "machines", "unknown", "waived"]) {
  location.hash = name; window.dispatchEvent(new HashChangeEvent("hashchange"));
  for (const box of document.querySelectorAll("details")) { box.open = true; box.dispatchEvent(new Event("toggle")); }
}
"""


def test_no_text_runs_a_script_in_a_browser(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    for number, text in enumerate(HOSTILE):
        found = replace(hostile(text), scope="")
        (folder := tmp_path / str(number)).mkdir()
        shown = run_in(
            title_in, browser, folder, page(found), f"{VISIT_ALL} document.title = 'visited ' + document.images.length;"
        )
        assert shown == "visited 0", text


def test_the_pages_policy_holds_in_a_browser(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    text = page(small()).replace("</body>", "<script>document.title = 'owned'</script></body>")
    assert title_in(browser, tmp_path, text) == "test: Hyper-V compliance"


# --- in a browser -----------------------------------------------------------------------------------------------------


def test_each_view_shows_what_there_is(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    script = """
    const told = [];
    for (const name of ["rules", "servers", "machines", "unknown", "waived"]) {
      location.hash = name; window.dispatchEvent(new HashChangeEvent("hashchange"));
      told.push(document.getElementById("status").textContent);
    }
    document.title = told.join(" | ");
    """
    assert run_in(title_in, browser, tmp_path, page(small()), script) == (
        "5 findings of 2 rules | 3 of 3 servers | 5 of 5 machines | 2 findings of 2 rules | 0 findings of 0 rules"
    )


ALL_KINDS = (cluster_was_read, server_was_read, failover_ip_needs_integration_services)


def clustered(*rules: Rule) -> Table:
    """``hvcl01`` of two nodes, one of which was not read, beside a server; and one whose nodes are not known."""
    whole, lost = lab(), Unread("no route to host")
    stand_in = Server(name="hvcl02", cluster="hvcl02", unread=lost)
    clusters = (*whole.clusters, Cluster(name="hvcl02", unread=lost))
    estate = replace(whole, servers=(*whole.servers, stand_in), clusters=clusters)
    decisions, gate = decide(judge(estate, rules), estate, Grounds(policy=DEFAULT, now=NOW))
    return Table(estate=estate, decisions=decisions, gate=gate, tool="t")


BY_SERVER = """
const set = (name, value) => { const field = document.querySelector(`[name=${name}]`);
  field.value = value; field.dispatchEvent(new Event("change")); };
const heads = () => [...document.querySelectorAll("summary")].map((one) => one.textContent).sort();
const go = (name) => { location.hash = name; window.dispatchEvent(new HashChangeEvent("hashchange")); };
const found = () => {
  for (const box of document.querySelectorAll("details")) { box.open = true; box.dispatchEvent(new Event("toggle")); }
  const one = [...document.querySelectorAll("details")].find((each) => each.textContent.includes("cluster of 2"));
  return [...one.querySelectorAll("p.small, td.told")].map((each) => each.textContent).join("; ");
};
go("servers");
"""


def test_clusters_stand_beside_servers(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    script = f"""{BY_SERVER}
    const told = [document.getElementById("status").textContent, ...heads(), found()];
    set("server", "hvcl01");
    told.push("", ...heads());
    go("machines");
    told.push("", ...heads());
    document.title = told.join(" | ");
    """
    told = run_in(title_in, browser, tmp_path, page(clustered(*ALL_KINDS)), script).split(" | ")
    of_hvcl01 = "? Unknown hvcl01 cluster of 2 nodes, 1 findings"
    nodes = ["? Unknown hv03 0 machines, 2 findings", "✗ Failed hv02 1 machines, 1 findings"]
    remark = "Remark: by its own word hv02 is paused"
    assert told == [
        "6 of 6 servers and clusters",
        nodes[0],
        of_hvcl01,
        "? Unknown hvcl02 0 machines, 2 findings",
        "? Unknown hvcl02 cluster of 0 nodes, 1 findings",
        "✗ Failed hv01 berlin, sql, web; 9 machines, 9 findings",
        nodes[1],
        f"Nodes: hv02, hv03; {remark}; 1 of its 2 nodes could not be read: hv03 (connection refused){remark}",
        "",
        nodes[0],
        of_hvcl01,
        nodes[1],
        "",
        "✗ Failed hvcl01/good02 replica on hv02",
    ]


def test_a_cluster_that_no_rule_in_scope_judged_has_not_passed(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    script = f"{BY_SERVER} document.title = heads().filter((one) => one.includes('cluster of')).join(' | ')"
    assert run_in(title_in, browser, tmp_path, page(clustered(server_was_read)), script).split(" | ") == [
        "Not in scope hvcl01 cluster of 2 nodes, 0 findings",
        "Not in scope hvcl02 cluster of 0 nodes, 0 findings",
    ]


def test_filters_narrow(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    script = """
    const set = (name, value, kind) => { const field = document.querySelector(`[name=${name}]`);
      field.value = value; field.dispatchEvent(new Event(kind)); };
    location.hash = "machines"; window.dispatchEvent(new HashChangeEvent("hashchange"));
    set("server", "hv01", "change"); const one = document.getElementById("status").textContent;
    set("outcome", "f", "change"); const two = document.getElementById("status").textContent;
    set("text", "nobody", "input");
    setTimeout(() => { document.title = [one, two, document.getElementById("status").textContent].join(" | "); }, 300);
    """
    told = run_in(title_in, browser, tmp_path, page(small()), script)
    assert told == "3 of 5 machines | 1 of 5 machines | 0 of 5 machines"


def axe(folder: Path) -> str:
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("needs npm for axe-core (Debian: npm)")
    subprocess.run([npm, "pack", "--silent", "axe-core@4"], cwd=folder, capture_output=True, timeout=120, check=True)
    (packed,) = folder.glob("axe-core-*.tgz")
    shutil.unpack_archive(packed, folder, filter="data")
    return (folder / "package" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("kind", ["light", "dark", "clusters"])
def test_axe_finds_nothing(browser: str, kind: str, tmp_path: Path, title_in: TitleIn) -> None:
    text = page(clustered(*ALL_KINDS) if kind == "clusters" else small(scope="--hv-vm x"))
    if kind == "dark":
        text = text.replace("(prefers-color-scheme:dark)", "all")
    script = """
    (async () => {
      const found = [];
      for (const name of ["rules", "servers", "machines", "unknown", "waived"]) {
        location.hash = name; window.dispatchEvent(new HashChangeEvent("hashchange"));
        for (const box of document.querySelectorAll("details")) {
          box.open = true; box.dispatchEvent(new Event("toggle"));
        }
        const told = await axe.run(document, { rules: { "target-size": { enabled: true } } });
        found.push(...told.violations.map((one) => `${name} ${one.id} ${one.nodes[0].html}`));
      }
      document.title = found.length ? found.join("; ") : "nothing found";
    })();
    """
    assert run_in(title_in, browser, tmp_path, text, f"{axe(tmp_path)}\n{script}") == "nothing found"


def test_it_is_printed_on_two_pages(browser: str, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(many(500)), encoding="utf-8")
    printed = tmp_path / "page.pdf"
    command = [browser, *BROWSER_OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", "--no-pdf-header-footer"]
    subprocess.run([*command, f"--print-to-pdf={printed}", path.as_uri()], capture_output=True, timeout=60, check=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) <= 2


# --- size -------------------------------------------------------------------------------------------------------------


def made_up_rules(count: int, failing: int) -> list[Rule]:
    """Rules for machines: one in ``failing`` fails each, as many can't be judged, a third is not applicable."""

    def of(number: int) -> Rule:
        def judged(vm: ReplicatedVM) -> Outcome:
            place = (int(vm.machine.guid, 16) * 7 + number * 13) % (failing * 3)
            if place == 0:
                return failed(f"the guest never answered in the {vm.machine.guid} days since it started")
            if place == 1:
                return unknown("the class was refused")
            return not_applicable("no address") if place % 3 == 2 else passed()

        text = {"impact": "What it means. " * 20, "resolution": "What to do. " * 20, "title": f"Rule {number}"}
        return rule(f"rule-{number:02d}", severity=list(Severity)[number % 3], **text)(judged)

    return [of(number) for number in range(count)]


def large(machines: int, rules: int, failing: int) -> Table:
    servers = tuple(Server(name=f"hv{number:03d}", site=f"site{number % 7}") for number in range(200))
    replicated = tuple(
        mute_machine(f"application-{number:05d}", servers[number % 200].name, guid=f"{number:x}")
        for number in range(machines)
    )
    estate = Estate(name="large", time=NOW, servers=servers, replicated=replicated)
    verdicts = judge(estate, made_up_rules(rules, failing))
    decisions, gate = decide(verdicts, estate, Grounds(policy=DEFAULT, now=NOW))
    return Table(estate=estate, decisions=decisions, gate=gate, tool="t")


def test_a_large_estate_is_a_bounded_file_and_what_passed_costs_nothing() -> None:
    found = large(5_000, 18, failing=30)
    findings = sum(1 for one in found.decisions if one.finding)
    size = len(page(found).encode())
    assert 1_900 < findings < 2_100
    assert size < 200_000 + 5_000 * 30 + findings * 120
