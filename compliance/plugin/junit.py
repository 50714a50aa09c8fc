"""The one sentence in JUnit's file, which has no other place for what is about all cases."""

from __future__ import annotations

import pytest
from _pytest.junitxml import xml_key

from compliance.report.table import Table

HEADLINE = "headline"


def add_headline(config: pytest.Config, table: Table) -> None:
    """Add the sentence to the properties of JUnit's test suite, where one is written.

    What pytest offers for that is a fixture (record_testsuite_property), and no case of ours has any.
    """
    if writer := config.stash.get(xml_key, None):
        writer.add_global_property(HEADLINE, table.headline)
