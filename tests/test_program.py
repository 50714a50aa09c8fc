"""The doctor's command is to be copied into any shell."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.program import A_FILE, doctor_command


@pytest.mark.parametrize(
    ("inventory", "written"),
    [
        ("inventories/site.yaml", "inventories/site.yaml"),
        ("C:\\hv\\site.yaml", "C:\\hv\\site.yaml"),
        ("my site.yaml", '"my site.yaml"'),
        ("site.yaml; reboot", '"site.yaml; reboot"'),
        ("$(reboot).yaml", A_FILE),
        ("`reboot`.yaml", A_FILE),
        ('a".yaml', A_FILE),
        ("%PATH%.yaml", A_FILE),
        ("a\nreboot", A_FILE),
        ("-x.yaml", A_FILE),
        ("", A_FILE),
    ],
)
def test_a_file_is_named_as_every_shell_takes_it(inventory: str, written: str) -> None:
    assert doctor_command(inventory, "hv01") == f"hyperv-compliance doctor --inventory {written} --server hv01"


@given(st.text(st.sampled_from("ab /.;&|<>()$`\"'!%*?-\n#~"), max_size=12))
def test_no_file_leaves_its_place(inventory: str) -> None:
    *_, file, option, server = shlex.split(doctor_command(inventory, "hv01"))
    assert (file, option, server) == (inventory if file != A_FILE else A_FILE, "--server", "hv01")
