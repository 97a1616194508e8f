"""Runs a command that gets SIGTERM when the process that started it dies, even by SIGKILL.

This file is run as a script between fork and exec: settings of this process stay with the command.
So does its niceness.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal to get when the parent dies. Other systems do not have it."""
AUTOGROUP = "/proc/self/autogroup"
"""Linux shares the processors between sessions first, so that the niceness of a process counts
only within its own one. This file has the niceness of the session."""
TRIES, PAUSE = 20, 0.1
"""Linux lets users write it only ten times a second, all of them together."""


def main(parent: int, niceness: int, command: list[str]) -> None:
    """Replace this process by `command`, which stops when process `parent` dies."""
    follow(parent, niceness, command[0])
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted


def follow(parent: int, niceness: int, name: str) -> None:
    """Let this process get SIGTERM when its parent, process `parent`, dies; set its niceness."""
    if sys.platform == "linux":
        _request_sigterm_at_parents_death()
    if os.getppid() != parent:  # it died before the request
        raise SystemExit(f"{name} was not started: process {parent} is gone.")
    if niceness:
        _give_way(niceness)


def _request_sigterm_at_parents_death() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def _give_way(niceness: int) -> None:
    """Let other processes go first; a session whose niceness cannot be set runs all the same."""
    os.nice(niceness)
    try:
        _set_autogroup(niceness)
    except FileNotFoundError:
        pass  # the system has none: the niceness of the process is enough
    except OSError as error:
        print(f"{AUTOGROUP} cannot be written, so it keeps its priority: {error}", flush=True)


def _set_autogroup(niceness: int) -> None:
    for _ in range(TRIES - 1):
        with suppress(BlockingIOError):
            _write(AUTOGROUP, str(niceness))
            return
        time.sleep(PAUSE)
    _write(AUTOGROUP, str(niceness))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
