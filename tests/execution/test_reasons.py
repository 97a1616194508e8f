"""Every reason in the list is given somewhere in the code, and no other."""

import re
from pathlib import Path

import execution
from execution.types import Reason


def test_every_reason_is_given_somewhere() -> None:
    sources = Path(str(execution.__file__)).parent.rglob("*.py")
    given = {
        name
        for path in sources
        for name in re.findall(r"Denial\(\s*Reason.(\w+)", path.read_text())
    }
    assert given == set(Reason.__members__)
