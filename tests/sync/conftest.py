"""Alpine, a service that talks to it without waiting, and signals to send."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sync.alpine import AlpineSyncService
from tests.sync.alpine_server import Alpine, running


class Clock:
    """Time that passes when it is told to, and when somebody sleeps."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alpine() -> Iterator[Alpine]:
    with running() as alpine:
        yield alpine


@pytest.fixture
def service(alpine: Alpine, clock: Clock) -> Iterator[AlpineSyncService]:
    service = AlpineSyncService(
        alpine.endpoint, "the key", timeouts=(1.0, 1.0), sleep=clock.sleep, clock=clock
    )
    yield service
    service.close()
