"""Three nodes, a standby and RabbitMQ lose nothing and double nothing while things go wrong."""

import random
from pathlib import Path

import pytest

from tests.clusters import can_be_made
from tests.nodes import faults, referee
from tests.nodes.play import play
from tests.nodes.senders import Notes
from tests.nodes.world import world
from tests.services import required

ROUNDS = ("kill_both", "slow_standby")
"""What the short form plays, the worst first; `python -m tests.nodes` plays all."""

pytestmark = [pytest.mark.slow, pytest.mark.services("rabbitmq")]


def test_what_was_acknowledged_is_there_once_and_traded_once(tmp_path: Path) -> None:
    if not (can_be_made() or required()):
        pytest.skip("PostgreSQL's server programs are not installed")
    random.seed(len(ROUNDS))
    notes = Notes()
    with world(tmp_path) as here:
        for name in ROUNDS:
            play(here, notes, faults.FAULTS[name])
        referee.verify_nodes(here)

    assert set(notes.acknowledged) == set(notes.sent)
    assert len(notes.acknowledged) > 50
