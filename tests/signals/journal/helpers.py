"""What the tests of the journal share: processes, threads, and what stands in the files."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from signals.journal import START, Journal, JournalPosition, Line

PATIENCE = 120.0
"""Seconds until a test gives up on a slow machine; it never waits so long when all is well."""

fork = multiprocessing.get_context("fork")
Act = Callable[[], object]


def lines_of(journal: Journal) -> list[bytes]:
    """Every line of the journal, in order."""
    return [line.data for line in read_all(journal)]


def read_all(journal: Journal, start: JournalPosition = START) -> list[Line]:
    return [line for chunk in journal.chunks(start) for line in chunk.lines]


def end_position(journal: Journal) -> JournalPosition:
    """Where a reader stands that has read everything."""
    position = START
    for chunk in journal.chunks():
        position = chunk.end
    return position


def numbered(who: object, count: int) -> list[bytes]:
    """Lines that say who wrote them and in which order."""
    return [f"{who} {number}".encode() for number in range(count)]


def by_writer(lines: list[bytes]) -> dict[str, list[bytes]]:
    """The lines that `numbered` made, by who wrote them, in the order of the journal."""
    found: dict[str, list[bytes]] = {}
    for line in lines:
        found.setdefault(line.decode().rpartition(" ")[0], []).append(line)
    return found


def in_threads(*acts: Act) -> None:
    """Run each in a thread of its own, to its end. Raises the first error."""
    errors: list[BaseException] = []
    threads = [threading.Thread(target=_guarded, args=(act, errors)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    for error in errors:
        raise error
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"


def _guarded(act: Act, errors: list[BaseException]) -> None:
    try:
        act()
    except BaseException as error:  # noqa: BLE001  # raised again in the test
        errors.append(error)


class Children:
    """Processes forked from this one."""

    def __init__(self) -> None:
        self.started: list[multiprocessing.process.BaseProcess] = []

    def start(self, act: Act) -> multiprocessing.process.BaseProcess:
        child = fork.Process(target=act)
        child.start()
        self.started.append(child)
        return child

    def finish(self) -> None:
        """Wait for all; each must end well."""
        for child in self.started:
            child.join(PATIENCE)
        assert [child.exitcode for child in self.started] == [0] * len(self.started)

    def kill(self) -> None:
        for child in self.started:
            child.kill()
            child.join()


@contextmanager
def children() -> Iterator[Children]:
    running = Children()
    try:
        yield running
    finally:
        running.kill()


def in_processes(*acts: Act) -> None:
    """Run each in a process of its own, forked from this one, to its end."""
    with children() as running:
        for act in acts:
            running.start(act)
        running.finish()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def content(folder: Path) -> dict[str, bytes]:
    """Every file of the journal by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("signals*.log"))}
