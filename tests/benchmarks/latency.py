"""From the call to the row under `up`: at 200 signals a second, and for a lone signal."""

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
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.scene import Scene, say
from tests.benchmarks.watcher import Watcher

PER_SECOND = 200
WITHIN = 0.5
KEPT = 1.0
"""Seconds for which a client keeps an idle connection; the server closes it some time later."""
PAUSES = (0.1, 1.3)
"""Seconds between lone signals: at random, so that they meet beat and the polling anywhere."""


def run(scene: Scene) -> Iterator[Figure]:
    """Calls are counted from when they were due, rows from when another connection sees them."""
    key = create_key("benchmark", ["write"])
    crowd = scene.size(30, 5) * PER_SECOND
    steady = [number / PER_SECOND for number in range(crowd)]
    chance = random.Random(1)
    alone = list(accumulate(chance.uniform(*PAUSES) for _ in range(scene.size(80, 10))))
    with servers.up(), _watched() as watcher:
        time.sleep(1.0)
        yield from _described(
            f"{PER_SECOND} signals a second for {crowd // PER_SECOND} s",
            _delays(watcher, _requests(0, crowd, key), steady),
        )
        yield from _described(
            f"{len(alone)} lone signals",
            _delays(watcher, _requests(crowd, len(alone), key), alone),
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
    """Seconds from when each request was due to when its row was there, in order of length."""
    start = time.monotonic() + 0.2
    parts = [range(number, len(due), CONNECTIONS) for number in range(CONNECTIONS)]

    def post(part: Sequence[int]) -> dict[str, float]:
        return _posted([(start + due[number], requests[number]) for number in part])

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        calls = {name: at for calls in pool.map(post, parts) for name, at in calls.items()}
    seen = watcher.wait_for(calls.keys())
    return sorted(seen[name] - at for name, at in calls.items())


def _posted(plan: Sequence[tuple[float, bytes]]) -> dict[str, float]:
    """When each call was due, by the id that the answer gave."""
    calls = {}
    connection = _connect()
    for due, data in plan:
        pause = max(0.0, due - time.monotonic())
        time.sleep(pause)
        if pause > KEPT:
            connection.close()
            connection = _connect()
        calls[orjson.loads(connection.post(data))["signal_id"]] = due
    connection.close()
    return calls


def _connect() -> Connection:
    return Connection((settings.WEB_HOST, settings.WEB_PORT))


def _described(what: str, delays: Sequence[float]) -> Iterator[Figure]:
    within = sum(delay <= WITHIN for delay in delays) / len(delays) * 100
    yield at_least(f"{what}: rows within {WITHIN * 1000:.0f} ms", within, 99, "%")
    shown = ", ".join(
        f"{name} {delays[int(share * (len(delays) - 1))] * 1000:.0f} ms"
        for name, share in (("median", 0.5), ("99%", 0.99), ("longest", 1.0))
    )
    say(f"  {what}: {shown}")
    yield Figure(f"- {what}: from call to row", shown)
