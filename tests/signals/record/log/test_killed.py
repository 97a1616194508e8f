"""Killed between row, entry, checkpoint and publication, the record goes on where it was."""

import pytest

from tests.installation import Installation
from tests.signals.record.log.kills import killed


def test_no_kill_makes_a_fork_a_gap_or_a_second_signature(installation: Installation) -> None:
    assert "20 rounds" in killed(installation, rounds=20, seed=6962)


@pytest.mark.services("postgresql")
def test_nor_does_one_on_postgresql(postgresql_installation: Installation) -> None:
    assert "10 rounds" in killed(postgresql_installation, rounds=10, seed=9162)
