"""This machine's clock is compared with the database's."""

from datetime import timedelta
from pathlib import Path

import pytest

from signals.clock import utc_now
from signals.health.machine_clock import clock_problems
from tests.databases import both_databases


def sentences(folder: Path, using: str, ahead: float) -> list[str]:
    def clock() -> object:
        return utc_now() + timedelta(seconds=ahead)

    found = clock_problems(folder, using, clock)  # type: ignore[arg-type]
    return [problem.sentence for problem in found]


@both_databases
@pytest.mark.parametrize(("ahead", "says"), [(60.0, "60 s ahead of"), (-3.2, "3 s behind")])
def test_a_clock_that_is_wrong_is_a_problem(
    tmp_path: Path, using: str, ahead: float, says: str
) -> None:
    assert sentences(tmp_path, using, 0.0) == []
    (sentence,) = sentences(tmp_path, using, ahead)
    whose = "the database's" if using == "postgresql" else "the file system's"
    assert says in sentence
    assert whose in sentence
    assert list(tmp_path.iterdir()) == []
