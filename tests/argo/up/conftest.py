"""Fixtures for tests with a real supervisor."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.argo.up.processes import Running, supervise


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Return a function that starts a supervisor over children; all of them end with the test."""
    started: list[Running] = []

    def start_one(*children: dict[str, Any], wrapper: tuple[str, ...] = ()) -> Running:
        started.append(supervise(*children, wrapper=wrapper))
        return started[-1]

    yield start_one
    for running in started:
        running.kill_all()


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Let SIGHUP reach what a test starts: what `nohup` starts, and its children, ignore it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
