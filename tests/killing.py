"""Runs a function in a process of its own, and kills that."""

import multiprocessing
import time
from collections.abc import Callable


def run_and_kill(act: Callable[[], object], after: float | None = None) -> int | None:
    """Run `act` in a forked process, and kill it `after` seconds unless that is None.

    Return its exit code: -9 if it was killed. Close all connections to databases before.
    """
    child = multiprocessing.get_context("fork").Process(target=act)
    child.start()
    if after is not None:
        time.sleep(after)
        child.kill()
    child.join()
    return child.exitcode
