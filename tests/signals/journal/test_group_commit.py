"""Callers that arrive together share a sync; their order is kept, and each line written once."""

import asyncio
import errno
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest

from signals.journal import Journal, JournalError
from tests.signals.journal.helpers import (
    TIMEOUT,
    by_writer,
    in_threads,
    lines_of,
    numbered,
    wait_until,
)


class Syncs:
    """Counts the syncs, and can delay them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.seconds = 0.002
        self.at_sync, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self)

    def __call__(self, descriptor: int) -> None:
        self.count += 1
        self.at_sync.set()
        assert self.go_on.wait(TIMEOUT)
        time.sleep(self.seconds)  # a slow disk, so that callers gather
        self._real(descriptor)


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Syncs:
    return Syncs(monkeypatch)


def append_each(journal: Journal, lines: list[bytes]) -> None:
    for line in lines:
        journal.append([line])


async def append_each_async(journal: Journal, lines: list[bytes]) -> None:
    for line in lines:
        await journal.append_async(line)


def run_together(*coroutines: Awaitable[None]) -> None:
    """Run these coroutines in a new event loop."""

    async def gather() -> None:
        await asyncio.gather(*coroutines)

    asyncio.run(gather())


def loop_of(journal: Journal, name: str, callers: int, count: int) -> Callable[[], None]:
    """Return a function that runs `callers` coroutines, which append `count` lines each."""

    def run() -> None:
        run_together(
            *(append_each_async(journal, numbered(f"{name}{n}", count)) for n in range(callers))
        )

    return run


def test_many_threads_share_a_sync(journal: Journal, syncs: Syncs) -> None:
    callers = {f"t{n}": numbered(f"t{n}", 20) for n in range(32)}
    in_threads(*(partial(append_each, journal, lines) for lines in callers.values()))
    assert syncs.count < 640 / 4
    assert by_writer(lines_of(journal)) == callers


def test_many_coroutines_of_several_loops_share_a_sync(journal: Journal, syncs: Syncs) -> None:
    in_threads(*(loop_of(journal, name, 100, 5) for name in "abcd"))
    assert syncs.count < 2000 / 10
    expected = {f"{name}{n}": numbered(f"{name}{n}", 5) for name in "abcd" for n in range(100)}
    assert by_writer(lines_of(journal)) == expected


def test_threads_and_coroutines_mix(journal: Journal, syncs: Syncs) -> None:
    blocking = [partial(append_each, journal, numbered(f"t{n}", 20)) for n in range(8)]
    in_threads(*blocking, loop_of(journal, "a", 50, 4), loop_of(journal, "b", 50, 4))
    assert syncs.count < 560 / 4
    found = by_writer(lines_of(journal))
    assert found == {who: numbered(who, len(lines)) for who, lines in found.items()}
    assert sum(map(len, found.values())) == 560


def test_the_lines_of_one_call_stay_together(journal: Journal, syncs: Syncs) -> None:
    in_threads(*(partial(journal.append, numbered(n, 50)) for n in range(20)))
    lines = lines_of(journal)
    calls = [lines[start : start + 50] for start in range(0, 1000, 50)]
    assert sorted(calls) == sorted(numbered(n, 50) for n in range(20))


def test_a_cancelled_coroutine_harms_no_other_caller(journal: Journal, syncs: Syncs) -> None:
    syncs.go_on.clear()

    async def scenario() -> None:
        tasks = [asyncio.create_task(journal.append_async(line)) for line in numbered("a", 5)]
        await asyncio.to_thread(syncs.at_sync.wait, TIMEOUT)
        tasks[2].cancel()
        await asyncio.sleep(0)
        syncs.go_on.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results].count(asyncio.CancelledError) == 1
        assert results.count(None) == 4
        await journal.append_async(b"a 5")

    asyncio.run(scenario())
    assert lines_of(journal) == numbered("a", 6)


def test_a_closed_loop_harms_no_other_caller(journal: Journal, syncs: Syncs) -> None:
    syncs.go_on.clear()
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(journal.append_async(b"abandoned"))
    loop.run_until_complete(asyncio.sleep(0))
    assert syncs.at_sync.wait(TIMEOUT)
    abandoned.cancel()
    loop.run_until_complete(asyncio.gather(abandoned, return_exceptions=True))
    loop.close()
    syncs.go_on.set()
    journal.append([b"after"])
    assert lines_of(journal) == [b"abandoned", b"after"]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt: what a script starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_wait_that_is_broken_off_holds_nobody_up(
    journal: Journal, syncs: Syncs, ctrl_c: None
) -> None:
    """Ctrl-C in one who waits for another's sync, and whose turn to write would be next."""
    syncs.go_on.clear()
    first = threading.Thread(target=journal.append, args=([b"first"],), daemon=True)
    first.start()
    assert syncs.at_sync.wait(TIMEOUT)
    here = threading.get_ident()
    interrupt = threading.Timer(0.2, signal.pthread_kill, [here, signal.SIGINT])
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        journal.append([b"broken off"])
    last = threading.Thread(target=journal.append, args=([b"last"],), daemon=True)
    last.start()
    syncs.go_on.set()
    for thread in (first, last, interrupt):
        thread.join(TIMEOUT)
    assert not last.is_alive()
    assert set(lines_of(journal)) >= {b"first", b"last"}


def test_a_failed_write_is_raised_to_every_caller_that_shared_it(
    journal: Journal, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[object] = []

    def failing_sync(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    async def append_all(name: str) -> None:
        calls = [journal.append_async(line) for line in numbered(name, 10)]
        results.extend(await asyncio.gather(*calls, return_exceptions=True))

    def append_blocking() -> None:
        with pytest.raises(JournalError, match="Input/output error"):
            journal.append([b"lost"])

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing_sync)
        loops = [lambda name=name: asyncio.run(append_all(name)) for name in "ab"]
        in_threads(*loops, append_blocking)
    assert [type(result) for result in results] == [JournalError] * 20
    assert lines_of(journal) == []


def test_closing_waits_for_writes_under_way(journal: Journal, syncs: Syncs) -> None:
    """Callers that append meanwhile are neither refused nor forgotten."""
    done = threading.Event()

    def keep_closing() -> None:
        while not done.is_set():
            journal.close()

    def append_all() -> None:
        try:
            loop_of(journal, "a", 20, 20)()
        finally:
            done.set()

    in_threads(keep_closing, append_all)
    assert by_writer(lines_of(journal)) == {f"a{n}": numbered(f"a{n}", 20) for n in range(20)}


def test_a_waiting_loop_is_not_blocked(journal: Journal, syncs: Syncs) -> None:
    """Fault 4: a lock held across an await stopped the whole loop."""
    syncs.go_on.clear()

    async def scenario() -> None:
        append = asyncio.create_task(journal.append_async(b"one"))
        await asyncio.to_thread(wait_until, syncs.at_sync.is_set)
        others = [asyncio.create_task(journal.append_async(line)) for line in numbered("a", 100)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert not append.done()
        syncs.go_on.set()
        await asyncio.gather(append, *others)

    asyncio.run(asyncio.wait_for(scenario(), TIMEOUT))
    assert lines_of(journal) == [b"one", *numbered("a", 100)]
