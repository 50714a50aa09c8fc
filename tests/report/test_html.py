"""The HTML summary reads like Microsoft's Best Practices Analyzer, tells all of it, and keeps its bounds."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from compliance.audit import judge_snapshot
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.judge.scope import Scope
from compliance.model import Evidence, Judging, Server
from compliance.report.evidence_block import evidence_block
from compliance.report.html.bpa_page import summary
from compliance.report.html.environment import environment
from compliance.report.html.parts import grid
from compliance.report.html.rows import choose_rows, detail, row_cells
from compliance.report.html.style import DARK, LIGHT, STYLE
from compliance.report.table import Table
from compliance.rule import Outcome, Result, Severity, failed, passed, rule
from tests.builders import snapshot, source
from tests.hosts import Host, Nic, Vm
from tests.report.every import every
from tests.report.reader import read
from tests.report.tables import many, showing, small, table, verdict_of

IMPACTS = "This impacts the following virtual machines:"
ATTRIBUTED = "Not affiliated with or endorsed by Microsoft."


def whole(found: Table) -> str:
    return "\n".join(summary(found, shown=len(found.verdicts), rows_left_out=0))


def test_the_sentence_and_the_true_totals_stand_first() -> None:
    found = small()
    text = "".join(read(whole(found)).text)
    said = found.headline
    assert text.strip().startswith(f"{said[0].upper()}{said[1:]}.")
    failing, unknown = found.count(Result.FAILED), found.count(Result.UNKNOWN)
    rest = f"{found.count(Result.NOT_APPLICABLE)} not applicable, {found.count(Result.PASSED)} passed."
    assert f"{len(found.verdicts)} verdicts: {failing} failed, {unknown} unknown, {rest}" in text
    assert failing == 3
    assert "Data from 2 Nov 2026 06:30 UTC" in text


def test_bounded_rows_are_said() -> None:
    found = small()
    assert "The table below shows 3 of 1,003." in "".join(summary(found, shown=3, rows_left_out=1000))
    assert "The table below" not in whole(found)


def test_a_violated_rule_reads_like_bpa() -> None:
    found = small()
    text = "".join(read(whole(found)).text)
    broken = verdict_of(found, Result.FAILED).rule
    parts = [broken.title, "Issue", broken.issue, "Impact", f"{broken.impact} {IMPACTS}", "by server", "Resolution"]
    places = [text.index(part) for part in [*parts, *broken.resolution.split("\n\n"), ATTRIBUTED]]
    assert places == sorted(places)
    assert broken.link in read(whole(found)).links


def test_the_list_is_ordered_by_server_and_tells_both_addresses() -> None:
    page = whole(small())
    listed = page[page.index(IMPACTS) : page.index("Resolution")]
    rows = re.findall(r"<tr><td.*?</tr>", listed)
    cells = [re.findall(r">([^<]*)</t[dh]>", row) for row in rows]
    assert [(row[0], row[1], row[2]) for row in cells] == [
        ("hv01", "mute01", "primary"),
        ("hv02", "mute01", "replica"),
        ("hv02", "sql01", "replica"),
    ]
    (own,) = Vm(name="mute01").nics[0].addresses
    assert cells[0][3:5] == ["not known", own]
    assert cells[2][3:5] == ["10.1.0.20", "10.2.0.20"]
    assert cells[2][-1] == "violating"


def test_each_cause_has_its_remedy_above_the_quoted_text() -> None:
    text = "".join(read(whole(small())).text)
    cause = "1 machine: Data Exchange is switched off in the settings of the virtual machine. Switch Data Exchange on"
    assert cause in text
    assert text.index(cause) < text.index("Issue") < text.index("Resolution")


def test_the_page_for_people_is_linked_or_how_to_get_it_is_said() -> None:
    found = small()
    linked = "".join(summary(found, shown=1, rows_left_out=0, page="out/report.html"))
    assert '<a href="out/report.html">report.html</a>' in linked
    assert "--hv-report-dir DIR" not in linked
    assert "--hv-report-dir DIR" in whole(found)


def test_a_rule_of_which_nothing_failed_is_counted_in_one_line() -> None:
    found = small()
    good = replace(verdict_of(found, Result.FAILED), rule=own_rule, outcome=passed())
    page = whole(showing(found, [*found.verdicts, good]))
    table_of_rules = page[page.index("Verdicts by rule") : page.index("Violated rules")]
    assert "own-rule" not in table_of_rules
    assert "Of 2 other rules nothing failed and nothing is unknown." in table_of_rules


def test_a_column_that_holds_nothing_is_left_out() -> None:
    page = grid("c", [("A", ""), ("B", ""), ("C", "")], [["1", "", "2"], ["3", "", ""]])
    assert re.findall(r'<th scope="col" class="">(\w)', page) == ["A", "C"]
    assert page.count("<td") == page.count('data-label="C"') == 2


def test_paragraphs_stay_apart() -> None:
    assert "</p><p>As of Windows Server 2016," in whole(small())


@rule("own-rule", severity=Severity.WARNING, title="Ours", impact="An <impact>.", resolution="One.\n\nTwo.")
def own_rule(server: Server) -> Outcome:
    return failed("broken") if server.name == "hv01" else passed()


def test_attribution_stands_only_under_quoted_text() -> None:
    estate = small().estate
    own = whole(showing(small(), judge(estate, [own_rule])))
    assert "This impacts the following servers:" in own
    assert "An &lt;impact&gt;." in own
    assert "<p>One.</p><p>Two.</p>" in own
    assert ATTRIBUTED not in own
    assert whole(small()).count(ATTRIBUTED) == 1


def test_no_violation_says_so_and_quotes_nothing() -> None:
    page = whole(table(translate(snapshot(source(Host(vms=[Vm(name="fine", hosts=[("hv01", "hv01")])]))))))
    assert "None, among what could be judged." in page
    assert ATTRIBUTED not in page
    assert "Unknown</h3>" not in page
    assert '<h3 id="hv-remarks">Remarks' not in page


def test_worst_severity_comes_first() -> None:
    found = small()
    warned = showing(found, (*judge(found.estate, [own_rule]), *found.verdicts))
    page = whole(warned)
    assert page.index("hv-rule hv-error") < page.index("hv-rule hv-warning")


def test_a_server_not_read_is_one_row_with_its_reason() -> None:
    page = whole(small())
    apart = page[page.index('<h3 id="hv-unknown">Unknown') :]
    assert page.index("Violated rules") < page.index('<h3 id="hv-unknown">Unknown')
    assert apart.count('<th scope="row" class="hv-name">hv03</th>') == 1
    assert "the server was not read: incomplete: connection refused" in apart
    assert "failover-ip-needs-integration-services, server-was-read" in apart


def test_machines_of_one_reason_share_a_row() -> None:
    vms = [Vm(name=f"lost{number}", kvp=13) for number in range(3)]
    page = whole(table(translate(snapshot(source(Host(vms=vms))))))
    assert "hv01/lost0, hv01/lost1, hv01/lost2</th>" in page


def test_remarks_of_servers_and_machines_once() -> None:
    host = Host(vms=[Vm(name="deb", nics=[Nic(addresses=("10.2.0.20",), connected=False)])])
    found = table(translate(snapshot(source(host, insecure="its certificate was not verified"))))
    page = whole(found)
    assert page.count("its certificate was not verified") == 1
    assert page.count("is connected to no switch") == 1
    assert page.index('<h3 id="hv-remarks">Remarks') < page.index("its certificate was not verified")


def test_what_is_missing_or_narrowed_is_said() -> None:
    page = whole(small(scope="--hv-server hv01", complete=False))
    assert "The snapshot is incomplete:" in page
    assert "--hv-server hv01" in page
    assert "incomplete:</strong>" not in whole(small())


def test_bpa_evidence_is_said_in_front() -> None:
    page = whole(small(settings=Judging(evidence=Evidence.BPA)))
    assert page.index("evidence: bpa") < page.index("Violated rules")
    assert "evidence: bpa</strong>" not in whole(small())


def test_a_waived_finding_does_not_vanish() -> None:
    found = small()
    waived = verdict_of(found, Result.FAILED)
    waived = replace(waived, outcome=replace(waived.outcome, result=Result.WAIVED, finding="until the move"))
    page = whole(showing(found, (waived,)))
    assert "1 waived" in page
    assert "until the move" in page


def test_ids_are_unique_and_every_anchor_has_its_target() -> None:
    found = small()
    reader = read(whole(found) + "".join(piece for verdict in found.verdicts for piece in detail(verdict)))
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_tables_can_be_read_without_seeing_them() -> None:
    page = whole(replace(many(100), readiness=()))
    assert page.count("<table>") == page.count("<caption>")
    assert not re.search(r"<th(?! scope=)[ >]", page)
    assert (
        page.count('tabindex="0"') == page.count('role="region"') == len(re.findall('class="[^"]*hv-long', page)) == 1
    )


@pytest.mark.slow
def test_five_thousand_failing_machines_stay_readable() -> None:
    found = replace(many(5000), readiness=())
    started = time.process_time()
    ids = choose_rows(found.verdicts)
    page = "\n".join(summary(found, shown=len(ids), rows_left_out=len(found.verdicts) - len(ids)))
    rows = [piece for one in found.verdicts if one.id in ids for piece in (*row_cells(one), *detail(one))]
    assert time.process_time() - started < 1
    assert len(page) + len("".join(rows)) < 3_000_000
    assert "500 rows are listed, 4,500 more are left out" in page
    assert "5,000 findings on 100 servers: hv000 (50), " in page
    assert page.count("the guest does not answer") == 500


# --- the environment --------------------------------------------------------------------------------------------------


def test_the_environment_names_what_was_read_and_what_not() -> None:
    told = environment(small(inventory_digest="sha256:12"))
    assert told["Inventory"] == "the snapshot was gathered by one with sha256:12"
    assert told["Data from"] == "2 Nov 2026 06:30 UTC, just now"
    assert told["Servers read"] == "2 of 3: hv02, hv01"
    assert told["Servers not read"] == "hv03 (connection refused)"
    assert "evidence: observed, boot_grace: 10" in told["Policy"]
    assert told["Tool and its rules"] == "hyperv-compliance 0.1.0"
    assert told["Insecure choices"] == told["Waivers"] == "none"
    assert "Scope" not in told


def test_the_environment_is_the_evidence_block() -> None:
    found = every()
    said = environment(found)
    for label, lines in evidence_block(found).facts:
        assert "".join(read(said[label]).text) == "".join(lines)
    assert "waivers.yaml:8: rule guest-answers; machine hv01/ended01" in said["Waivers"]
    assert said["Waivers"].count("<div>") == 4


@pytest.mark.parametrize(
    ("account", "transport", "text"),
    [
        ("DR\\audit", "ntlm", "server hv01: DR\\audit, ntlm, "),
        ("", "kerberos", "server hv01: account not recorded, kerberos, "),
        ("", "", "server hv01: account and transport not recorded, "),
    ],
)
def test_the_environment_says_as_whom_each_server_was_read(account: str, transport: str, text: str) -> None:
    read = source(Host(vms=[Vm(name="a")]), account=account, transport=transport)
    assert environment(judge_snapshot(snapshot(read), Scope()))["Read as"].startswith(text)


def test_the_environment_tells_insecure_choices_and_scope() -> None:
    insecure = "its certificate was not verified (`verify: false` in the inventory)"
    found = table(translate(snapshot(source(Host(vms=[Vm(name="a")]), insecure=insecure))), scope="--hv-vm a")
    assert environment(found)["Insecure choices"] == f"hv01 ({insecure})"
    assert environment(found)["Scope"] == "--hv-vm a"


# --- the style --------------------------------------------------------------------------------------------------------


GROUNDS = ("ground", "head", "zebra", "note")
TEXTS = ("ink", "muted", "blue", "red", "amber", "green")


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_can_be_read(colours: Mapping[str, str]) -> None:
    """WCAG AA: 4.5 to 1, for each text on each ground, and for what stands on our badges."""
    for text in TEXTS:
        for ground in GROUNDS:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for badge in ("muted", "red", "amber", "blue"):
        assert contrast(colours["badge"], colours[badge]) >= 4.5, badge


def test_no_colour_stands_outside_the_two_palettes() -> None:
    used = set(re.findall(r"#[0-9a-f]{3,6}(?=[;}])", STYLE))
    assert used <= {*LIGHT.values(), *DARK.values()}
    assert set(re.findall(r"var\(--hv-([a-z]+)\)", STYLE)) <= set(LIGHT) == set(DARK)


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_style_loads_nothing() -> None:
    assert not re.search(r"url\(|@import|http|expression|<", STYLE)
