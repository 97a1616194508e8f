"""Killed between a witness's answer and its mark, the record goes on where it was."""

import pytest

from tests.installation import Installation
from tests.sync.record.kills import killed


def test_no_kill_loses_or_repeats_a_mark(installation: Installation) -> None:
    assert "10 rounds" in killed(installation, rounds=10, seed=17)


@pytest.mark.services("postgresql")
def test_nor_does_one_on_postgresql(postgresql_installation: Installation) -> None:
    assert "10 rounds" in killed(postgresql_installation, rounds=10, seed=71)
