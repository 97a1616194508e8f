"""A worker killed by SIGKILL during a request, many times.

The long form: ARGO_CRASH_ROUNDS=100 python -m pytest tests/sync/test_killed_workers.py
"""

import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.argo.up.processes import is_alive, wait_until
from tests.installation import Installation
from tests.signals.crash.pool_client import ProcessPool
from tests.signals.crash.process_pool import IN_DATABASE, NEVER, SENDERS_LEASE
from tests.sync.alpine_server import Alpine, Behave, accept, slow
from tests.sync.installations import log, settings_of, statuses

KILLS = int(os.environ.get("ARGO_CRASH_ROUNDS", "30"))
SIGNALS = 1500
THREADS = 8

pytestmark = pytest.mark.slow


@pytest.fixture
def argo(installation: Installation, alpine: Alpine) -> Installation:
    settings = {"SYNC_CONCURRENCY": str(THREADS), "ARGO_LOG_LEVEL": "ERROR"}
    argo = Installation(installation.folder, settings_of(alpine) | settings)
    log(argo, SIGNALS)
    return argo


@pytest.fixture
def pool(argo: Installation) -> Iterator[ProcessPool]:
    pool = ProcessPool(argo)
    yield pool
    pool.close()


def _live_and_die(pool: ProcessPool, point: str, life: list[str]) -> None:
    """Kill a worker during a request, unless it has reached `point` before."""
    pid = pool.start("sender", point)
    wait_until(lambda: bool(life) or not is_alive(pid))
    time.sleep(random.uniform(0, 0.2))
    pool.end(pid)


def test_everything_arrives_and_only_lost_answers_cost_a_second_copy(
    argo: Installation, pool: ProcessPool, alpine: Alpine
) -> None:
    lives: list[list[str]] = []

    def choose(signal_id: str, times: int) -> Behave:
        lives[-1].append(signal_id)
        return slow(0.05, 0.2) if len(lives) <= KILLS else accept

    alpine.choose = choose
    for number in range(KILLS):
        lives.append([])
        _live_and_die(pool, (NEVER, NEVER, *IN_DATABASE)[number % 4], lives[-1])
        wait_until(lambda: alpine.at_once == 0)  # later requests belong to the next life

    lives.append([])
    began = time.monotonic()
    last = pool.start("sender")
    wait_until(lambda: set(statuses(argo)) == {"delivered"})
    stuck = time.monotonic() - began
    pool.end(last)

    queued = argo.query("SELECT count(*), max(attempts) FROM deliveries")
    count, most = queued[0]
    assert statuses(argo) == {"delivered": count}
    assert len(alpine.times) == count >= SIGNALS
    for life in lives:
        assert len(life) == len(set(life))  # no worker sends a signal again after its answer
    twice = sum(times - 1 for times in alpine.times.values())
    assert twice <= KILLS * 4 * THREADS
    assert most <= 15
    assert sum(map(len, lives[:-1])) > KILLS  # some requests were under way in each life
    assert stuck < SENDERS_LEASE.total_seconds() + 45
