"""Group commit: callers that arrive together share one write and one sync."""

import asyncio
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from signals.journal.errors import JournalError
from signals.journal.writer import Writer


class _Entry:
    """The lines of one blocking caller."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        self.done = False
        self.error: JournalError | None = None

    def finish(self, error: JournalError | None) -> None:
        self.error, self.done = error, True


class _LoopEntry:
    """The lines of all the coroutines of one event loop that arrived since the last write."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.lines: list[bytes] = []
        self.waiters: list[asyncio.Future[None]] = []
        self.done = False

    def finish(self, error: JournalError | None) -> None:
        self.done = True
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._wake, error)

    def _wake(self, error: JournalError | None) -> None:
        for waiter in self.waiters:
            if waiter.done():
                continue  # cancelled meanwhile; its line is in the journal all the same
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(JournalError(str(error)))


class GroupCommit:
    """Lets any number of threads and event loops of one process append through one writer.

    Whoever gets the turn writes for all who wait; the others wake up and find their lines
    written, without taking turns.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._reset()
        _instances.add(self)

    def _reset(self) -> None:
        """Also run in a forked child, where the parent's locks and threads mean nothing."""
        self._change = threading.Condition(threading.Lock())
        self._busy = False
        self._queue: list[_Entry | _LoopEntry] = []
        self._by_loop: dict[asyncio.AbstractEventLoop, _LoopEntry] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._writer.let_go()

    def append(self, lines: Sequence[bytes]) -> None:
        """Return once `lines` are on disk. Raises JournalError."""
        entry = _Entry(lines)
        with self._change:
            self._queue.append(entry)
        self._commit(entry)
        if entry.error is not None:
            raise JournalError(str(entry.error)) from entry.error

    async def append_async(self, line: bytes) -> None:
        """Return once `line` is on disk. Raises JournalError."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        with self._change:
            entry = self._by_loop.get(loop)
            if entry is None:
                entry = _LoopEntry(loop)
                self._background().submit(self._commit, entry)  # if it fails, nobody waits yet
                self._by_loop[loop] = entry
                self._queue.append(entry)
            entry.lines.append(line)
            entry.waiters.append(waiter)
        await waiter

    def close(self) -> None:
        """Finish what is under way and let go of the file; a later append opens it again."""
        with self._change:
            executor = self._executor
            self._executor = None
        if executor is not None:
            executor.shutdown(wait=True)
        with self._turn():
            self._writer.close()

    def _background(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="journal")
        return self._executor

    def _commit(self, entry: _Entry | _LoopEntry) -> None:
        """Return once `entry` is written: by us, with all who wait, or by who had the turn."""
        with self._turn(entry) as mine:
            if mine:
                self._write_queue()

    @contextmanager
    def _turn(self, entry: _Entry | _LoopEntry | None = None) -> Iterator[bool]:
        """Be the only one who writes; False, and no turn, where `entry` was written meanwhile."""
        mine = False
        try:
            with self._change:
                while self._busy and not (entry and entry.done):
                    self._change.wait()
                if not (entry and entry.done):
                    mine = self._busy = True
            yield mine
        finally:
            if mine:
                self._end_turn()

    def _end_turn(self) -> None:
        with self._change:
            self._busy = False
            self._change.notify_all()

    def _write_queue(self) -> None:
        with self._change:
            entries, self._queue = self._queue, []
            self._by_loop.clear()
        error: JournalError | None = JournalError("The write ended without a result.")
        try:
            self._writer.write(
                b"".join([line + b"\n" for entry in entries for line in entry.lines])
            )
            error = None
        except JournalError as raised:
            error = raised
        finally:
            for entry in entries:
                entry.finish(error)


_instances: weakref.WeakSet[GroupCommit] = weakref.WeakSet()


def _reset_all() -> None:
    for instance in list(_instances):
        instance._reset()


os.register_at_fork(after_in_child=_reset_all)
