"""Facts that are looked up when they are shown read as a dict of them would."""

from __future__ import annotations

import pickle

from compliance.rules.evidence.facts import ADDRESSES_NOW, MachineFacts, addresses_now
from compliance.rules.failover import FACTS
from tests.values import estate, replica, side_of, vm

PRIMARY = vm()
REPLICA = side_of(estate(PRIMARY, replica(PRIMARY)), "hv02")


def test_facts_read_as_a_dict() -> None:
    looked_up = {name: look(REPLICA) for name, look in FACTS.items()}
    facts = MachineFacts(REPLICA, FACTS)
    assert facts == looked_up == dict(facts.items())
    assert repr(facts) == repr(looked_up)
    assert (facts.get("another"), len(facts), [*facts]) == (None, len(looked_up), [*looked_up])
    assert facts != MachineFacts(REPLICA, {ADDRESSES_NOW: addresses_now})
    assert pickle.loads(pickle.dumps(facts)) == facts  # noqa: S301  # our own
