"""Writers and flushers killed by SIGKILL at random and at each named point: nothing acknowledged
is lost, nothing is stored twice.

The long form: ARGO_CRASH_ROUNDS=500 python -m pytest tests/signals/crash
"""

import json
import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.installation import Installation
from tests.signals.crash.pool_client import Nursery
from tests.signals.crash.process_pool import NEVER, POINTS

ROUNDS = int(os.environ.get("ARGO_CRASH_ROUNDS", "60"))
CHECK_EVERY = 20
ROLES = ("writer", "async-writer", "logger", "flusher", "flusher")
LONGEST_LIFE = 0.4
"""Seconds after which whoever did not die at its point is killed."""

pytestmark = pytest.mark.slow


@pytest.fixture
def argo(installation: Installation) -> Installation:
    """Small segments, so that processes also die while one is sealed; small batches."""
    settings = {
        "SIGNAL_SEGMENT_BYTES": "30000",
        "SIGNAL_FLUSH_ROWS": "50",
        "SIGNAL_FLUSH_LINGER": "10",
        "ARGO_LOG_LEVEL": "ERROR",
    }
    return Installation(installation.folder, settings)


@pytest.fixture
def nursery(argo: Installation) -> Iterator[Nursery]:
    nursery = Nursery(argo)
    yield nursery
    nursery.close()


def test_whoever_is_killed_nothing_acknowledged_is_lost(
    argo: Installation, nursery: Nursery
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(1, ROUNDS + 1):
        _one_round(nursery, chance)
        if number % CHECK_EVERY == 0 or number == ROUNDS:
            _check(argo)


def _one_round(nursery: Nursery, chance: random.Random) -> None:
    """Three writers and two flushers, of which each dies at its point or at a random moment."""
    pids = [nursery.start(role, chance.choice((NEVER, *POINTS[role]))) for role in ROLES]
    chance.shuffle(pids)
    for pid in pids:
        time.sleep(chance.uniform(0, LONGEST_LIFE / 2))
        nursery.end(pid)


def _check(argo: Installation) -> None:
    """After a start that is like any other: all is there, once, and journal and rows agree."""
    assert _told(argo, "stored") <= _stored(argo)
    flushed = argo.manage("flush_signals")
    assert flushed.returncode == 0, flushed.stdout + flushed.stderr
    acknowledged, stored = _told(argo, "acknowledged"), _stored(argo)
    assert acknowledged <= stored
    assert argo.query("SELECT count(*) FROM signals") == [(len(stored),)]
    assert _journaled(argo) == stored
    verified = argo.manage("verify_signals")
    assert verified.returncode == 0, verified.stdout
    assert argo.query("PRAGMA integrity_check") == [("ok",)]
    assert argo.query("SELECT count(*) FROM dead_letters") == [(0,)]
    assert len(acknowledged) > 100, "the writers wrote next to nothing: this proves little"


def _told(argo: Installation, name: str) -> set[str]:
    return set((argo.folder / name).read_text().split())


def _stored(argo: Installation) -> set[str]:
    return {row[0] for row in argo.query("SELECT signal_id FROM signals")}


def _journaled(argo: Installation) -> set[str]:
    """The ids of all lines, each of which is whole."""
    lines = (line.data for chunk in argo.journal.chunks() for line in chunk.lines)
    return {json.loads(line)["signal_id"] for line in lines}
