"""Shared by the tests of the journal: processes, threads, and the content of the files."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from signals.journal import START, Journal, JournalPosition, Line

TIMEOUT = 120.0
"""Seconds until a test gives up on a slow machine; a passing test never waits that long."""

fork = multiprocessing.get_context("fork")
Act = Callable[[], object]


def lines_of(journal: Journal) -> list[bytes]:
    """Return every line of the journal, in order."""
    return [line.data for line in read_all(journal)]


def read_all(journal: Journal, start: JournalPosition = START) -> list[Line]:
    return [line for chunk in journal.chunks(start) for line in chunk.lines]


def end_position(journal: Journal) -> JournalPosition:
    """Return the position of a reader that has read everything."""
    position = START
    for chunk in journal.chunks():
        position = chunk.end
    return position


def numbered(who: object, count: int) -> list[bytes]:
    """Return lines that name their writer and are numbered."""
    return [f"{who} {number}".encode() for number in range(count)]


def by_writer(lines: list[bytes]) -> dict[str, list[bytes]]:
    """Return the lines that `numbered` made, by writer, in the order of the journal."""
    found: dict[str, list[bytes]] = {}
    for line in lines:
        found.setdefault(line.decode().rpartition(" ")[0], []).append(line)
    return found


def in_threads(*acts: Act) -> None:
    """Run each in its own thread, to its end. Raises the first error."""
    errors: list[BaseException] = []
    threads = [threading.Thread(target=_guarded, args=(act, errors)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
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
        """Wait for all; each must exit with 0."""
        for child in self.started:
            child.join(TIMEOUT)
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
    """Run each in its own process, forked from this one, to its end."""
    with children() as running:
        for act in acts:
            running.start(act)
        running.finish()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "the condition never became true"
        time.sleep(0.005)


def content(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of the journal, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("signals*.log"))}
