"""Threads that work on one of the test databases as if it were the default one."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connections


@contextmanager
def on_database(name: str) -> Iterator[None]:
    """Make this thread use the database `name` as its default: execution never names one."""
    own = connections["default"]
    connections["default"] = connections[name]
    try:
        yield
    finally:
        connections["default"] = own


def in_threads(name: str, acts: Sequence[Callable[[], object]]) -> list[Any]:
    """Run each function on a thread of its own, all started together.

    Return what each returned, or the exception that it raised, in order.
    """
    start = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        with on_database(name):
            try:
                start.wait(30)
                answers[number] = acts[number]()
            except Exception as error:  # noqa: BLE001  # the exception is the answer
                answers[number] = error
            finally:
                connections["default"].close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return answers
