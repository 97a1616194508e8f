"""Killed between row, entry, checkpoint and publication, the record goes on where it was."""

from tests.installation import Installation
from tests.signals.record.log.kills import killed


def test_no_kill_makes_a_fork_a_gap_or_a_second_signature(installation: Installation) -> None:
    assert "20 rounds" in killed(installation, rounds=20, seed=6962)
