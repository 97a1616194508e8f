"""The processes below this one, found without a look at every process of the machine."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

OWN_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
"""Linux lists the children of each thread there, if its kernel is built so."""
IS_LISTED = sys.platform == "linux" and OWN_CHILDREN.exists()


def children() -> list[psutil.Process]:
    """Return this process's children; those that have ended and are not reaped, too."""
    if not IS_LISTED:
        return psutil.Process().children()
    return list(_processes(_listed(os.getpid())))


def descendants() -> list[psutil.Process]:
    """Return the children, their children, and so on."""
    if not IS_LISTED:
        return psutil.Process().children(recursive=True)
    found: set[int] = set()
    level = _listed(os.getpid())
    while level:
        found |= level
        level = set().union(*map(_listed, level)) - found
    return list(_processes(found))


def _listed(pid: int) -> set[int]:
    """Read until two answers agree: a child that ends meanwhile can hide another one."""
    before, now = None, _read(pid)
    while now != before:
        before, now = now, _read(pid)
    return now


def _read(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(OSError):  # the process or a thread has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found.update(
                    map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
                )
    return found


def _processes(pids: set[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)
