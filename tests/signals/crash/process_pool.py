"""Forks writers and flushers of one installation, quickly, from a process that has loaded Argo.

Run it as `python -m tests.signals.crash.process_pool`. Each line on standard input is a command:
`start ROLE POINT` answers the pid of a new child, `end PID` kills that child and waits for it. A
child runs until it is ended, or kills itself at its point. A writer appends the ids of acknowledged
signals to the file `acknowledged` in the data folder, and the ids of signals that are in the
database to `stored`.

Before the first child, this process logs a signal itself: its journal, its pool of connections and
its wake-up threads are open at every fork. The threads must rest then: a child that is forked while
one of them is in the SQLite library would find the library's lock held for ever.
"""

import asyncio
import itertools
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import django

NEVER = "random"
IN_JOURNAL = ("torn-write", "after-write", "after-sync", "after-rename")
IN_DATABASE = ("before-commit", "after-commit")
POINTS = {
    "writer": IN_JOURNAL,
    "async-writer": IN_JOURNAL,
    "logger": ("torn-write", "after-write", "after-sync", *IN_DATABASE),
    "flusher": ("after-sync", *IN_DATABASE),
    "sender": IN_DATABASE,
}
"""The points where a child may kill itself; it may also be killed at a random moment."""
TURNS = {"after-rename": 2} | dict.fromkeys(
    ("before-submit", "within-submit", "after-submit", "after-adopt"), 2
)
SENDERS_LEASE = timedelta(seconds=4)


def main() -> None:
    django.setup()
    import sync.tasks  # a child that is forked while a thread imports a module would hang
    from signals.config import _flush_wakeup
    from signals.tracker import SignalTracker
    from sync.outbox import _deliver_wakeup
    from tests.execution.crash import trader

    assert sync.tasks.deliver
    assert trader.SUBMISSION
    SignalTracker("crash").log_signal(next(_signals()))
    for wake_up in (_flush_wakeup(), _deliver_wakeup()):
        assert wake_up.finish(seconds=60)
    commands: dict[str, Callable[..., int]] = {"start": _start, "end": _end}
    for line in sys.stdin:
        command, *arguments = line.split()
        print(commands[command](*arguments), flush=True)


def _start(role: str, point: str) -> int:
    child = os.fork()
    if child == 0:
        try:
            random.seed()
            _set_point(point)
            ROLES[role]()
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(1)
    return child


def _end(pid: str) -> int:
    """Kill the child, unless it has killed itself; return the signal that ended it."""
    os.kill(int(pid), signal.SIGKILL)
    return os.WTERMSIG(os.waitpid(int(pid), 0)[1])


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process does not continue")


def _set_point(point: str) -> None:
    """Let this process die at its point, at a random one of its visits there."""
    from argo.sqlite.base import DatabaseWrapper
    from signals.journal import writer
    from tests.execution.crash import trader

    places: dict[str, tuple[Any, str, Callable[..., object]]] = {
        NEVER: (os, "fdatasync", _lives),
        "torn-write": (writer, "_write_all", _dies_midway),
        "after-write": (os, "fdatasync", _dies_before),
        "after-sync": (os, "fdatasync", _dies_after),
        "after-rename": (Path, "rename", _dies_after),  # a full segment was just sealed
        "before-commit": (DatabaseWrapper, "_commit", _dies_before),
        "after-commit": (DatabaseWrapper, "_commit", _dies_after),
        **trader.places(_dies_before, _dies_after),
    }
    owner, name, dies = places[point]
    turn = random.randint(1, TURNS.get(point, 12))
    setattr(owner, name, _at_turn(turn, getattr(owner, name), dies))


Call = Callable[..., Any]


def _at_turn(turn: int, call: Call, last: Callable[..., object]) -> Call:
    """Return `call`, replaced by `last` at the `turn`-th time."""
    times = itertools.count(1)

    def counted(*arguments: Any) -> Any:  # noqa: ANN401
        return last(call, *arguments) if next(times) == turn else call(*arguments)

    return counted


def _lives(call: Call, *arguments: object) -> object:
    return call(*arguments)


def _dies_before(call: Call, *arguments: object) -> NoReturn:
    _die()


def _dies_after(call: Call, *arguments: object) -> NoReturn:
    call(*arguments)
    _die()


def _dies_midway(call: Call, descriptor: int, data: bytes) -> NoReturn:
    call(descriptor, data[: random.randrange(len(data))])
    _die()


def _signals() -> Iterator[dict[str, object]]:
    from tests.samples import a_signal

    for number in itertools.count():
        yield a_signal(signal_id=f"{os.getpid()}-{time.monotonic_ns()}-{number}")


def _acknowledge(signal_ids: list[str], name: str = "acknowledged") -> None:
    """Tell the test, in one write after the call returned, so that no line is torn if we die."""
    path = Path(os.environ["ARGO_DATA_DIR"]) / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, "".join(f"{signal_id}\n" for signal_id in signal_ids).encode())
    os.close(descriptor)


def write() -> None:
    from signals.tracker import SignalTracker

    tracker = SignalTracker("crash")
    signals = _signals()
    while True:
        batch = list(itertools.islice(signals, random.randint(1, 5)))
        _acknowledge([receipt.signal_id for receipt in tracker.accept(batch)])


def write_async() -> None:
    asyncio.run(_write_async())


async def _write_async() -> None:
    from signals.tracker import SignalTracker

    tracker = SignalTracker("crash")
    signals = _signals()

    async def log_forever() -> None:
        while True:
            _acknowledge([await tracker.log_signal_async(next(signals))])

    await asyncio.gather(*(log_forever() for _ in range(20)))


def log() -> None:
    from signals.tracker import SignalTracker

    tracker = SignalTracker("crash")
    for signal_ in _signals():
        signal_id = tracker.log_signal(signal_)
        _acknowledge([signal_id])
        _acknowledge([signal_id], "stored")


def flush() -> None:
    from signals.config import flusher

    while True:
        flusher().flush()
        time.sleep(0.005)


def send() -> None:
    from sync.alpine import AlpineSyncService
    from sync.worker import Deliverer

    deliverer = Deliverer(AlpineSyncService.from_settings(), lease=SENDERS_LEASE)
    while True:
        deliverer.run()
        time.sleep(0.02)


def trade() -> None:
    from tests.execution.crash import trader

    trader.trade()


def follow() -> None:
    from tests.execution.crash import trader

    trader.follow()


ROLES = {
    "writer": write,
    "async-writer": write_async,
    "logger": log,
    "flusher": flush,
    "sender": send,
    "trader": trade,
    "follower": follow,
}

if __name__ == "__main__":
    main()
