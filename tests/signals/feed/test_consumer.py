"""The manual's consumer has each signal once, whoever is killed."""

from pathlib import Path

import pytest

from tests.installation import Installation
from tests.signals.feed.kills import Race, stored

SIGNALS = 20_000


@pytest.mark.slow
def test_a_consumer_that_is_killed_has_each_signal_once(
    installation: Installation, tmp_path: Path
) -> None:
    race = Race(tmp_path, installation, SIGNALS)
    copied = race.run(kills=20, server_kills=2)
    assert len(copied.signal_ids) == SIGNALS
    assert copied.signal_ids == stored(race.argo)
