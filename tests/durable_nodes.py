"""Nodes on a primary with a standby: real processes that say how durable each signal is."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pytest

from tests.clusters import Pair, can_be_made, pair
from tests.installation import Installation
from tests.services import required

ACCEPT = """
import json, sys, threading
import django
django.setup()
from argo.errors import ArgoError
from signals.tracker import SignalTracker, signal_or_error
from asgiref.sync import async_to_sync
tracker = SignalTracker("test")

def answer(call, signals):
    try:
        if call == "accept":
            return [receipt.durability for receipt in tracker.accept(signals)]
        if call == "async":
            return [async_to_sync(tracker.log_signal_async)(each) for each in signals]
        found = tracker.log_each(map(signal_or_error, signals))
        return [getattr(each, "new", str(each)) for each in found]
    except ArgoError as error:
        return [type(error).__name__, str(error)]

def serve(line):
    number, call, signals = json.loads(line)
    found = answer(call, signals)
    with printing:
        print(json.dumps([number, found]), flush=True)

printing = threading.Lock()
print("ready", flush=True)
for line in sys.stdin:
    threading.Thread(target=serve, args=[line]).start()
"""


class Answer(NamedTuple):
    """What a caller got: how durable each signal is, or an error and its text."""

    number: int
    values: list[Any]


class Node:
    """Runs while the context is open; calls of it run on threads, each answered when it is done."""

    def __init__(self, argo: Installation) -> None:
        self.argo = argo
        self._count = 0

    def __enter__(self) -> "Node":
        self.process = self.argo.start("-c", ACCEPT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._line() == "ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, *signals: dict[str, object], call: str = "accept") -> int:
        """Start a call; return its number."""
        self._count += 1
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([self._count, call, signals]) + "\n")
        self.process.stdin.flush()
        return self._count

    def answer(self) -> Answer:
        """Wait for the next answer."""
        return Answer(*json.loads(self._line()))

    def answers_within(self, seconds: float) -> bool:
        """Return whether an answer comes within this time; it is left to be read."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def call(self, *signals: dict[str, object], call: str = "accept") -> list[Any]:
        """Make a call and return its answer."""
        self.send(*signals, call=call)
        return self.answer().values

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture(scope="session")
def server_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return a primary with Argo's tables and a standby that its commits wait for."""
    if not (can_be_made() or required()):
        pytest.skip("PostgreSQL's server programs are not installed")
    with pair() as made:
        argo = Installation(tmp_path_factory.mktemp("pair"), {"DATABASE_URL": made.url})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        yield made


@pytest.fixture
def start_node(server_pair: Pair, tmp_path: Path) -> Iterator["StartNode"]:
    """Return a function that starts a node with these settings."""
    server_pair.wait_until_synchronous()
    with ExitStack() as stack:
        yield StartNode(server_pair, tmp_path, stack)


class StartNode:
    """Starts nodes, each with its own folder, on one pair of servers."""

    def __init__(self, servers: Pair, folder: Path, stack: ExitStack) -> None:
        self._servers, self._folder, self._stack = servers, folder, stack
        self._count = 0

    def __call__(self, **settings: str) -> Node:
        self._count += 1
        own = {"DATABASE_URL": self._servers.url, "SIGNAL_DURABILITY": "database", **settings}
        argo = Installation(self._folder / f"node{self._count}", own)
        return self._stack.enter_context(Node(argo))


@contextmanager
def standby_away(servers: Pair) -> Iterator[None]:
    """Let the standby take nothing, as if the network between the servers were cut."""
    frozen = servers.standby.freeze("walreceiver")
    assert frozen
    try:
        yield
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition` is true; fail after a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
