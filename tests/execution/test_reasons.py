"""The list of reasons is whole: the API refuses others, and the admin site offers no others."""

import re
from pathlib import Path

import execution
from execution.reasons import REASONS


def test_every_reason_that_the_code_gives_is_listed_and_no_other() -> None:
    sources = Path(str(execution.__file__)).parent.rglob("*.py")
    given = {
        code for path in sources for code in re.findall(r'Denial\(\s*"(\w+)"', path.read_text())
    }
    assert given == REASONS.keys()
