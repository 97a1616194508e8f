"""Fixtures: receivers, subscriptions, and what sends to them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
from pytest_django import Settings

from signals.events import EventType, publish_each
from sync.models import Subscription
from sync.webhooks import subscriptions
from sync.webhooks.dispatcher import Dispatcher
from tests.sync.conftest import Clock
from tests.sync.webhooks.inbox import HOST, Inbox, running

Subscribe = Callable[..., Subscription]
Publish = Callable[[int], None]


@pytest.fixture(autouse=True)
def loopback_is_allowed(settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    settings.WEBHOOK_ALLOWED_HOSTS = (HOST,)
    settings.WEBHOOK_TIMEOUT = 10.0
    monkeypatch.setattr("sync.webhooks.outbox.wake_sender", lambda: None)
    monkeypatch.setattr("sync.webhooks.outbox.utc_now", clock)


@pytest.fixture
def inboxes() -> Iterator[list[Inbox]]:
    """Three receivers."""
    with ExitStack() as stack:
        yield [stack.enter_context(running()) for _ in range(3)]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with running() as inbox:
        yield inbox


@pytest.fixture
def subscribe(clock: Clock) -> Subscribe:
    """Return a function that makes a subscription to all types of events, or to some."""

    def make(inbox: Inbox, name: str = "desk", types: Sequence[str] = ("all",)) -> Subscription:
        return subscriptions.create(name, inbox.url, types, now=clock())

    return make


@pytest.fixture
def publish(db: None) -> Publish:
    """Return a function that publishes so many events."""

    def publish_many(count: int = 1) -> None:
        publish_each(EventType.HALT_SET, lambda: [{"number": each} for each in range(count)])

    return publish_many


@pytest.fixture
def dispatcher(clock: Clock) -> Callable[[], Dispatcher]:
    return lambda: Dispatcher(clock=clock)
