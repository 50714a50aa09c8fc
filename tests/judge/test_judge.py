"""Verdicts and their names: none is missing, each id stands once, and no name breaks a terminal."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compliance.rules
from compliance.hyperv.estate import translate
from compliance.judge.judge import all_rules, judge
from compliance.model import (
    Cluster,
    Estate,
    GuestConnection,
    Judging,
    Power,
    ReplicatedVM,
    Role,
    Server,
    Unread,
    VirtualMachine,
)
from compliance.rule import Outcome, Result, Rule, Severity, passed, rule
from compliance.words import printable
from tests.builders import snapshot, source, unread_source
from tests.hosts import NOW, Host, Vm, guid, replica_of

HERE = Path(__file__).parent.parent
MODULES = sorted(found.name for found in pkgutil.iter_modules(compliance.rules.__path__) if not found.ispkg)
RULES = all_rules()


@rule("each-machine", severity=Severity.WARNING, title="t", impact="i", resolution="r")
def each_machine(vm: ReplicatedVM) -> Outcome:
    return passed(vm.machine.guid)


@rule("each-server", severity=Severity.ERROR, title="t", impact="i", resolution="r")
def each_server(server: Server) -> Outcome:
    return passed(str(server.unread))


@rule("the-estate", severity=Severity.ERROR, title="t", impact="i", resolution="r")
def the_estate(estate: Estate, settings: Judging) -> Outcome:
    return passed(f"{estate} {settings.may_be_empty}")


def side(name: str, number: int = 0, server: str = "hv01", own: str = "") -> ReplicatedVM:
    machine = VirtualMachine(
        server=server,
        guid=own or f"{number:08X}-0000-4000-8000-000000000000",
        name=name,
        role=Role.PRIMARY,
        power=Power.RUNNING,
        replicated=True,
    )
    return ReplicatedVM(machine=machine, partner=Unread("none"))


def estate(*sides: ReplicatedVM, servers: tuple[Server, ...] = (Server(name="hv01"),)) -> Estate:
    return Estate(name="test", time=NOW, servers=servers, replicated=sides)


def labels(*sides: ReplicatedVM) -> list[str]:
    return [verdict.label for verdict in judge(estate(*sides), [each_machine])]


# --- labels -----------------------------------------------------------------------------------------------------------

LABELS: dict[str, tuple[list[ReplicatedVM], list[str]]] = {
    "plain": ([side("a"), side("b", 1)], ["hv01/a", "hv01/b"]),
    "one name on two servers": ([side("a"), side("a", server="hv02")], ["hv01/a", "hv02/a"]),
    "a clash": ([side("a", 1), side("b"), side("a", 2)], ["hv01/a~00000001", "hv01/b", "hv01/a~00000002"]),
    "across case is no clash": ([side("sql", 1), side("SQL", 2)], ["hv01/sql", "hv01/SQL"]),
    "composed and not": (
        [side("\u00e9", 1), side("e\u0301", 2)],
        ["hv01/\u00e9~00000001", "hv01/\u00e9~00000002"],
    ),
    "eight digits clash too": (
        [side("a", own="AAAAAAAA-0000-4000-8000-000000000001"), side("a", own="AAAAAAAA-0000-4000-8000-000000000002")],
        ["hv01/a~aaaaaaaa-0000-4000-8000-000000000001", "hv01/a~aaaaaaaa-0000-4000-8000-000000000002"],
    ),
    "looks like a suffixed one": (
        [side("a", 1), side("a", 2), side("a~00000001", 3)],
        [
            "hv01/a~00000001-0000-4000-8000-000000000000",
            "hv01/a~00000002",
            "hv01/a~00000001~00000003-0000-4000-8000-000000000000",
        ],
    ),
    "looks like a suffixed one in full too": (
        [side("a", 1), side("a", 2), side("a~00000001", 3), side("a~00000001-0000-4000-8000-000000000000", 4)],
        [
            "hv01/a~00000001-0000-4000-8000-000000000000",
            "hv01/a~00000002",
            "hv01/a~00000001~00000003-0000-4000-8000-000000000000",
            "hv01/a~00000001-0000-4000-8000-000000000000~2",
        ],
    ),
    "control characters": ([side("a\x1b[2J\x07\r\nb")], ["hv01/a\\u001b[2J\\u0007\\u000d\\u000ab"]),
    "direction": ([side("\u202egpj.exe")], ["hv01/\\u202egpj.exe"]),
    "nothing to see": ([side("a\u200b\ufeff\u00adb")], ["hv01/a\\u200b\\ufeff\\u00adb"]),
    "other spaces": ([side("a\u00a0\u2028b")], ["hv01/a\\u00a0\\u2028b"]),
    "half a character": ([side("\ud800")], ["hv01/\\ud800"]),
    "private and unassigned": ([side("\ue000\U000e0001")], ["hv01/\\ue000\\U000e0001"]),
    "spaces": ([side(" a  b "), side("a b", 1)], ["hv01/ a  b ", "hv01/a b"]),
    "other scripts": ([side("宿主-日本"), side("Ω😀", 1)], ["hv01/宿主-日本", "hv01/Ω😀"]),
    "an escape as text": (
        [side("a\x07", 1), side("a\\u0007", 2)],
        ["hv01/a\\u0007~00000001", "hv01/a\\u0007~00000002"],
    ),
    "pytest's own marks": ([side("a[1]::b")], ["hv01/a[1]::b"]),
}


@pytest.mark.parametrize(("sides", "expected"), LABELS.values(), ids=LABELS.keys())
def test_labels(sides: list[ReplicatedVM], expected: list[str]) -> None:
    assert labels(*sides) == expected


def test_a_label_keeps_its_suffix_off_while_there_is_no_clash() -> None:
    assert labels(side("a", 1)) == ["hv01/a"]


def test_two_servers_that_look_alike() -> None:
    """The inventory allows neither; a snapshot may come from anywhere."""
    own = guid("x")
    servers = Server(name="\u00e9"), Server(name="e\u0301"), Server(name="\u00e9/a", unread=Unread("refused"))
    found = estate(side("a", server="\u00e9", own=own), side("a", server="e\u0301", own=own), servers=servers)
    ids = Counter(verdict.id for verdict in judge(found, [each_machine, each_server]))
    assert ids.most_common(1)[0][1] == 1
    assert len(ids) == 6


tricky = st.text(st.sampled_from("aA~01/\u00e9e\u0301\x07\u202e "), max_size=4)
guids = st.sampled_from(["00000000-0000-4000-8000-000000000000", "00000000-1111-4000-8000-000000000000"])


@settings(deadline=None)
@given(st.lists(st.tuples(tricky, guids, st.sampled_from(["hv01", "hv01/a"])), max_size=6))
def test_each_id_stands_once_and_is_printable(names: list[tuple[str, str, str]]) -> None:
    servers = Server(name="hv01"), Server(name="hv01/a", unread=Unread("refused"))
    sides = [side(name, server=server, own=own) for name, own, server in names]
    verdicts = judge(estate(*sides, servers=servers), [each_machine, each_server, the_estate])
    ids = [verdict.id for verdict in verdicts]
    assert len(set(ids)) == len(ids) == len(sides) + 1 + 2 + 1
    assert all(one.isprintable() for one in ids)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_a_printable_name(name: str) -> None:
    safe = printable(name)
    assert safe.isprintable()
    assert not any(unicodedata.bidirectional(letter) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI") for letter in safe)
    assert printable(unicodedata.normalize("NFD", name)) == safe
    assert printable(safe) == safe


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_an_unread_server_stands_in_for_its_machines_under_each_rule_on_machines() -> None:
    found = translate(snapshot(source(Host(vms=[Vm(name="x")])), unread_source("hv02", "login refused")))
    other = replace(each_machine, key="each-machine-too")
    verdicts = judge(found, [each_machine, other, each_server, the_estate])
    assert [verdict.id for verdict in verdicts] == [
        "test::each-machine[hv02]",
        "test::each-machine[hv01/x]",
        "test::each-machine-too[hv02]",
        "test::each-machine-too[hv01/x]",
        "test::each-server[hv01]",
        "test::each-server[hv02]",
        "test::the-estate[test]",
    ]
    stand_in = verdicts[0]
    assert (stand_in.outcome.result, stand_in.machine, stand_in.server) == (Result.UNKNOWN, None, "hv02")
    assert stand_in.outcome.finding == "its virtual machines are unknown, since it was not read: login refused"


def test_every_subject_is_judged_with_the_settings_of_the_estate() -> None:
    found = replace(estate(side("a"), side("b", 1)), settings=Judging(may_be_empty=True))
    verdicts = judge(found, [each_machine, the_estate])
    assert [verdict.outcome.finding for verdict in verdicts] == [
        "00000000-0000-4000-8000-000000000000",
        "00000001-0000-4000-8000-000000000000",
        "test True",
    ]
    assert [verdict.machine and verdict.machine.name for verdict in verdicts] == ["a", "b", None]


def test_an_empty_estate_is_judged_as_an_estate() -> None:
    assert [verdict.id for verdict in judge(estate(servers=()), [each_machine, each_server, the_estate])] == [
        "test::the-estate[test]"
    ]


def test_no_rules_no_verdicts() -> None:
    assert judge(estate(side("a")), []) == ()


def test_all_rules_judge_where_none_is_named() -> None:
    primary, other = side("a"), side("a", server="hv02")
    there = replace(other, machine=replace(other.machine, role=Role.REPLICA))
    plain = replace(estate(primary, there), clusters=(Cluster(name="hvcl01"),))
    found = {verdict.rule for verdict in judge(plain)}
    assert found == {rule for rule in RULES if rule.applies(plain)}
    known = GuestConnection(name="local://", patterns=("a",), inside=Unread("not read"))
    assert {verdict.rule for verdict in judge(replace(plain, connections=(known,)))} == set(RULES)


# --- the catalogue ----------------------------------------------------------------------------------------------------


def rules_in(module: str) -> dict[str, Rule]:
    loaded = importlib.import_module(f"compliance.rules.{module}")
    return {name: value for name, value in vars(loaded).items() if isinstance(value, Rule)}


def test_each_rule_is_found_once() -> None:
    """What is counted here is the decorator in the source, which all_rules() never looks at."""
    written = Counter[str]()
    for module in MODULES:
        tree = ast.parse((Path(compliance.rules.__path__[0]) / f"{module}.py").read_text("utf-8"))
        for function in tree.body:
            for decorator in getattr(function, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "rule":
                    written[ast.literal_eval(decorator.args[0])] += 1
    assert written
    assert Counter(one.key for one in RULES) == written
    assert set(written.values()) == {1}


def test_rules_stand_worst_first() -> None:
    assert [*RULES] == sorted(RULES, key=lambda one: (one.severity.rank, one.key))


@pytest.mark.parametrize("one", RULES, ids=str)
def test_a_rule_says_what_a_reader_needs(one: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", one.key)
    for text in (one.title, one.issue, one.impact, one.resolution, one.violated):
        assert text == text.strip() != ""
        assert all(part.isprintable() and part == part.strip() != "" for part in text.split("\n\n"))
    assert "\n" not in one.title + one.violated
    assert not one.title.endswith(".")
    assert not one.violated.endswith(".")
    assert one.issue.endswith(".")
    assert one.impact.endswith(".")
    assert one.resolution.endswith(".")
    assert one.link is None or one.link.startswith("https://learn.microsoft.com/")
    assert one.link is not None or not one.quoted


@pytest.mark.parametrize("module", MODULES)
def test_each_family_of_rules_has_its_tests(module: str) -> None:
    twin = HERE / "rules" / f"test_{module}.py"
    assert twin.is_file()
    source_text = twin.read_text("utf-8")
    missing = [name for name in rules_in(module) if name not in source_text]
    assert not missing, f"{twin.name} names no {missing}"


def test_each_file_of_rules_tests_has_its_family() -> None:
    twins = {path.stem.removeprefix("test_") for path in (HERE / "rules").glob("test_*.py")}
    assert twins - set(MODULES) == set()


def test_a_rule_must_say_what_it_judges() -> None:
    def judges_nothing(vm: VirtualMachine) -> Outcome:
        return passed()

    with pytest.raises(TypeError, match="first parameter must be annotated with a subject"):
        rule("x", severity=Severity.ERROR, title="t", impact="i", resolution="r")(judges_nothing)


def test_what_is_said_of_many_machines_alike_is_there_once() -> None:
    vms = [Vm(name=f"vm{at:02}") for at in range(10)]
    estate = translate(snapshot(source(Host(vms=vms)), source(Host(name="HV02", vms=[replica_of(vm) for vm in vms]))))
    outcomes = [verdict.outcome for verdict in judge(estate) if not verdict.outcome.rests_on]
    different = {(str(outcome), id(outcome)) for outcome in outcomes}
    assert len(outcomes) > 2 * len(different)
    assert len(different) == len({text for text, _ in different})
