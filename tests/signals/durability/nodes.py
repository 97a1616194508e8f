"""A real process of a node that accepts signals, and says how durable each is."""

import json
import select
import subprocess
from types import TracebackType
from typing import Any, NamedTuple

from tests.installation import Installation

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
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def call(self, *signals: dict[str, object], call: str = "accept") -> list[Any]:
        """Make a call and return its answer."""
        self.send(*signals, call=call)
        return self.answer().values

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()
