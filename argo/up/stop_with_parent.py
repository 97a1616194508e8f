"""Runs a command that gets SIGTERM when the process that started it dies, even by SIGKILL.

This file is run as a script between fork and exec: settings of this process stay with the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal to get when the parent dies. Other systems do not have it."""


def main(parent: int, command: list[str]) -> None:
    """Replace this process by `command`, which stops when process `parent` dies."""
    if sys.platform == "linux":
        _request_sigterm_at_parents_death()
    if os.getppid() != parent:  # it died before the request
        raise SystemExit(f"{command[0]} was not started: process {parent} is gone.")
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted


def _request_sigterm_at_parents_death() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
