"""The feed: the sequence beside the flush, from row to reader, and a thousand readers who wait."""

import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import orjson
import psutil
from django.conf import settings

from signals.config import journal, sequencer
from signals.keys import create_key
from signals.ledger.flush import Flusher
from tests.benchmarks import samples, servers
from tests.benchmarks.client import Connection, request, time_posts
from tests.benchmarks.figures import Figure, at_least, at_most, distribution, times_as_fast
from tests.benchmarks.readers import PATIENCE, connected
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.watcher import Watcher
from tests.benchmarks.workspace import Workspace

IDLE = 1000
MAX_DELAY = 0.5


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure the sequence alone, then readers under `up`, then those who wait beside posts."""
    count = workspace.size(100_000, 20_000)
    samples.fill(journal(), count, 0)
    flush = seconds(Flusher(journal()).flush)  # without decisions, which would be made meanwhile
    sequence = seconds(sequencer().assign)
    yield times_as_fast("lines that get an index", count / sequence, count / flush,
                        target=0.6, name="the flush of the same lines")  # fmt: skip
    key = create_key("feed benchmark", ["read", "write"])
    yield from _delays(key, count, workspace.size(60, 10))
    yield from _idle(workspace, key, count + 1000)


def _delays(key: str, first: int, count: int) -> Iterator[Figure]:
    """Return the time from when a row is seen until a stream has its event."""
    posts = [request("/api/signals", orjson.dumps(each), key)
             for each in samples.signals(count, first)]  # fmt: skip
    watcher = Watcher(settings.DATA_DIR / "signals.db")
    with servers.up(), _stream(key) as stream:
        threads = [threading.Thread(target=watcher.run), threading.Thread(target=stream.run)]
        for thread in threads:
            thread.start()
        connection = Connection((settings.WEB_HOST, settings.WEB_PORT))
        ids = []
        for post in posts:
            ids.append(orjson.loads(connection.post(post))["signal_id"])
            time.sleep(0.35)
        rows = watcher.wait_for(set(ids))
        events = stream.wait_for(set(ids))
        watcher.stop()
    delays = sorted(max(0.0, events[each] - rows[each]) for each in ids)
    within = sum(delay <= MAX_DELAY for delay in delays) / len(delays) * 100
    what = f"{count} single signals: a reader has them within {MAX_DELAY * 1000:.0f} ms of the row"
    yield at_least(what, within, 99, "%")
    yield Figure("- from row to reader", distribution(delays))


class _Stream:
    """Reads the stream, and records when each signal came."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._seen: dict[str, float] = {}

    def run(self) -> None:
        rest = b""
        while data := self._received():
            now = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    event = orjson.loads(line.removeprefix(b"data: "))
                    self._seen[event["data"]["signal_id"]] = now

    def _received(self) -> bytes:
        """Return what came; nothing once the connection is closed."""
        try:
            return self._connection.recv(2**16)
        except OSError:
            return b""

    def wait_for(self, ids: set[str]) -> dict[str, float]:
        deadline = time.monotonic() + PATIENCE
        while not ids <= self._seen.keys() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self._seen


@contextmanager
def _stream(key: str) -> Iterator[_Stream]:
    with connected(key) as connection:
        connection.settimeout(None)
        yield _Stream(connection)


def _idle(workspace: Workspace, key: str, first: int) -> Iterator[Figure]:
    """Compare posts and memory with and without readers; no flush runs, so nothing comes."""
    few, numbers = workspace.size(4000, 500), itertools.count()
    limits = {"FEED_READERS": str(IDLE), "FEED_READERS_PER_KEY": str(IDLE)}

    def posted(number: int) -> float:
        chosen = samples.signals(few, first + next(numbers) * few)
        requests = [request("/api/signals", orjson.dumps(each), key) for each in chosen]
        return few / time_posts((settings.WEB_HOST, settings.WEB_PORT), requests)

    def posted_beside(number: int) -> float:
        with ExitStack() as stack:
            for _ in range(IDLE):
                stack.enter_context(connected(key))
            grown.append(_memory() - before)
            return posted(number)

    grown: list[int] = []
    with patch.dict(os.environ, limits), servers.web("argo.wsgi:application"):
        posted(0)
        before = _memory()
        found = medians(workspace.size(5, 3), {"beside": posted_beside, "alone": posted})
    yield times_as_fast(f"POST /api/signals beside {IDLE:,} readers", found["beside"],
                        found["alone"], target=0.9, name="without readers")  # fmt: skip
    yield at_most(f"memory of {IDLE:,} readers", max(grown) / 2**20, 150, " MiB")


def _memory() -> int:
    """Return the memory of the web server that this process started."""
    mine = psutil.Process().children()
    return max(
        int(each.memory_info().rss) for each in mine if "argo.web" in " ".join(each.cmdline())
    )
