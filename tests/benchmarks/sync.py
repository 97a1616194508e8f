"""Sending to Alpine: Argo's worker, compared with a bare loop of `requests.Session.post`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

from signals.config import flusher, journal
from signals.models import Signal
from sync.alpine import AlpineSyncService
from sync.payload import COLUMNS, payload
from sync.worker import Deliverer
from tests.benchmarks import samples, servers
from tests.benchmarks.figures import Figure, times_as_fast
from tests.benchmarks.rounds import Side, medians, seconds
from tests.benchmarks.workspace import Workspace

CONCURRENCY = 8
KEY = "benchmark"


def run(workspace: Workspace) -> Iterator[Figure]:
    """Let both send the same number of signals, in turns, to the same receiver."""
    for milliseconds, count in ((0, workspace.size(5000, 1000)), (20, workspace.size(3000, 1000))):
        with servers.receiver(milliseconds / 1000) as endpoint:
            found = medians(workspace.size(5, 3), _sides(endpoint, count, milliseconds))
        yield times_as_fast(
            f"deliveries with {CONCURRENCY} requests at once, answered after {milliseconds} ms",
            found["Argo"],
            found["bare"],
            target=0.7,
            name="bare requests.Session.post",
        )


def _sides(endpoint: str, count: int, series: int) -> dict[str, Side]:
    first = series * 10_000
    return {
        "Argo": lambda number: _delivered(endpoint, count, first + number * count),
        "bare": lambda number: _posted(endpoint, count),
    }


def _delivered(endpoint: str, count: int, first: int) -> float:
    """Return deliveries a second."""
    samples.fill(journal(), count, first)
    flusher().flush()
    service = AlpineSyncService(endpoint, KEY, connections=CONCURRENCY)
    deliverer = Deliverer(service, concurrency=CONCURRENCY)
    took = seconds(deliverer.run)
    service.close()
    return count / took


def _posted(endpoint: str, count: int) -> float:
    """Return requests a second."""
    rows = Signal.objects.order_by("-id").values_list(*COLUMNS)[:count]
    bodies = [(row[0], payload(row)) for row in rows]
    with requests.Session() as session, ThreadPoolExecutor(CONCURRENCY) as pool:
        session.mount("http://", HTTPAdapter(pool_maxsize=CONCURRENCY))
        session.headers.update({"X-API-Key": KEY, "Content-Type": "application/json"})

        def post(named: tuple[str, bytes]) -> None:
            headers = {"Idempotency-Key": named[0]}
            session.post(endpoint, data=named[1], headers=headers, timeout=10).raise_for_status()

        return count / seconds(lambda: list(pool.map(post, bodies)))
