"""`POST /api/signals` beside an empty endpoint of the same server, and batches beside both."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.conf import settings

from signals.keys import create_key
from tests.benchmarks import samples, servers
from tests.benchmarks.client import CONNECTIONS, request, time_posts
from tests.benchmarks.figures import Figure, times_as_fast
from tests.benchmarks.rounds import medians
from tests.benchmarks.scene import Scene

BATCH = 500


def run(scene: Scene) -> Iterator[Figure]:
    """Granian in WSGI mode, one worker, as `up` starts it; no worker drains meanwhile."""
    key = create_key("benchmark", ["write"])
    with servers.web("tests.benchmarks.wsgi:application"):
        found = medians(scene.size(7, 3), _sides(scene, key))
    single, batch, empty = found["Argo"], found["batch"], found["empty"]
    yield times_as_fast(
        f"POST /api/signals, {CONNECTIONS} connections",
        single,
        empty,
        wanted=0.75,
        name="empty ninja endpoint",
    )
    yield times_as_fast(
        f"signals in batches of {BATCH}", batch, single, wanted=10, name="single posts"
    )


def _sides(scene: Scene, key: str) -> dict[str, Callable[[int], float]]:
    few, many = scene.size(4000, 500), scene.size(100, 20) * BATCH
    numbers = itertools.count()

    def posted(path: str, count: int, at_once: int = 1) -> float:
        """Signals a second."""
        chosen = samples.signals(count, next(numbers) * many)
        requests = [request(path, body, key) for body in _bodies(chosen, at_once)]
        return count / time_posts((settings.WEB_HOST, settings.WEB_PORT), requests)

    return {
        "Argo": lambda number: posted("/api/signals", few),
        "empty": lambda number: posted("/empty/signals", few),
        "batch": lambda number: posted("/api/signals/batch", many, BATCH),
    }


def _bodies(signals: list[dict[str, Any]], at_once: int) -> Iterator[bytes]:
    if at_once == 1:
        yield from map(orjson.dumps, signals)
        return
    for begin in range(0, len(signals), at_once):
        yield orjson.dumps(signals[begin : begin + at_once])
