"""The command `hyperv-compliance`: audits servers, and what is done with servers and snapshots beside an audit."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from compliance.commands.parser import PASS_ON, USAGE, parser_for
from compliance.errors import UsageError
from compliance.garbage import uncollected
from compliance.words import printable

CUT_OFF, INTERRUPTED = 1, 2
"""Exit codes, as pytest has them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the command that ``arguments`` name; help where there are none."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        run = _run(words)
    except UsageError as error:
        for line in str(error).split("\n"):
            sys.stderr.write(f"ERROR: {printable(line)}\n")
        return USAGE
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as `head` does; Python's end would try once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT_OFF
    return run


def _run(words: Sequence[str]) -> int:
    with uncollected():  # what it loads
        parser = parser_for(words)
    if not words:
        parser.print_help()
        return 0
    options = parser.parse_known_args(words)[0] if words[0] in PASS_ON else parser.parse_args(words)
    options.words = words[1:]
    code: int = options.command.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
