"""The time from the call to the row under `up`: at 200 signals a second, and for single signals."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import accumulate

import orjson
from django.conf import settings

from signals.keys import create_key
from tests.benchmarks import samples, servers
from tests.benchmarks.client import CONNECTIONS, Connection, request
from tests.benchmarks.figures import Figure, at_least, distribution
from tests.benchmarks.watcher import Watcher
from tests.benchmarks.workspace import Workspace, say

PER_SECOND = 200
MAX_DELAY = 0.5
KEEP_ALIVE = 1.0
"""Seconds for which a client keeps an idle connection; the server closes it later."""
PAUSES = (0.1, 1.3)
"""Seconds between single signals: random, so that they are independent of beat and polling."""


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure from when a call was due until another connection sees its row."""
    key = create_key("benchmark", ["write"])
    many = workspace.size(30, 5) * PER_SECOND
    steady = [number / PER_SECOND for number in range(many)]
    chance = random.Random(1)
    single = list(accumulate(chance.uniform(*PAUSES) for _ in range(workspace.size(80, 10))))
    with servers.up(), _watched() as watcher:
        time.sleep(1.0)
        yield from _described(
            f"{PER_SECOND} signals a second for {many // PER_SECOND} s",
            _delays(watcher, _requests(0, many, key), steady),
        )
        yield from _described(
            f"{len(single)} single signals",
            _delays(watcher, _requests(many, len(single), key), single),
        )


def _requests(first: int, count: int, key: str) -> list[bytes]:
    signals = map(orjson.dumps, samples.signals(count, first))
    return [request("/api/signals", body, key) for body in signals]


@contextmanager
def _watched() -> Iterator[Watcher]:
    watcher = Watcher(settings.DATA_DIR / "signals.db")
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        yield watcher
    finally:
        watcher.stop()
        thread.join()


def _delays(watcher: Watcher, requests: Sequence[bytes], due: Sequence[float]) -> list[float]:
    """Return the seconds from when each request was due until its row was seen, sorted."""
    start = time.monotonic() + 0.2
    parts = [range(number, len(due), CONNECTIONS) for number in range(CONNECTIONS)]

    def post(part: Sequence[int]) -> dict[str, float]:
        return _posted([(start + due[number], requests[number]) for number in part])

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        calls = {name: at for calls in pool.map(post, parts) for name, at in calls.items()}
    seen = watcher.wait_for(calls.keys())
    return sorted(seen[name] - at for name, at in calls.items())


def _posted(plan: Sequence[tuple[float, bytes]]) -> dict[str, float]:
    """Post each request when it is due; return the due time by the id in the answer."""
    calls = {}
    connection = _connect()
    for due, data in plan:
        pause = max(0.0, due - time.monotonic())
        time.sleep(pause)
        if pause > KEEP_ALIVE:
            connection.close()
            connection = _connect()
        calls[orjson.loads(connection.post(data))["signal_id"]] = due
    connection.close()
    return calls


def _connect() -> Connection:
    return Connection((settings.WEB_HOST, settings.WEB_PORT))


def _described(what: str, delays: Sequence[float]) -> Iterator[Figure]:
    within = sum(delay <= MAX_DELAY for delay in delays) / len(delays) * 100
    yield at_least(f"{what}: rows within {MAX_DELAY * 1000:.0f} ms", within, 99, "%")
    shown = distribution(delays)
    say(f"  {what}: {shown}")
    yield Figure(f"- {what}: from call to row", shown)
