"""The texts of the manual's page of alerts, sent as their senders would send them."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from execution import exits
from execution.decisions import queue
from execution.models import Position
from signals.alerts import rows, seen, waiting
from signals.alerts.mapping import presets
from signals.alerts.senders import create_sender, paste_of
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.market.protocol import Quote
from signals.models import Signal
from tests.execution.trading_fixtures import Trading
from tests.manual.blocks import blocks, documents

pytestmark = pytest.mark.django_db
TEXTS = [block.text.strip() for block in blocks(documents()["alerts"]) if block.word == "ini"]
(STRATEGY,) = (text for text in TEXTS if "strategy.order.action" in text)
BUY, SELL, CLOSE = (
    next(text for text in TEXTS if "{{close}}" in text and f'"{word}"' in text)
    for word in ("buy", "sell", "close")
)


def filled(text: str, **values: str) -> str:
    """Return the text with its placeholders replaced, as TradingView does: as plain text."""
    known = {
        "exchange": "NASDAQ", "ticker": "AAPL", "interval": "5",
        "timenow": utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    names = {name.replace("_of_order", ""): value for name, value in values.items()}
    return re.sub(r"\{\{([\w.]+)\}\}", lambda found: (known | names)[found[1]], text)


def strategy(action: str, position: str, before: str, price: str, bar: str) -> str:
    return filled(STRATEGY, **{
        "strategy.order.action": action, "strategy.market_position": position,
        "strategy.prev_market_position": before, "strategy.order.price": price,
        "strategy.order.id": "Long", "time": bar,
    })  # fmt: skip


class TradingView:
    """Posts a text to a hook, with no header of its own beside the type of the body."""

    def __init__(self, token: str) -> None:
        self.path = f"/hooks/{token}"

    def send(self, text: str) -> tuple[int, dict[str, Any]]:
        json.loads(text)
        answer = Client().post(self.path, text, content_type="application/json")
        return answer.status_code, answer.json()


@pytest.fixture
def tradingview() -> TradingView:
    seen.forget()
    return TradingView(create_sender("tv", "tradingview", who="a test")[1])


@pytest.fixture
def trading(monkeypatch: pytest.MonkeyPatch) -> Trading:
    """Return an account that trades what the hook takes, on the clock of now."""
    made = Trading.begun(journal())
    made.clock.now = utc_now()
    made.market.quotes["AAPL"] = Quote(100.0, made.clock())
    monkeypatch.setattr(queue, "utc_now", made.clock)
    monkeypatch.setattr(exits, "trading_context", lambda: made.context)
    return made


def work() -> None:
    flusher().flush()
    rows.drain()
    waiting.carry_out_due(utc_now())


def test_the_text_of_a_strategy_makes_a_signal_a_trade_and_a_close(
    tradingview: TradingView, trading: Trading
) -> None:
    entry = strategy("buy", "long", "flat", "100", "2026-01-05T14:30:00Z")
    status, answer = tradingview.send(entry)
    assert status == 202
    assert tradingview.send(entry)[0] == 200
    work()
    trading.decide()
    trading.move(100.0)
    assert Position.objects.get().status == "open"
    leave = strategy("sell", "flat", "long", "103", "2026-01-05T15:30:00Z")
    assert tradingview.send(leave)[0] == 202
    work()
    trading.move(103.0)
    trading.move(103.0)
    position = Position.objects.get()
    assert (position.status, position.exit_reason) == ("closed", "alert")
    signal = Signal.objects.get(signal_id=answer["signal_id"])
    assert (signal.outcome, signal.exit_price) == ("win", 103.0)


def test_the_texts_of_an_indicator_make_signals_and_outcomes(tradingview: TradingView) -> None:
    for number, (text, price) in enumerate(
        [(BUY, "100"), (CLOSE, "97"), (SELL, "96"), (CLOSE, "90")]
    ):
        status, _ = tradingview.send(filled(text, close=price, time=f"2026-01-05T14:3{number}:00Z"))
        assert status == 202
        work()
    ended = Signal.objects.order_by("pk").values_list("action", "outcome", "exit_price")
    assert list(ended) == [("BUY", "loss", 97.0), ("SELL", "win", 90.0)]


def test_the_manual_shows_the_text_that_the_command_prints() -> None:
    sender, _ = create_sender("x", "tradingview", who="a test")
    assert paste_of(sender) == STRATEGY


def test_every_preset_and_every_field_is_explained() -> None:
    page = documents()["alerts"].read_text()
    for name in presets():
        assert f"| `{name}` |" in page
