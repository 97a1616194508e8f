"""Group commit: callers that arrive together share one write and one sync."""

import asyncio
import os
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from signals.journal.errors import JournalError
from signals.journal.interrupts import InterruptsHeld
from signals.journal.writer import Writer

POLL = 0.05
"""Seconds after which a waiting main thread looks whether it was interrupted."""


class _Entry:
    """The lines of one blocking caller."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        self.taken = False  # by a leader, who is writing it
        self.done = False
        self.error: JournalError | None = None
        self._call = threading.Lock()
        self._call.acquire()

    def wait(self, seconds: float = -1) -> bool:
        """Wait until the lines are written, or it is this caller's turn to write.

        Return False if neither happened within `seconds`; a negative number waits for ever.
        """
        return self._call.acquire(timeout=seconds)

    def call(self) -> None:
        """Wake the caller in `wait`, or let its next `wait` return at once."""
        self._call.release()

    def finish(self, error: JournalError | None) -> None:
        self.error, self.done = error, True
        self.call()


class _LoopEntry(_Entry):
    """The lines that the coroutines of one event loop have added since the last write."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pending: list[bytes] = []
        super().__init__(self.pending)
        self.loop = loop
        self.waiters: list[asyncio.Future[None]] = []

    def finish(self, error: JournalError | None) -> None:
        super().finish(error)
        with suppress(RuntimeError):  # the loop is closed: no coroutine waits any more
            self.loop.call_soon_threadsafe(self._wake, error)

    def _wake(self, error: JournalError | None) -> None:
        for waiter in self.waiters:
            if waiter.done():
                continue  # it was cancelled; its line is in the journal anyway
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(JournalError(str(error)))


class GroupCommit:
    """Lets any number of threads and event loops of one process append through one writer.

    The first caller is the leader: it writes for all who wait, wakes them, and makes the first
    caller that came in the meantime the next leader. Each caller is woken once, individually.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._reset()
        _instances.add(self)

    def _reset(self) -> None:
        """Start anew; also in a forked child, which has none of the parent's threads or locks."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._leader: _Entry | None = None
        self._queue: list[_Entry] = []
        self._by_loop: dict[asyncio.AbstractEventLoop, _LoopEntry] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._writer.release()

    def append(self, lines: Sequence[bytes]) -> None:
        """Return once `lines` are on disk. Raises JournalError."""
        entry = _Entry(lines)
        if threading.current_thread() is threading.main_thread():
            self._commit_despite_interrupts(entry)
        else:
            self._join(entry)
            self._commit(entry)
        if entry.error is not None:
            raise JournalError(str(entry.error)) from entry.error

    def _commit_despite_interrupts(self, entry: _Entry) -> None:
        """Commit in the main thread, whose interrupts end a wait, but never a write for others."""
        while not entry.done:
            with InterruptsHeld() as interrupts:
                self._join(entry)
                self._commit(entry, interrupts)

    def _join(self, entry: _Entry) -> None:
        with self._lock:
            if not entry.taken:
                self._queue.append(entry)

    async def append_async(self, line: bytes) -> None:
        """Return once `line` is on disk. Raises JournalError."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        with self._lock:
            entry = self._by_loop.get(loop)
            if entry is None:
                entry = _LoopEntry(loop)
                self._loops_thread().submit(self._commit, entry)  # may fail: nobody waits yet
                self._by_loop[loop] = entry
                self._queue.append(entry)
            entry.pending.append(line)
            entry.waiters.append(waiter)
        await waiter

    def close(self) -> None:
        """Finish the writes under way and close the file; a later append opens it again."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True)
        with self._writing:
            self._writer.close()

    def _loops_thread(self) -> ThreadPoolExecutor:
        """Return the one thread that writes for the event loops, which must not block."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "journal-loops")
        return self._executor

    def _commit(self, entry: _Entry, interrupts: InterruptsHeld | None = None) -> None:
        """Return once `entry` is written, by us for all who wait, or by another leader.

        Also return, with `entry` not done, if one of `interrupts` came while another leader wrote.
        """
        if self._leads(entry, interrupts):
            try:
                self._write_queue()
            finally:
                self._pass_on()

    def _leads(self, entry: _Entry, interrupts: InterruptsHeld | None) -> bool:
        """Wait until `entry` is written or its turn has come; return True in the latter case."""
        with self._lock:
            is_first = self._leader is None and not entry.done
            if is_first:
                self._leader = entry
        if is_first:
            return True
        if interrupts is None:
            entry.wait()
            return not entry.done
        while not entry.wait(POLL):
            if interrupts.any and self._leave(entry):
                return False
        return not entry.done

    def _leave(self, entry: _Entry) -> bool:
        """Take `entry` out of the queue unless it is its turn; return whether it was not."""
        with self._lock:
            if self._leader is entry:
                return False
            if entry in self._queue:
                self._queue.remove(entry)
            return True

    def _pass_on(self) -> None:
        """Make the first caller that waits now the next leader."""
        with self._lock:
            self._leader = self._queue[0] if self._queue else None
            if self._leader is not None:
                self._leader.call()

    def _write_queue(self) -> None:
        with self._lock:
            entries, self._queue = self._queue, []
            for entry in entries:
                entry.taken = True
            self._by_loop.clear()
        error: JournalError | None = JournalError("The write ended without a result.")
        try:
            with self._writing:
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
