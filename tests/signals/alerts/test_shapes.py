"""Alerts as senders really write them, and as they break them: each is read, or kept with why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signals.models import Alert, Signal
from tests.signals.alerts.conftest import Hook, work

pytestmark = pytest.mark.django_db
SHAPES = Path(__file__).with_name("shapes")
JSON, FORM, TEXT = "application/json", "application/x-www-form-urlencoded", "text/plain"

READ: dict[str, tuple[str, str, list[tuple[object, ...]]]] = {
    "tradingview-strategy.json": ("tradingview", TEXT, [("AAPL", "BUY", 150.5, 159.53, 145.98)]),
    "traderspost.json": ("traderspost", JSON, [("TSLA", "BUY", 250.1, 275.11, 240.0)]),
    "trendspider.json": ("tradingview", JSON, [("AMD", "SELL", 121.4, 114.12, 125.04)]),
    "chartink.json": (
        "chartink", JSON,
        [("SBIN", "BUY", 605.5, 641.83, 587.34), ("TCS", "BUY", 3870.0, 4102.2, 3753.9)],
    ),
    "metatrader-form.txt": ("metatrader", FORM, [("EUR-USD", "BUY", 1.08512, 1.09312, 1.08112)]),
    "metatrader-utf16.txt": ("metatrader", TEXT, [("GBP-USD", "SELL", 1.2711, 1.2611, 1.2761)]),
    "metatrader-commas.txt": ("metatrader", TEXT, [("USD-JPY", "BUY", 156.42, 158.2, 155.1)]),
    "plain-words.txt": ("plain", "", [("AAPL", "BUY", 150.5, 158.0, 146.0)]),
    "plain-emoji.txt": ("plain", JSON, [("BTC-USD", "BUY", 64250.5, 68000.0, 62500.0)]),
    "plain-pairs.txt": ("plain", TEXT, [("MSFT", "SELL", 410.2, 395.0, 418.0)]),
    "plain-latin1.txt": ("plain", TEXT, [("MSFT", "SELL", 410.2, 385.59, 422.51)]),
    "argo.json": ("argo", JSON, [("AAPL", "BUY", 150.5, 158.0, 146.0)]),
    "n8n-nested-form.txt": ("argo", FORM, [("AAPL", "BUY", 150.5, 158.0, 146.0)]),
    "gzip.json.gz": ("tradingview", JSON, [("AAPL", "BUY", 150.5, 159.53, 145.98)]),
    "crlf-numbers.json": ("tradingview", "hex", [("ES=F", "SELL", 4812.25, 4523.5, 4956.5)]),
}  # fmt: skip
"""The preset, the Content-Type, and the signals."""

EXITS = {"tradingview-strategy-exit.json": "tradingview", "traderspost-exit.json": "traderspost"}

UNREAD = {
    "tradingview-default-text.txt": ("tradingview", "symbol: is missing"),
    "tradingview-unresolved.json": ("tradingview", "is not JSON"),
    "tradingview-unresolved-text.json": ("tradingview", "did not fill in '{{close}}'"),
    "chartink-uneven.json": ("chartink", "send one for each symbol"),
    "metatrader-dots.json": ("metatrader", "without one it is ambiguous"),
    "gzip-cut.json.gz": ("tradingview", "gzip data ends too early"),
    "two-alerts.json": ("tradingview", "more than one alert"),
    "decimal-comma.json": ("tradingview", "has a decimal comma"),
    "key-twice.json": ("tradingview", "is given twice"),
    "empty.txt": ("plain", "is empty"),
    "binary.bin": ("plain", "symbol: is missing"),
}


def content(name: str) -> bytes:
    return (SHAPES / name).read_bytes()


def test_every_shape_is_in_one_of_the_tables() -> None:
    named = {*READ, *EXITS, *UNREAD}
    assert named == {path.name for path in SHAPES.iterdir()}
    assert len(named) >= 20


@pytest.mark.parametrize("name", READ)
def test_a_shape_that_is_read(make_hook: Callable[..., Hook], name: str) -> None:
    preset, kind, wanted = READ[name]
    hook = make_hook(preset)
    status, answer = hook.send(content(name), content_type=kind)
    assert (status, len(answer.get("signals", ()))) == (202, len(wanted)), answer
    assert hook.send(content(name), content_type=kind)[0] == 200
    work()
    found = Signal.objects.order_by("pk").values_list(
        "symbol", "action", "entry_price", "target_price", "stop_price"
    )
    assert [tuple(each) for each in found] == wanted


@pytest.mark.parametrize("name", EXITS)
def test_a_shape_that_ends_signals(make_hook: Callable[..., Hook], name: str) -> None:
    status, answer = make_hook(EXITS[name]).send(content(name), content_type=JSON)
    assert (status, answer["signals"], len(answer["exits"])) == (200, [], 1)


@pytest.mark.parametrize("name", UNREAD)
def test_a_shape_that_cannot_be_read_is_kept_whole(
    make_hook: Callable[..., Hook], name: str
) -> None:
    preset, why = UNREAD[name]
    status, answer = make_hook(preset).send(content(name), content_type=JSON)
    assert status == 422
    assert why in answer["detail"]
    work()
    assert Alert.objects.get().status == "unread"
    assert not Signal.objects.exists()


def test_the_time_zone_of_a_mapping_is_that_of_times_without_an_offset(
    make_hook: Callable[..., Hook],
) -> None:
    hook = make_hook(
        "metatrader", mapping={"time_zone": "Europe/Athens"}, symbols={"GOLD": "XAUUSD"}
    )
    assert hook.send(content("metatrader-dots.json"))[0] == 202
    work()
    signal = Signal.objects.get()
    assert (signal.symbol, signal.timestamp) == ("XAU-USD", "2026-01-05T12:30:00Z")


def test_a_level_of_the_market_is_made_by_a_worker(
    make_hook: Callable[..., Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample's bars of AAPL end in 2013; its ATR there is about 10 dollars, split-adjusted."""
    hook = make_hook(mapping={"target": "3ATR", "stop": "1.5ATR"})
    body: dict[str, Any] = {"symbol": "AAPL", "action": "sell", "price": 450, "id": 1}
    status, answer = hook.send(body)
    assert status == 202
    assert hook.send(body)[0] == 200
    work()
    signal = Signal.objects.get()
    assert signal.signal_id == answer["signal_id"]
    assert signal.target_price < 450 < signal.stop_price
    risk, gain = signal.stop_price - 450, 450 - signal.target_price
    assert gain == pytest.approx(2 * risk, abs=0.02)
    assert Alert.objects.get().status == "signal"
    hook.send(body | {"symbol": "NOTHERE", "id": 2})
    work()
    assert "no bars of 'NOTHERE'" in Alert.objects.get(status="unread").faults[0]["message"]
