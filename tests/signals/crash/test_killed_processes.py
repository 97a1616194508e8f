"""Writers and flushers are killed by SIGKILL at random and at each named point: nothing
acknowledged is lost, and nothing is stored twice.

The long form: ARGO_CRASH_ROUNDS=500 python -m pytest tests/signals/crash
"""

import json
import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.installation import Installation
from tests.signals.crash.pool_client import ProcessPool
from tests.signals.crash.process_pool import NEVER, POINTS

ROUNDS = int(os.environ.get("ARGO_CRASH_ROUNDS", "20"))
CHECK_EVERY = 20
ROLES = ("writer", "async-writer", "logger", "flusher", "flusher")
LONGEST_LIFE = 0.4
"""Seconds after which a process that did not die at its point is killed."""

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
def pool(argo: Installation) -> Iterator[ProcessPool]:
    pool = ProcessPool(argo)
    yield pool
    pool.close()


def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    argo: Installation, pool: ProcessPool
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(1, ROUNDS + 1):
        _one_round(pool, chance)
        if number % CHECK_EVERY == 0 or number == ROUNDS:
            _check(argo)


def _one_round(pool: ProcessPool, chance: random.Random) -> None:
    """Start three writers and two flushers; each dies at its point or at a random moment."""
    pids = [pool.start(role, chance.choice((NEVER, *POINTS[role]))) for role in ROLES]
    chance.shuffle(pids)
    for pid in pids:
        time.sleep(chance.uniform(0, LONGEST_LIFE / 2))
        pool.end(pid)


def _check(argo: Installation) -> None:
    """After a normal start: everything is stored once, and journal and rows agree."""
    assert _read_ids(argo, "stored") <= _stored(argo)
    flushed = argo.manage("flush_signals")
    assert flushed.returncode == 0, flushed.stdout + flushed.stderr
    acknowledged, stored = _read_ids(argo, "acknowledged"), _stored(argo)
    assert acknowledged <= stored
    assert argo.query("SELECT count(*) FROM signals") == [(len(stored),)]
    assert _journaled(argo) == stored
    verified = argo.manage("verify_signals")
    assert verified.returncode == 0, verified.stdout
    assert argo.query("PRAGMA integrity_check") == [("ok",)]
    assert argo.query("SELECT count(*) FROM dead_letters") == [(0,)]
    assert len(acknowledged) > 100, "the writers wrote too little for this test to prove anything"


def _read_ids(argo: Installation, name: str) -> set[str]:
    return set((argo.folder / name).read_text().split())


def _stored(argo: Installation) -> set[str]:
    return {row[0] for row in argo.query("SELECT signal_id FROM signals")}


def _journaled(argo: Installation) -> set[str]:
    """Return the ids on all lines; each line must be complete."""
    lines = (line.data for chunk in argo.journal.chunks() for line in chunk.lines)
    return {json.loads(line)["signal_id"] for line in lines}
