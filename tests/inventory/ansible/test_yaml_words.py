"""A plain word of YAML is for us what it is for PyYAML, by which Ansible reads."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.inventory.ansible.yaml_words import value_of

WORDS: dict[str, object] = {
    "0123": 83,
    "5_986": 5986,
    "0x10": 16,
    "0b101": 5,
    "1:30": 90,
    "-1:30": -90,
    "1:30.5": 90.5,
    "089": "089",
    "0o17": "0o17",
    "1e5": "1e5",
    "1.0e+5": 100000.0,
    "1.5": 1.5,
    ".5": 0.5,
    ".inf": math.inf,
    "yes": True,
    "Yes": True,
    "yEs": "yEs",
    "y": "y",
    "off": False,
    "N": "N",
    "": None,
    "~": None,
    "null": None,
    "=": "=",
    "192.0.2.1": "192.0.2.1",
    "00:15:5d": "00:15:5d",
    "hv01": "hv01",
}


@pytest.mark.parametrize("text", WORDS, ids=repr)
def test_a_word(text: str) -> None:
    value = value_of(text)
    assert (type(value), value) == (type(WORDS[text]), WORDS[text])


@given(st.text("0123456789abefoxEINnultrsy.:_-+~", max_size=9))
@example("0b_")
@example("0x_")
@example("+.5")
@example("1_:0_0")
def test_any_word_is_what_pyyaml_reads(text: str) -> None:
    yaml = pytest.importorskip("yaml", reason="no PyYAML here (pip install 'hyperv-compliance[test-ansible]')")
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    if tag.endswith((":timestamp", ":merge", ":value", ":yaml")):
        assert value_of(text) == text
        return
    node = yaml.ScalarNode(tag, text)
    try:
        theirs = loader.construct_object(node)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  # Python's own, or ours
            value_of(text)
        return
    ours = value_of(text)
    assert type(ours) is type(theirs)
    assert ours == theirs or (ours != ours and theirs != theirs)  # not a number
