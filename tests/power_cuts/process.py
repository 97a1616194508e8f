"""Processes that are recorded, and the tape that what they do is written on."""

import errno
import os
import threading
from collections.abc import Callable

from tests.power_cuts.trace import Step

Act = Callable[[], object]


class Killed(BaseException):
    """The process of this thread is dead; nothing that it does from now on happens."""


class KilledInCall(Killed):
    """The process dies in this very call."""


class Process:
    """Some threads, which die together.

    It dies in its call number `dies_after`, and its call number `fails_at` finds a full disk; a
    write is then half done. `hit_at` is the length of the trace at that moment.
    """

    def __init__(self, dies_after: int | None = None, fails_at: int | None = None) -> None:
        self.calls = 0
        self.dead = False
        self.hit_at: int | None = None
        self._dies_after, self._fails_at = dies_after, fails_at

    def live(self) -> None:
        """Raise Killed if the process is dead."""
        if self.dead:
            raise Killed

    def call(self, place: int) -> None:
        """Begin a system call at this place of the trace.

        Raises Killed, or OSError if it is the one that fails.
        """
        self.live()
        number, self.calls = self.calls, self.calls + 1
        if number in (self._dies_after, self._fails_at):
            self.hit_at = place
        if number == self._dies_after:
            self.dead = True
            raise KilledInCall
        if number == self._fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Tape:
    """The trace as it is recorded, by any number of threads.

    `lock` is held from the beginning of a call until its step is on the tape.
    """

    def __init__(self) -> None:
        self.trace: list[Step] = []
        self.lock = threading.RLock()
        self._machine, self._nobodys = Process(), Process()
        self._local = threading.local()

    def run(
        self, *acts: Act, dies_after: int | None = None, fails_at: int | None = None
    ) -> Process:
        """Run a process with a thread for each act, to its end. Raises what an act raises."""
        process, errors = Process(dies_after, fails_at), list[BaseException]()

        def run(act: Act) -> None:
            self._local.process = process
            try:
                act()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001  # raised again below
                errors.append(error)

        threads = [threading.Thread(target=run, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            raise error
        return process

    def power_fails_after(self, calls: int) -> None:
        """Let every process die in that call from now."""
        self._machine = Process(dies_after=calls)

    def call(self) -> None:
        """Begin a system call of this thread. Raises Killed, or OSError if it is to fail."""
        self._machine.call(len(self.trace))
        self._process().call(len(self.trace))

    def live(self) -> None:
        """Raise Killed if the process of this thread is dead."""
        self._machine.live()
        self._process().live()

    def tell(self, step: Step) -> None:
        """Record what this thread's process does. Raises Killed if it is dead."""
        with self.lock:
            self.live()
            self.trace.append(step)

    def _process(self) -> Process:
        """Return the process of this thread; threads of pools have none of their own."""
        found: Process = getattr(self._local, "process", self._nobodys)
        return found
