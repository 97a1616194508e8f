"""Run a command that is asked to stop when the process that started it dies, even by SIGKILL.

Run as a script of its own, between fork and exec: what it sets on itself, the command keeps.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal to get when the parent dies. Other systems lack it."""


def main(parent: int, command: list[str]) -> None:
    """Become `command`, on a leash that `parent` holds."""
    if sys.platform == "linux":
        _ask_for_term_at_parents_death()
    if os.getppid() != parent:  # it died before the leash was on
        raise SystemExit(f"{command[0]} was not started: process {parent} is gone.")
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted


def _ask_for_term_at_parents_death() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
