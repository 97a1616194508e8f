"""A worker killed by SIGKILL in mid-request, a hundred times."""

import json
import random
import time
from collections.abc import Iterator

import pytest

from tests.argo.up.processes import is_alive, wait_until
from tests.installation import Installation
from tests.samples import signals
from tests.signals.crash.pool_client import Nursery
from tests.signals.crash.process_pool import IN_DATABASE, NEVER, SENDERS_LEASE
from tests.sync.alpine_server import Alpine, Behave, Handler, accept

KILLS = 100
SIGNALS = 1500
THREADS = 8

pytestmark = pytest.mark.slow


@pytest.fixture
def argo(installation: Installation, alpine: Alpine) -> Installation:
    settings = {
        "ALPINE_ENDPOINT": alpine.endpoint,
        "ALPINE_API_KEY": "key",
        "SYNC_CONCURRENCY": str(THREADS),
        "ARGO_LOG_LEVEL": "ERROR",
    }
    argo = Installation(installation.folder, settings)
    lines = "".join(f"{json.dumps(signal)}\n" for signal in signals(SIGNALS))
    argo.manage("log_signal", stdin=lines).check_returncode()
    return argo


@pytest.fixture
def nursery(argo: Installation) -> Iterator[Nursery]:
    nursery = Nursery(argo)
    yield nursery
    nursery.close()


def statuses(argo: Installation) -> dict[str, int]:
    return dict(argo.query("SELECT status, count(*) FROM deliveries GROUP BY status"))


def slowly(handler: Handler) -> None:
    time.sleep(random.uniform(0.05, 0.2))
    accept(handler)


def _live_and_die(nursery: Nursery, point: str, life: list[str]) -> None:
    """Killed in mid-request, unless it came to its point before."""
    pid = nursery.start("sender", point)
    wait_until(lambda: bool(life) or not is_alive(pid))
    time.sleep(random.uniform(0, 0.2))
    nursery.end(pid)


def test_everything_arrives_and_only_lost_answers_cost_a_second_copy(
    argo: Installation, nursery: Nursery, alpine: Alpine
) -> None:
    lives: list[list[str]] = []

    def choose(signal_id: str, times: int) -> Behave:
        lives[-1].append(signal_id)
        return slowly if len(lives) <= KILLS else accept

    alpine.choose = choose
    for number in range(KILLS):
        lives.append([])
        _live_and_die(nursery, (NEVER, NEVER, *IN_DATABASE)[number % 4], lives[-1])
        wait_until(lambda: alpine.at_once == 0)  # what comes now is the next life's

    lives.append([])
    began = time.monotonic()
    last = nursery.start("sender")
    wait_until(lambda: set(statuses(argo)) == {"delivered"})
    stuck = time.monotonic() - began
    nursery.end(last)

    queued = argo.query("SELECT count(*), max(attempts) FROM deliveries")
    count, most = queued[0]
    assert statuses(argo) == {"delivered": count}
    assert len(alpine.times) == count >= SIGNALS
    for life in lives:
        assert len(life) == len(set(life))  # nobody sends a signal twice whose answer it has
    twice = sum(times - 1 for times in alpine.times.values())
    assert twice <= KILLS * 4 * THREADS
    assert most <= 15
    assert sum(map(len, lives[:-1])) > KILLS  # some were under way in each life
    assert stuck < SENDERS_LEASE.total_seconds() + 45
