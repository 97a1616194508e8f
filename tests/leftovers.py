"""A pytest plugin: a test that leaves a process behind fails, and the process is killed.

So does a test that lowers the priority of its own process, which all later tests would suffer from.

On Linux this process adopts the orphans among its descendants, so that a grandchild that outlives
its parent is found, too.
"""

import ctypes
import os
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import psutil
import pytest

from tests import warm
from tests.descendants import children, descendants

GRACE = 10.0
"""Seconds that a process gets to finish ending after its test."""
LOOK_EVERY = 0.02
PR_SET_CHILD_SUBREAPER = 36
"""From <linux/prctl.h>: orphaned descendants become children of this process."""
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Python starts these once and ends them with the process that uses them."""

NICENESS = pytest.StashKey[int]()
"""What this process had before the test."""
_shared: set[psutil.Process] = set()
"""Started by fixtures that live longer than one test. They may start others at any time, as a
browser does."""


def pytest_configure() -> None:
    """Adopt orphans from now on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object],
) -> Generator[None, object, object]:
    """Note what a fixture of a module or of the session starts."""
    before = set() if fixturedef.scope == "function" else _running()
    made = yield
    if fixturedef.scope != "function":
        _shared.update(_running() - before)
    return made


def keep(pid: int) -> None:
    """Take a process that a test started for one of a longer fixture, which ends it."""
    _shared.add(psutil.Process(pid))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what the test must leave as it is."""
    item.stash[NICENESS] = os.nice(0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, Any, Any]:
    """Fail the test that leaves something after its fixtures have ended what they started."""
    try:
        return (yield)
    finally:
        left = _after_grace(set() if nextitem is None else _shared)
        _reap_adopted()
        if left:
            pytest.fail("left processes behind: " + "; ".join(map(_killed, left)), pytrace=False)
        if os.nice(0) > (before := item.stash[NICENESS]):
            lowered = os.nice(0)
            _restore(before)
            pytest.fail(f"left this process with niceness {lowered}", pytrace=False)


def _after_grace(allowed: set[psutil.Process]) -> set[psutil.Process]:
    deadline = time.monotonic() + GRACE
    while (left := _not_of(allowed)) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    return left


def _not_of(allowed: set[psutil.Process]) -> set[psutil.Process]:
    """Return what runs and is not one of these, nor was started by one of these."""
    return {each for each in _running() - allowed if allowed.isdisjoint(_ancestors(each))}


def _ancestors(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.parents()
    return []


def _running() -> set[psutil.Process]:
    """Return the descendants of this process that run and are not Python's own helpers."""
    return {each for each in descendants() if _counts(each)}


def _counts(process: psutil.Process) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        words = process.cmdline()
        if warm.MODULE in words:  # one serves every test; a command that it runs counts
            return process.ppid() != os.getpid()
        return not any(helper in " ".join(words) for helper in HELPERS)
    except psutil.NoSuchProcess:
        return False


def _restore(niceness: int) -> None:
    with suppress(PermissionError):  # then the later tests stay slow, and are not to blame
        os.setpriority(os.PRIO_PROCESS, 0, niceness)


def _reap_adopted() -> None:
    """Take the exit codes of ended children that no fixture waits for any more."""
    for child in children():
        with suppress(psutil.NoSuchProcess, ChildProcessError):
            if child not in _shared and child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)


def _killed(process: psutil.Process) -> str:
    """Kill it; return its number and its command line."""
    command = "ended meanwhile"
    with suppress(psutil.NoSuchProcess):
        command = " ".join(process.cmdline()) or process.name()
        process.kill()
    return f"{process.pid} ({command[:200]})"
