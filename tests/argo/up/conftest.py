"""Fixtures for tests with a real supervisor."""

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
