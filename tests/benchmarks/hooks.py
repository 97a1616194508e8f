"""`POST /hooks/{token}`: compared with `POST /api/signals` in the same run, and at a pace."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import orjson
from django.conf import settings

from signals.alerts.senders import create_sender
from signals.keys import create_key
from tests.benchmarks import samples, servers
from tests.benchmarks.client import CONNECTIONS, Connection, request, time_posts
from tests.benchmarks.figures import Figure, at_least, at_most, distribution
from tests.benchmarks.readers import reading
from tests.benchmarks.rounds import medians
from tests.benchmarks.workspace import Workspace

PER_SECOND = 100
READERS = 200
MOST = 0.05
"""Seconds for an answer at that pace."""


def run(workspace: Workspace) -> Iterator[Figure]:
    """Use the web server as `up` starts it, then `up` itself."""
    key = create_key("benchmark", ["write"])
    _, token = create_sender("benchmark", "tradingview", who="a benchmark")
    numbers = itertools.count()
    with servers.web("argo.wsgi:application"):
        found = medians(workspace.size(7, 3), _sides(workspace, key, token, numbers))
    yield at_most(
        f"an alert's answer, {CONNECTIONS} connections, to that of POST /api/signals",
        found["signals"] / found["alerts"], 1.25, " times",
        reference=f"{found['alerts']:,.0f}/s and {found['signals']:,.0f}/s",
    )  # fmt: skip
    readers = [create_key(f"reader {number}", ["read"]) for number in range(READERS // 100)]
    with servers.up(), reading(readers, READERS):
        delays = _paced(_alerts(token, numbers, workspace.size(20, 5) * PER_SECOND))
    within = 100 * sum(delay <= MOST for delay in delays) / len(delays)
    what = f"{PER_SECOND} alerts a second beside {READERS} readers of the feed"
    yield at_least(f"{what}: answered within {MOST * 1000:.0f} ms", within, 99, "%")
    yield Figure(f"- {what}: the answer", distribution(delays))


def _sides(
    workspace: Workspace, key: str, token: str, numbers: "itertools.count[int]"
) -> dict[str, Callable[[int], float]]:
    count = workspace.size(4000, 500)
    address = (settings.WEB_HOST, settings.WEB_PORT)

    def signals(number: int) -> float:
        bodies = map(orjson.dumps, samples.signals(count, number * count))
        posts = [request("/api/signals", body, key) for body in bodies]
        return count / time_posts(address, posts)

    def alerts(number: int) -> float:
        return count / time_posts(address, _alerts(token, numbers, count))

    return {"signals": signals, "alerts": alerts}


def _alerts(token: str, numbers: "itertools.count[int]", count: int) -> list[bytes]:
    return [_alert(token, next(numbers)) for _ in range(count)]


def _alert(token: str, number: int) -> bytes:
    text = {
        "symbol": "NASDAQ:AAPL", "action": "buy", "position": "long", "previous_position": "flat",
        "price": f"{100 + number % 100}.25", "order_id": "Long", "id": str(number),
        "bar_time": "2025-01-15T10:30:00Z", "interval": "5",
    }  # fmt: skip
    body = json.dumps(text).encode()
    head = (
        f"POST /hooks/{token} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _paced(posts: Sequence[bytes]) -> list[float]:
    """Return the seconds from when each post was due until its answer, sorted."""
    start = time.monotonic() + 0.2
    delays: list[float] = []
    lock = threading.Lock()

    def post(part: Sequence[int]) -> None:
        connection = Connection((settings.WEB_HOST, settings.WEB_PORT))
        for number in part:
            due = start + number / PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            connection.post(posts[number])
            with lock:
                delays.append(time.monotonic() - due)
        connection.close()

    parts = [range(number, len(posts), CONNECTIONS) for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(post, parts))
    return sorted(delays)
