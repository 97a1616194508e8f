"""What metrics and `stored_at` cost a flush and a `POST`."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from unittest import mock

import orjson
from django.conf import settings

from signals import metrics
from signals.config import journal
from signals.inserting import insert_rows
from signals.keys import create_key
from signals.ledger import flush, store
from signals.ledger.flush import Flusher
from signals.ledger.inserts import Rows
from signals.ledger.records import CONTEXT_COLUMNS
from tests.benchmarks import samples, servers
from tests.benchmarks.client import request, time_posts
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.rounds import medians
from tests.benchmarks.workspace import Workspace

LIMIT, STORED_AT_LIMIT = 1.03, 1.02


def run(workspace: Workspace) -> Iterator[Figure]:
    """Compare both with the same work without them, in turns."""
    found = medians(workspace.size(11, 3), _flushes(workspace.size(50_000, 20_000)))
    usual = found["usual"]
    yield at_most(
        "cost of a flush with metrics, to one without", usual / found["no metrics"], LIMIT, " times"
    )
    yield at_most(
        "cost of a flush that sets stored_at, to one without that column",
        usual / found["no stored_at"], STORED_AT_LIMIT, " times",
    )  # fmt: skip
    key = create_key("benchmark", ["write"])
    with servers.web("tests.benchmarks.wsgi:application"):
        posts = medians(workspace.size(11, 3), _posts(workspace.size(4000, 500), key))
    yield at_most(
        "cost of a POST with metrics, to one without", posts["usual"] / posts["no metrics"],
        LIMIT, " times",
    )  # fmt: skip


def _flushes(count: int) -> dict[str, Callable[[int], float]]:
    changes = {"usual": _nothing, "no metrics": _no_metrics, "no stored_at": _no_stored_at}
    numbers = itertools.count()

    def flushed(change: Callable[[], AbstractContextManager[None]], number: int) -> float:
        """Return the seconds of a flush on the processor: what the disk takes varies more."""
        samples.fill(journal(), count, first=next(numbers) * count)
        flusher = Flusher(journal())
        with change():
            began = time.process_time()
            flusher.flush()
            return time.process_time() - began

    return {name: partial(flushed, change) for name, change in changes.items()}


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _no_metrics() -> Iterator[None]:
    with mock.patch.object(flush, "_measure"), mock.patch.object(metrics, "FLUSH_COMMIT"):
        yield


@contextmanager
def _no_stored_at() -> Iterator[None]:
    def insert(using: str, rows: Rows, stored_at: str | None) -> None:
        insert_rows(using, "signal_contexts", CONTEXT_COLUMNS, rows)

    with mock.patch.object(store, "insert_contexts", insert):
        yield


def _posts(count: int, key: str) -> dict[str, Callable[[int], float]]:
    numbers = itertools.count()

    def posted(path: str, number: int) -> float:
        """Return the seconds of a request."""
        chosen = samples.signals(count, next(numbers) * count)
        requests = [request(path, body, key) for body in map(orjson.dumps, chosen)]
        return time_posts((settings.WEB_HOST, settings.WEB_PORT), requests) / count

    return {
        "usual": partial(posted, "/counted/signals"),
        "no metrics": partial(posted, "/uncounted/signals"),
    }
