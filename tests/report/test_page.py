"""The page for people: what is in it, harmless whatever a host says, and bounded. In a browser: test_page_browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import itertools
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit import judge_snapshot
from compliance.gate.baseline import Baseline
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT
from compliance.hyperv.estate import translate
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.readiness import Direction, Word
from compliance.judge.scope import Scope
from compliance.model import Estate, Partner, ReplicatedVM, Server
from compliance.report.page.findings import LONGEST_COMMAND, command_of
from compliance.report.page.page import page
from compliance.report.page.texts import FIRST, LARGE, Pool, by_address, natural, pack, plain
from compliance.report.table import Table, leave_out_repeats
from compliance.rule import Outcome, Result, Rule, Severity, failed, not_applicable, passed, rule, unknown
from compliance.rules.evidence.causes import Cause
from compliance.rules.remedies.remedy import Command, Shell
from compliance.snapshot.read import read_snapshot
from tests.builders import snapshot, source
from tests.demo import SNAPSHOT
from tests.hosts import NOW, Host, Vm
from tests.report.every import estate as lab
from tests.report.every import every
from tests.report.large import machines
from tests.report.tables import hostile, many, mute_machine, small
from tests.report.test_html_hostile import HOSTILE


def embedded(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    told: dict[str, object] = json.loads(found[1])
    return told


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


def main_of(text: str) -> Any:
    """Return the page's data, unpacked where it is packed."""
    return unpacked(embedded(text)["main"])


def unpacked(value: object) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(value))) if isinstance(value, str) else value


def test_every_verdict_is_in_it_or_counted() -> None:
    found = small()
    main = main_of(page(found))
    assert sum(sum(one["counts"].values()) for one in main["rules"]) == len(found.decisions)
    open_ones = [one for one in leave_out_repeats(found.verdicts) if one.outcome.result.value in ("failed", "unknown")]
    assert {len(column) for column in main["findings"].values()} == {len(open_ones)}
    assert {len(column) for column in main["rows"].values()} == {len(found.readiness)}


def test_what_is_beside_a_baseline_is_told() -> None:
    found = snapshot(source(Host(vms=[Vm(name="mute01", kvp=12)])))
    estate = translate(found)
    empty = Baseline(name="b", digest="", findings={})
    decisions, gate = decide(judge(estate), estate, Grounds(policy=DEFAULT, now=NOW, baseline=empty))
    table = Table(estate=estate, decisions=decisions, gate=gate, tool="t", baseline=empty)
    main = main_of(page(table))
    assert main["has_baseline"] is True
    assert "new" in main["texts"]


def test_numbers_sort_as_their_texts() -> None:
    main = main_of(page(small()))
    assert main["machines"]["name"] == ["mute01", "plain01", "sql01"]
    assert main["texts"] == ["", *sorted(main["texts"][1:], key=natural)]
    assert main["addresses"] == ["", *sorted(main["addresses"][1:], key=by_address)]


@pytest.mark.parametrize("letters", [LARGE // 2, LARGE * 2])
def test_what_is_large_is_packed(letters: int) -> None:
    value = {"text": "<" * (letters // 6), "more": {"numbers": list(range(100)), "none": {}}}
    assert unpacked(json.loads(pack(value))) == value
    assert ("<" in pack(value)) is False
    assert len(pack(value)) < LARGE


@given(st.lists(st.text(max_size=12)))
def test_a_pool_gives_each_text_once_in_order(texts: list[str]) -> None:
    pool = Pool()
    numbers = pool.numbers(texts)
    ordered, moved = pool.sorted(natural)
    assert [ordered[moved[number]] for number in numbers] == [plain(text) for text in texts]
    assert ordered == ["", *sorted(ordered[1:], key=natural)]


@given(st.lists(st.text(max_size=2)))
def test_who_counts_along_finds_each_text_that_is_cited(texts: list[str]) -> None:
    pool = Pool()
    cited = [pool.cite(text) for text in texts]
    count = itertools.count(1)
    assert [pool.texts[next(count) if number == FIRST else number] for number in cited] == [*map(plain, texts)]
    assert cited.count(FIRST) == len(pool.texts) - 1


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["Get-VM\u202e", "a\x1bb", "a\ud800", "a\tb", "x" * (LONGEST_COMMAND + 1), "a\rb", "a\u2028b"],
    ids=["bidi", "escape", "surrogate", "tab", "long", "return", "separator"],
)
def test_a_command_that_is_not_what_is_seen_is_not_offered(text: str) -> None:
    assert command_of(Command(Shell.SH, "on hv01", text)) is None


def test_a_command_is_copied_as_it_is() -> None:
    text = "Get-VM -Id 'a' |\n  Enable-VMIntegrationService -WhatIf  # cafe\u0301 ##[x]"
    assert command_of(Command(Shell.POWERSHELL, "on hv\x1b01", text)) == ["powershell", "on hv\\u001b01", text]


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


# --- on paper, and without scripts ------------------------------------------------------------------------------------


def paper_of(text: str) -> str:
    return re.sub(r"<[^>]+>", " ", text[text.index('<section class="paper"') : text.index("<footer>")])


def test_every_machine_that_is_not_ready_or_unknown_is_on_paper() -> None:
    found = small()
    rows = [one for one in found.readiness if one.word in (Word.NOT_READY, Word.UNKNOWN)]
    paper = html.unescape(paper_of(page(found)))
    assert f"{len({one.name for one in rows})} machine" in paper
    assert all(one.name in paper and one.reason in paper for one in rows)


def test_on_paper_is_also_what_is_to_be_confirmed_or_set() -> None:
    demo = judge_snapshot(read_snapshot(SNAPSHOT), Scope())
    paper = html.unescape(paper_of(page(demo)))
    assert "ready if NetworkManager leaves its adapter alone" in paper
    assert "file01" in paper  # a static address, and no failover address on the replica
    assert "mail01" not in paper  # ready
    assert "13 machines to see to" in paper


def test_paper_says_what_somebody_answers_for() -> None:
    paper = " ".join(html.unescape(paper_of(page(every()))).split())
    assert re.findall(r"not ready \((\w+)\)", paper) == ["known", "waived", "waived"]


def test_beyond_200_machines_paper_says_how_many_more_and_where() -> None:
    text = page(many(500))
    assert text.count("<li><h3>") == 200
    assert "And 300 more: see results.csv and this page on a screen." in text


def test_where_the_answer_comes_from_is_on_paper() -> None:
    paper = paper_of(page(every()))
    assert "waivers.yaml:2: rule guest-answers; machine hv01/waived01; replaced in June. anna, CHG-1" in paper
    assert "the snapshot was gathered by one with sha256:cc" in " ".join(paper.split())


@pytest.mark.parametrize(("count", "text"), [(3, "3 findings, judged"), (1, "1 finding, judged")])
def test_it_counts_what_is_waived(count: int, text: str) -> None:
    table = every()
    waived = [decision for decision in table.decisions if decision.reported.outcome.result is Result.WAIVED]
    less = tuple(decision for decision in table.decisions if decision not in waived[count:])
    assert f"<dt>Waived or known</dt><dd>{text} all the same" in page(replace(table, decisions=less))


@pytest.mark.parametrize(("age", "old"), [(timedelta(hours=23), False), (timedelta(days=1), True)])
def test_old_data_are_to_be_read_again(age: timedelta, old: bool) -> None:
    table = every()
    text = page(replace(table, gate=replace(table.gate, age=age)))
    assert ("Read the servers again before you act." in text) is old


def test_a_machine_without_an_address_has_its_remedy() -> None:
    table = every()
    row = replace(table.readiness[0], word=Word.NO_ADDRESS, cause=Cause.STATIC_WITHOUT, verdict=None)
    row = replace(row, direction=Direction.FAILOVER)
    assert row.remedy
    assert json.dumps(row.remedy.text)[1:-1] in page(replace(table, readiness=(row,)))


def test_partners_that_nobody_listed_are_in_the_first_screen() -> None:
    estate = replace(lab(), unlisted=(Partner(name="hv09.dr.example", servers=("hv01",), machines=2),))
    text = page(replace(every(), estate=estate))
    assert "<strong>hv09.dr.example</strong>: 2 machines on hv01 replicate with it" in text.split("</header>")[0]


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


def made_up(machines: int, rules: int, failing: int) -> Table:
    servers = tuple(Server(name=f"hv{number:03d}", site=f"site{number % 7}") for number in range(200))
    replicated = tuple(
        mute_machine(f"application-{number:05d}", servers[number % 200].name, guid=f"{number:x}")
        for number in range(machines)
    )
    estate = Estate(name="large", time=NOW, servers=servers, replicated=replicated)
    verdicts = judge(estate, made_up_rules(rules, failing))
    decisions, gate = decide(verdicts, estate, Grounds(policy=DEFAULT, now=NOW))
    return Table(estate=estate, decisions=decisions, gate=gate, tool="t", readiness=readiness_of(estate, verdicts))


@pytest.mark.slow
def test_a_large_estate_is_a_bounded_file_and_what_passed_costs_little() -> None:
    """50,000 machines may take 8 MB: 160 octets each."""
    assert len(page(made_up(5_000, 18, failing=30)).encode()) < 150_000 + 5_000 * 100


@pytest.mark.slow
def test_a_real_estate_is_a_bounded_file() -> None:
    assert len(page(machines(1_000)).encode()) < 250_000 + 1_000 * 160
