"""The page for people in a real browser: tabs, filters, order, addresses, what a row opens to, and paper."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT
from compliance.judge.judge import judge
from compliance.model import Cluster, Server, Unread
from compliance.report.page.page import page
from compliance.report.page.texts import natural
from compliance.report.page.way import way_of
from compliance.report.table import Table
from compliance.rule import Rule
from compliance.rules.coverage import cluster_was_read, server_was_read
from compliance.rules.evidence.causes import Cause
from compliance.rules.failover import failover_ip_needs_integration_services
from compliance.rules.remedies.remedy import remedy_of
from tests.devtools import Chromium
from tests.report.every import estate as lab
from tests.report.every import every
from tests.report.large import machines
from tests.report.tables import hostile, many, small
from tests.report.test_html_hostile import HOSTILE

TABS = ("machines", "rules", "servers", "unknown", "waived", "changes")
STATUS = "document.getElementById('status').textContent"
OPEN_ALL = """
for (const box of document.querySelectorAll("#view details")) {
  box.open = true;
  box.dispatchEvent(new Event("toggle"));
}
for (const button of [...document.querySelectorAll(".opener[aria-expanded=false]")].slice(0, 3)) button.click();
"""
CELLS = (
    "[...document.querySelectorAll('tr.machine')].map((row) => [...row.children].map((one) => one.textContent.trim()))"
)


@pytest.fixture(scope="module")
def chromium(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(browser, tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def tab(chromium: Chromium, tmp_path: Path) -> Iterator[Tab]:
    """Return a tab whose page may make no mistake."""
    chromium.mistakes.clear()
    yield Tab(chromium, tmp_path / "page.html")
    assert chromium.mistakes == []


@cache
def machines_page(count: int) -> str:
    return page(machines(count))


class Tab:
    def __init__(self, chromium: Chromium, path: Path) -> None:
        self.chromium = chromium
        self.path = path
        self.run = chromium.run
        self.wait = chromium.wait

    def show(self, table: Table, address: str = "") -> None:
        self._show(page(table), address)

    def show_machines(self, count: int, address: str = "") -> None:
        """Show the page that most of these tests look at: it is written once."""
        self._show(machines_page(count), address)

    def _show(self, text: str, address: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        self.chromium.size(1280, 900)
        self.chromium.open(self.path, address)

    def cells(self, column: int) -> list[str]:
        return [row[column] for row in self.run(CELLS)]

    @property
    def status(self) -> str:
        found: str = self.run(STATUS)
        return found

    def choose(self, name: str, value: str, kind: str = "change") -> None:
        self.run(
            f"(() => {{ const field = document.querySelector('[name={name}]'); field.value = '{value}';"
            f" field.dispatchEvent(new Event('{kind}')); }})()"
        )


# --- hostile ----------------------------------------------------------------------------------------------------------


def test_no_text_runs_a_script(tab: Tab) -> None:
    for text in HOSTILE:
        tab.show(hostile(text))
        for name in TABS:
            tab.run(f"location.hash = '{name}'; dispatchEvent(new HashChangeEvent('hashchange')); {OPEN_ALL}")
        assert tab.run("document.title.includes('Hyper-V compliance') && document.images.length === 0")


def test_the_pages_policy_holds(chromium: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(small()).replace("</body>", "<script>document.title = 'owned'</script></body>"), "utf-8")
    chromium.mistakes.clear()
    chromium.open(path)
    assert chromium.run("document.title") == "test: Hyper-V compliance"
    assert len(chromium.mistakes) == 1
    assert "Content Security Policy" in chromium.mistakes[0]


# --- tabs -------------------------------------------------------------------------------------------------------------


def test_each_tab_shows_what_there_is(tab: Tab) -> None:
    tab.show(every())
    found = {}
    for button in range(tab.run("document.querySelectorAll('#views button').length")):
        words = tab.run(
            f"(() => {{ document.querySelectorAll('#views button')[{button}].click();"
            " return document.querySelector('#views [aria-current]').textContent; })()"
        )
        found[words] = tab.status
    assert found == {
        "Virtual machines": "10 of 10 machines, failover.",
        "By rule": "6 findings of 3 rules",
        "By server and cluster": "4 servers and clusters",
        "Unknown": "2 unknown findings",
        "Waived and known": "3 findings waived or known, judged all the same",
        "Since the baseline": "4 new, 1 with changed evidence, 1 fixed",
    }


def test_an_empty_tab_is_not_there(tab: Tab) -> None:
    tab.show(machines(20, is_ready=True))
    names = tab.run("[...document.querySelectorAll('#views button')].map((one) => one.textContent)")
    assert names == ["Virtual machines", "By rule", "By server"]


def test_a_subject_leads_to_its_machine(tab: Tab) -> None:
    tab.show_machines(100, "rules")
    tab.run(OPEN_ALL)
    name = tab.run(
        "(() => { const one = document.querySelector('#view .link'); one.click(); return one.textContent; })()"
    )
    assert [cell.removeprefix("▾ ") for cell in tab.cells(0)] == [name.split("/")[1]]
    tab.wait("document.querySelector('.story h3') !== null")


ALL_KINDS = (cluster_was_read, server_was_read, failover_ip_needs_integration_services)


def clustered(*rules: Rule) -> Table:
    """``hvcl01`` of two nodes, one of which was not read, beside a server; and one whose nodes are not known."""
    whole, lost = lab(), Unread("no route to host")
    stand_in = Server(name="hvcl02", cluster="hvcl02", unread=lost)
    clusters = (*whole.clusters, Cluster(name="hvcl02", unread=lost))
    estate = replace(whole, servers=(*whole.servers, stand_in), clusters=clusters)
    decisions, gate = decide(judge(estate, rules), estate, Grounds(policy=DEFAULT, now=estate.time))
    return Table(estate=estate, decisions=decisions, gate=gate, tool="t")


SERVERS = (
    "[...document.querySelectorAll('tbody tr')].map((row) => [...row.children].map((one) => one.textContent.trim()))"
)


def test_clusters_stand_beside_servers(tab: Tab) -> None:
    tab.show(clustered(*ALL_KINDS), "servers")
    rows = {row[0]: row[1:] for row in tab.run(SERVERS)}
    assert tab.status == "6 servers and clusters"
    assert rows["hvcl01 cluster of 2 nodes"][0] == "? unknown"
    assert "1 of its 2 nodes could not be read: hv03 (connection refused)" in rows["hvcl01 cluster of 2 nodes"][-1]
    assert "Nodes: hv02, hv03" in rows["hvcl01 cluster of 2 nodes"][-1]
    assert rows["hv03"][0] == "? not read"
    assert rows["hv01"][:2] == ["✓ read", "berlin, sql, web"]


def test_a_cluster_that_no_rule_in_scope_judged_has_not_passed(tab: Tab) -> None:
    tab.show(clustered(server_was_read), "servers")
    rows = {row[0]: row[1] for row in tab.run(SERVERS)}
    assert rows["hvcl01 cluster of 2 nodes"] == "· not in scope"


# --- filters, order and addresses -------------------------------------------------------------------------------------


def test_the_worst_stand_first(tab: Tab) -> None:
    tab.show_machines(100)
    words = tab.cells(4)
    assert words[:12].count("✗ not ready") == 10
    assert [*dict.fromkeys(words)][:3] == [
        "✗ not ready",
        "? unknown",
        "◐ ready if NetworkManager leaves its adapter alone",
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"ready": "not ready"}, 10),
        ({"direction": "failback", "ready": "not ready"}, 4),
        ({"direction": "all"}, 200),
        ({"leaving": "berlin"}, 100),
        ({"leaving": "frankfurt"}, 0),
        ({"leaving": "frankfurt", "direction": "failback"}, 100),
        ({"arriving": "frankfurt", "ready": "unknown"}, 3),
        ({"server": "fra-hv001"}, 50),
        ({"server": "fra-hv001", "side": "primary"}, 0),
        ({"server": "fra-hv001", "side": "replica"}, 50),
        ({"group": "odd"}, 50),
        ({"group": "odd", "server": "bln-hv002"}, 0),
        ({"cause": "Data Exchange is switched off in the settings of the virtual machine"}, 1),
    ],
)
def test_filters_narrow(tab: Tab, filters: dict[str, str], count: int) -> None:
    tab.show_machines(100)
    for name, value in filters.items():
        tab.choose(name, value)
    assert tab.status.startswith(f"{count} of ")
    address = tab.run("location.hash.slice(1)")
    tab.show_machines(100, address)
    assert tab.status.startswith(f"{count} of "), "a view that was sent is the same"


@pytest.mark.parametrize(
    ("text", "count"),
    [("APP0003", 1), ("10.150.0.20", 1), ("fra-hv002", 50), ("fra-hv002/sql0006", 1), ("switched off", 1), ("<b>", 0)],
)
def test_a_search_finds(tab: Tab, text: str, count: int) -> None:
    tab.show_machines(100)
    tab.choose("text", text, "input")
    tab.wait(f"{STATUS}.startsWith('{count} of 100')")


def test_a_count_filters_and_says_so(tab: Tab) -> None:
    tab.show_machines(100)
    tab.run("document.querySelector('[data-direction=failback][data-ready=unknown]').click()")
    assert tab.status == "5 of 100 machines, failback."
    assert tab.run("[...document.querySelectorAll('[aria-pressed=true]')].map((one) => one.textContent.trim())") == [
        "? 5 unknown"
    ]
    tab.run("history.back()")
    tab.wait(f"{STATUS} === '100 of 100 machines, failover.'")


@pytest.mark.parametrize("column", ["name", "from", "address", "today", "reason", "remedy"])
def test_each_column_sorts_both_ways(tab: Tab, column: str) -> None:
    tab.show_machines(100)
    number = ["name", "from", "address", "today", "ready", "reason", "remedy"].index(column)
    tab.run(f"document.querySelector('[data-sort={column}]').click()")
    up = tab.cells(number)
    assert tab.run("document.querySelector('[aria-sort]').textContent").endswith("▲")
    assert tab.run("document.activeElement.dataset.sort") == column
    tab.run(f"document.querySelector('[data-sort={column}]').click()")
    down = tab.cells(number)
    empty = ("–", "not known")
    for cells, is_down in ((up, False), (down, True)):
        known = [natural(cell) for cell in cells if cell not in empty]
        if column not in ("address", "today"):  # by their numbers
            assert known == sorted(known, reverse=is_down)
    assert up != down


# --- a row opens ------------------------------------------------------------------------------------------------------


def test_a_row_opens_to_both_sides_and_each_step(tab: Tab) -> None:
    tab.show_machines(100, "cause=Data+Exchange+is+switched+off+in+the+settings+of+the+virtual+machine")
    tab.run("document.querySelector('.opener').click()")
    assert tab.run("document.querySelector('.opener').getAttribute('aria-expanded')") == "true"
    tab.wait("document.querySelectorAll('.side').length === 2")
    sides = tab.run(
        "[...document.querySelectorAll('.side')].map((side) => [side.querySelector('h4').textContent,"
        " [...side.querySelectorAll('.name, .word')].map((one) => one.textContent).join('')])"
    )
    assert [heading for heading, _ in sides] == [
        "Replica on fra-hv001, frankfurt: off",
        "Primary on bln-hv001, berlin: running",
    ]
    assert sides[0][1] == (
        "Setting passed" + "Valid passed" + "Free passed" + "Adapter passed" + "Switch passed" + "Data Exchange failed"
        "Service or system not looked at" + "Landed not looked at"
    )
    assert "open=" in tab.run("location.hash")
    tab.run("document.querySelector('.opener').click()")
    assert tab.run("document.querySelector('.story')") is None


CLIPBOARDS = {
    "the clipboard's own way": "navigator.clipboard.writeText = async (text) => { window.copied = text; }",
    "the old way": "navigator.clipboard.writeText = async () => { throw new Error('refused'); };"
    " document.addEventListener('copy', () => { window.copied = document.activeElement.value; })",
}


@pytest.mark.parametrize("way", CLIPBOARDS)
def test_what_is_copied_is_the_command(tab: Tab, way: str) -> None:
    tab.show_machines(100, "ready=not+ready&cause=Data+Exchange+is+switched+off+in+the+settings+of+the+virtual+machine")
    tab.run(f"{CLIPBOARDS[way]}; 0")
    tab.run("document.querySelector('.opener').click()")
    tab.wait("document.querySelector('.command .copy') !== null")
    tab.run("document.querySelector('.command .copy').focus()")
    tab.chromium.press("Enter", 13)
    tab.wait("window.copied !== undefined")
    row = next(one for one in machines(100).readiness if one.verdict and one.verdict.outcome.cause == Cause.OFFER_OFF)
    assert row.verdict
    remedy = remedy_of(row.verdict)
    assert remedy
    assert remedy.command
    assert tab.run("window.copied") == remedy.command.text
    assert tab.run("document.querySelector('.command code').textContent") == remedy.command.text


def test_a_row_opens_by_keyboard(tab: Tab) -> None:
    tab.show_machines(20)
    tab.run("document.querySelector('.opener').focus()")
    tab.chromium.press("Enter", 13)
    tab.wait("document.querySelector('.story h3') !== null")


def test_a_sent_view_opens_its_row_wherever_it_stands(tab: Tab) -> None:
    tab.show_machines(200, "sort=name+down")
    tab.run("document.querySelector('.more').click()")
    tab.run("[...document.querySelectorAll('.opener')].at(-1).click()")
    name, address = tab.run("[[...document.querySelectorAll('.opener')].at(-1).textContent, location.hash.slice(1)]")
    tab.show_machines(200, address)
    assert tab.run("document.querySelector('.opener[aria-expanded=true]').textContent") == name


def test_a_row_opens_to_the_lines_of_its_own_way(tab: Tab) -> None:
    """Of the last machine every text of its block before is counted."""
    table = machines(1_000)
    last = max(table.readiness, key=lambda row: natural(row.name))
    tab.show_machines(1_000, "sort=name+down")
    tab.run("document.querySelector('.opener').click()")
    tab.wait("document.querySelectorAll('.side').length === 2")
    assert last.name in tab.run("document.querySelector('.opener').textContent")
    lines = tab.run("[...document.querySelectorAll('.way .small')].map((one) => one.textContent)")
    ways = [way_of(vm, [one for one in table.decisions if one.verdict.vm is vm]) for vm in last.sides]
    evidence = {line for way in ways for stage in way.values() for line in stage.evidence}
    assert {*lines} - {"no rule looked at it"} == evidence


def test_what_is_packed_is_unpacked(tab: Tab) -> None:
    tab.show_machines(1_000, "ready=not+ready")
    assert tab.run("typeof JSON.parse(document.getElementById('data').textContent).main") == "string"
    assert tab.status == "100 of 1,000 machines, failover."
    tab.run("document.querySelector('.opener').click()")
    tab.wait("document.querySelectorAll('.side').length === 2")


def test_a_browser_that_unpacks_nothing_says_so_and_shows_the_worst(chromium: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    old = machines_page(1_000).replace("new DecompressionStream(", "new NoSuchStream(")
    path.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", old), "utf-8")
    chromium.open(path)
    assert "see results.csv" in chromium.run(STATUS)
    assert chromium.run("getComputedStyle(document.querySelector('.paper')).display") == "block"


# --- paper ------------------------------------------------------------------------------------------------------------

ON_PAPER = """
(() => { dispatchEvent(new Event("beforeprint"));
  return [...document.querySelectorAll(".paper > :not([hidden]) li h3")].map((one) => one.textContent); })()
"""


def test_filters_apply_to_paper(tab: Tab) -> None:
    tab.show_machines(100)
    assert len(tab.run(ON_PAPER)) == 15
    tab.choose("server", "fra-hv002")
    few = tab.run(ON_PAPER)
    assert 0 < len(few) < 10
    tab.choose("ready", "ready")
    assert len(tab.run(ON_PAPER)) > 30
    assert "server: fra-hv002" in tab.run("document.getElementById('paper-filtered').textContent")


def test_many_machines_are_printed_on_some_pages(tab: Tab) -> None:
    tab.show(many(500))
    assert 10 <= len(re.findall(rb"/Type\s*/Page\b", tab.chromium.pdf())) <= 60


# --- for everybody ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", TABS)
def test_no_page_is_wider_than_its_window(tab: Tab, name: str, width: int) -> None:
    tab.show(every(), name)
    tab.chromium.size(width, 800)
    tab.run(OPEN_ALL)
    assert tab.run("document.documentElement.scrollWidth") <= width


def test_what_is_unknown_stands_once(tab: Tab) -> None:
    """Two rules on one side of a machine don't know it for one reason, which is one thing to do."""
    tab.show_machines(100, "unknown")
    titles = tab.run("[...document.querySelectorAll('#view h3')].map((one) => one.textContent)")
    assert len(titles) == len(set(titles)) > 0
    rows = tab.run("[...document.querySelectorAll('#view tbody tr')].map((one) => one.textContent)")
    assert len(rows) == len(set(rows)) > 0
    assert tab.status.startswith(f"{len(rows)} unknown finding")


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return axe-core, as a wheel carries it, or npm."""
    if wheel := importlib.util.find_spec("axe_playwright_python"):  # looked into, not imported: it wants a browser
        return (Path(str(wheel.origin)).parent / "axe.min.js").read_text("utf-8")
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("needs axe-core: npm, or pip install --no-deps axe-playwright-python")
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run([npm, "pack", "--silent", "axe-core@4"], cwd=folder, capture_output=True, timeout=120, check=True)
    (packed,) = folder.glob("axe-core-*.tgz")
    shutil.unpack_archive(packed, folder, filter="data")
    return (folder / "package" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize(("width", "is_dark"), [(360, False), (1280, True)], ids=["narrow", "dark"])
def test_axe_finds_nothing(tab: Tab, axe: str, width: int, is_dark: bool) -> None:
    """At both widths, in both schemes: of the second one only what colours decide."""
    whole = "{ rules: { 'target-size': { enabled: true } } }"
    for table in (every(scope="--hv-vm x"), machines(60), clustered(*ALL_KINDS)):
        tab.show(table)
        tab.run(f"{axe}; 0")
        for name in TABS:
            tab.run(f"location.hash = '{name}'; dispatchEvent(new HashChangeEvent('hashchange')); {OPEN_ALL}")
            tab.wait("[...document.querySelectorAll('.story td')].every((one) => one.childNodes.length)")
            for scheme, asked in (
                (is_dark, whole),
                (not is_dark, "{ runOnly: ['color-contrast', 'link-in-text-block'] }"),
            ):
                tab.chromium.size(width, 900, dark=scheme)
                found = tab.run(
                    f"axe.run(document, {asked})"
                    ".then((all) => all.violations.map((one) => `${one.id} ${one.nodes[0].html}`))"
                )
                assert found == [], (name, scheme)
