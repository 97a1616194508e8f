"""GET /api/instruments/{symbol}: what Argo makes of a symbol, and why."""

from typing import Any

import pytest
from django.test import Client

from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


def made_of(client: Client, path: str, **query: str) -> dict[str, Any]:
    answer = client.get(f"/api/instruments/{path}", query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_symbol_may_contain_slashes_and_colons(reader: Client) -> None:
    assert made_of(reader, "BTC/USD")["name"] == "BTC-USD"
    assert made_of(reader, "BTC/USDT:USDT")["name"] == "BTC-USDT-PERP"
    assert made_of(reader, "nasdaq:brk-b")["name"] == "BRK.B"


def test_the_answer_has_kind_hours_steps_spellings_and_reasons(reader: Client) -> None:
    SignalTracker("test").log_signal(a_signal(symbol="FX:EURUSD", asset_type="forex"))
    found = made_of(reader, "EUR_USD", price="1.08")
    assert isinstance(found.pop("is_open"), bool)
    assert found == {
        "symbol": "EUR_USD", "name": "EUR-USD", "kind": "forex", "base": "EUR", "quote": "USD",
        "hours": "forex", "tick": "0.00001", "step": None, "unit_value": "1",
        "spelled_at": {"ibkr": "EUR.USD", "oanda": "EUR_USD", "polygon": "C:EURUSD",
                       "yahoo": "EURUSD=X"},
        "seen": [{"spelling": "FX:EURUSD", "asset_type": "forex"}],
        "why": ["EUR is a currency and USD a currency (ISO 4217)"],
    }  # fmt: skip


def test_the_senders_word_can_be_given(reader: Client) -> None:
    assert made_of(reader, "BTC")["kind"] == "stock"
    assert made_of(reader, "BTC", asset_type="crypto")["name"] == "BTC-USD"


def test_what_is_not_known_is_answered_as_unknown(reader: Client) -> None:
    found = made_of(reader, "PLUSUSD")
    assert (found["kind"], found["is_open"]) == ("unknown", None)
    assert "the sender can say which" in found["why"][0]


@pytest.mark.parametrize("path", ["A A", "A" * 33, "A%00"])
def test_what_no_signal_can_have_is_refused(reader: Client, path: str) -> None:
    answer = reader.get(f"/api/instruments/{path}")
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["symbol"]


def test_a_misspelt_parameter_is_refused_and_a_key_is_needed(
    reader: Client, client: Client
) -> None:
    assert reader.get("/api/instruments/AAPL", {"kind": "stock"}).status_code == 422
    assert client.get("/api/instruments/AAPL").status_code == 401


def test_the_filter_of_signals_and_statistics_takes_any_spelling(reader: Client) -> None:
    tracker = SignalTracker("test")
    made = tracker.log_signals([a_signal(symbol=each) for each in ("AAPL", "NASDAQ:AAPL", "MSFT")])
    for path in ("/api/signals", "/api/signals/latest"):
        items = reader.get(f"{path}?symbol=AAPL.US&limit=5").json()["items"]
        assert {item["signal_id"] for item in items} == set(made[:2])
    wanted: tuple[dict[str, str], ...] = ({}, {"strategy": "test"}, {"min_confidence": "0.0000001"})
    for more in wanted:
        query = {"symbol": "AAPL.US"} | more
        answer = reader.get("/api/signals/stats", query).json()
        assert answer["total"]["n"] == 2, more
