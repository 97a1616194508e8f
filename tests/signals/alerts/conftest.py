"""A sender with its hook, and what workers do a moment after an alert was taken."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from signals.alerts import log, rows, seen, senders, waiting
from signals.clock import utc_now
from signals.config import flusher
from signals.models import Alert, Sender, Signal

ALERT: dict[str, Any] = {
    "symbol": "NASDAQ:AAPL", "action": "buy", "price": "150.5", "bar_time": "2026-01-05T14:30:00Z",
}  # fmt: skip
TV = {"ticker": "AAPL", "action": "buy", "price": 150.5}


@dataclass
class Hook:
    """The hook of a sender, and a client without any header of its own."""

    sender: Sender
    token: str

    @property
    def path(self) -> str:
        return f"/hooks/{self.token}"

    def post(self, body: object, content_type: str = "text/plain", **more: Any) -> HttpResponse:  # noqa: ANN401
        """Post a body; what is neither bytes nor text is sent as JSON."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return Client().post(self.path, data, content_type=content_type, **more)  # type: ignore[return-value]

    def send(self, body: object, **more: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
        answer = self.post(body, **more)
        return answer.status_code, json.loads(answer.content)

    def change(self, **settings: Any) -> None:  # noqa: ANN401
        """Change the sender's settings."""
        Sender.objects.filter(pk=self.sender.pk).update(**settings)
        self.sender.refresh_from_db()
        senders.forget()


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """Let each test begin as a process that has just started."""
    seen.forget()
    senders.forget()
    yield
    log.alerts_journal().close()


@pytest.fixture
def make_hook(db: None) -> Callable[..., Hook]:
    def make(preset: str = "tradingview", name: str = "tv", **settings: Any) -> Hook:  # noqa: ANN401
        return Hook(*senders.create_sender(name, preset, who="a test", **settings))

    return make


@pytest.fixture
def hook(make_hook: Callable[..., Hook]) -> Hook:
    return make_hook()


def work(now: datetime | None = None) -> None:
    """Do what workers do: flush, read the file of alerts, and carry out what waits."""
    flusher().flush()
    rows.drain()
    waiting.carry_out_due(now or utc_now())
    flusher().flush()


def the_signal() -> Signal:
    return Signal.objects.get()


def the_alert(**filters: Any) -> Alert:  # noqa: ANN401
    return Alert.objects.get(**filters)
