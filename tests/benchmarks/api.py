"""`POST /api/signals`, compared with an empty endpoint of the same server, and batches."""

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
from tests.benchmarks.workspace import Workspace

BATCH = 500


def run(workspace: Workspace) -> Iterator[Figure]:
    """Use the web server as `up` starts it; no flush runs meanwhile."""
    key = create_key("benchmark", ["write"])
    with servers.web("tests.benchmarks.wsgi:application"):
        found = medians(workspace.size(7, 3), _sides(workspace, key))
    single, batch, empty = found["Argo"], found["batch"], found["empty"]
    yield times_as_fast(
        f"POST /api/signals, {CONNECTIONS} connections",
        single,
        empty,
        target=0.75,
        name="empty ninja endpoint",
    )
    yield times_as_fast(
        f"signals in batches of {BATCH}", batch, single, target=10, name="single posts"
    )


def _sides(workspace: Workspace, key: str) -> dict[str, Callable[[int], float]]:
    few, many = workspace.size(4000, 500), workspace.size(100, 20) * BATCH
    numbers = itertools.count()

    def posted(path: str, count: int, per_request: int = 1) -> float:
        """Return signals a second."""
        chosen = samples.signals(count, next(numbers) * many)
        requests = [request(path, body, key) for body in _bodies(chosen, per_request)]
        return count / time_posts((settings.WEB_HOST, settings.WEB_PORT), requests)

    return {
        "Argo": lambda number: posted("/api/signals", few),
        "empty": lambda number: posted("/empty/signals", few),
        "batch": lambda number: posted("/api/signals/batch", many, BATCH),
    }


def _bodies(signals: list[dict[str, Any]], per_request: int) -> Iterator[bytes]:
    if per_request == 1:
        yield from map(orjson.dumps, signals)
        return
    for begin in range(0, len(signals), per_request):
        yield orjson.dumps(signals[begin : begin + per_request])
