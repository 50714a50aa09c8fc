"""How many tests of a run were skipped, and why: `python -m tests.skipped JUNIT…`; too many are an exit code of 1."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

MOST = 0.15
"""The share of the tests that may be skipped; with more, what was tried says little."""


def reasons_of(files: Sequence[Path]) -> tuple[int, Counter[str]]:
    """Return how many tests JUnit's files have, and how many were skipped for which reason."""
    cases = [case for file in files for case in ElementTree.parse(file).iter("testcase")]
    skips = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    return len(cases), Counter(re.sub(r"^Skipped: ", "", message) for message in skips)


def main(names: Sequence[str]) -> int:
    tests, reasons = reasons_of([Path(name) for name in names])
    skipped = sum(reasons.values())
    lines = [f"{skipped} of {tests} tests were skipped, {skipped / max(tests, 1):.1%}:"]
    lines += [f"{count:5} {reason}" for reason, count in reasons.most_common()]
    is_fine = tests > 0 and skipped <= MOST * tests
    if not is_fine:
        lines.append(f"more than {MOST:.0%} were skipped, or there was none")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
