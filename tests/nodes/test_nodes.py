"""Three nodes, whose clocks differ, a standby and RabbitMQ lose and double nothing in any fault."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from tests.clusters import can_be_made
from tests.nodes import faults, referee
from tests.nodes.play import play
from tests.nodes.senders import Notes
from tests.nodes.world import Node, World, world
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

        minutes = seen_clocks(here)
    assert minutes == [0, 2, -2]
    assert set(notes.acknowledged) == set(notes.sent)
    assert len(notes.acknowledged) > 50


def seen_clocks(here: World) -> list[int]:
    """Return the minutes by which each node's clock is wrong, as its answers say."""
    now = datetime.now(UTC)
    return [round((_time_of(node) - now).total_seconds() / 60) for node in here.nodes]


def _time_of(node: Node) -> datetime:
    answer = requests.get(f"{node.url}/api/health", timeout=5)
    return parsedate_to_datetime(answer.headers["Date"])
