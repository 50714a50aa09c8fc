"""A step that is worked out once a machine says of each machine what it would say if it were asked anew."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from compliance.model import Judging, ReplicatedVM
from compliance.rule import Outcome, failed, passed, with_facts
from compliance.rules.evidence.once import once_a_machine
from tests.values import estate, replica, vm

PRIMARY = vm()
SIDES = estate(PRIMARY, replica(PRIMARY), vm("web")).replicated
SETTINGS = (Judging(), Judging(may_be_empty=True))


@given(st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(SETTINGS)), max_size=20))
def test_each_is_asked_for_as_if_alone(asked: list[tuple[ReplicatedVM, Judging]]) -> None:
    def step(vm: ReplicatedVM, settings: Judging) -> Outcome:
        return passed(f"{vm.machine.server}/{vm.machine.name} {settings.may_be_empty}")

    kept = once_a_machine(step)
    assert [kept(vm, settings) for vm, settings in asked] == [step(vm, settings) for vm, settings in asked]


def test_the_last_machine_is_worked_out_once() -> None:
    asked: list[ReplicatedVM] = []

    @once_a_machine
    def step(vm: ReplicatedVM, settings: Judging) -> Outcome:
        asked.append(vm)
        return passed(str(settings.may_be_empty))

    first, second = SIDES[:2]
    for side in (first, first, second, second, replace(first), first):
        step(side, SETTINGS[0])
    assert list(map(id, asked)) == list(map(id, [first, second, asked[2], first]))  # an equal one is another


def test_an_outcome_with_facts_is_the_same_beside_them() -> None:
    facts = {"Address now": ("10.1.0.20",)}
    whole = replace(failed("bad", evidence="seen", cause="cause", rests_on=("a",)), condition="if", remarks=("b",))
    assert with_facts(whole, facts) == replace(whole, facts=facts)
