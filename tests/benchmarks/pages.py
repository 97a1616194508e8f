"""Signals beside pages: 200 signals a second, alone and beside five page loads a second."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import orjson
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from signals.keys import create_key
from tests.benchmarks import samples, servers
from tests.benchmarks.client import CONNECTIONS, Connection, request
from tests.benchmarks.figures import Figure, at_most, distribution, number
from tests.benchmarks.workspace import Workspace

PER_SECOND, LOADS = 200, 5
PATHS = ("/", "/admin/signals/signal/", "/admin/execution/decision/", "/docs/", "/running/")
ALLOWED = 2.0
"""Times the 99th percentile without pages, plus `MORE`."""
MORE = 0.050
"""Seconds."""
STORED = 20_000


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure the time from when a POST was due to its answer, alone and beside pages."""
    key, cookie = create_key("benchmark", ["write"]), _session()
    count = workspace.size(30, 5) * PER_SECOND
    numbers = itertools.count()
    with servers.up():
        _acknowledged(_requests(next(numbers), workspace.size(STORED, 2000), key), rate=2000)
        alone = _acknowledged(_requests(next(numbers), count, key))
        with _loading(cookie) as loaded:
            beside = _acknowledged(_requests(next(numbers), count, key))
    limit = (ALLOWED * _p99(alone) + MORE) * 1000
    what = f"{PER_SECOND} signals a second beside {LOADS} page loads a second"
    yield at_most(f"{what}: 99% acknowledged within", _p99(beside) * 1000, round(limit), " ms")
    yield Figure("- alone", distribution(alone))
    yield Figure("- beside pages", distribution(beside))
    yield Figure("- a page, all that it loads but static files", distribution(sorted(loaded)))
    yield Figure("- pages loaded", number(len(loaded)))


def _p99(times: Sequence[float]) -> float:
    return times[int(len(times) * 0.99)]


def _requests(part: int, count: int, key: str) -> list[bytes]:
    signals = samples.signals(count, part * 1_000_000)
    return [request("/api/signals", orjson.dumps(each), key) for each in signals]


def _acknowledged(requests: Sequence[bytes], rate: int = PER_SECOND) -> list[float]:
    """Post at this rate; return the seconds from when each was due to its answer, sorted."""
    start = time.monotonic() + 0.2
    parts = [range(first, len(requests), CONNECTIONS) for first in range(CONNECTIONS)]

    def post(part: Sequence[int]) -> list[float]:
        connection, times = Connection((settings.WEB_HOST, settings.WEB_PORT)), []
        for place in part:
            due = start + place / rate
            time.sleep(max(0.0, due - time.monotonic()))
            connection.post(requests[place])
            times.append(time.monotonic() - due)
        connection.close()
        return times

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return sorted(each for times in pool.map(post, parts) for each in times)


@contextmanager
def _loading(cookie: str) -> Iterator[list[float]]:
    """Load pages in turn, five a second, for the block; yield the seconds that each takes."""
    ended, taken = threading.Event(), []
    paths = itertools.cycle(PATHS)

    def load(path: str) -> None:
        begun = time.monotonic()
        with closing(http.client.HTTPConnection(settings.WEB_HOST, settings.WEB_PORT)) as client:
            client.request("GET", path, headers={"Cookie": cookie})
            answer = client.getresponse()
            answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answers {answer.status}")
        taken.append(time.monotonic() - begun)

    with ThreadPoolExecutor(LOADS * 4) as pool:
        loads = []

        def work() -> None:
            while not ended.wait(1 / LOADS):
                loads.append(pool.submit(load, next(paths)))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield taken
        finally:
            ended.set()
            thread.join()
    for each in loads:
        each.result()


def _session() -> str:
    """Return the cookie of an administrator who is logged in."""
    user = get_user_model().objects.create_superuser("benchmark", password=None)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
