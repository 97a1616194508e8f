"""Trading: a replay that trades, one decision by itself, and a stored signal until its order."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
from django.conf import settings

from execution.context import TradingContext
from execution.decisions.intents import size
from execution.factory import build_context, paper
from execution.models import Order
from execution.replay.trading import execution
from execution.risk.model import Exposure, Intent, Portfolio
from execution.risk.rules import denials
from execution.types import REPLAY, Leg, Side
from signals.clock import utc_now
from signals.generation import factory
from signals.generation.candidates import keep
from signals.generation.replay import ReplayClock, replay
from signals.keys import create_key
from signals.market.bars import Bars
from signals.market.sample import SYMBOLS, SampleMarket
from signals.timestamps import utc_text
from signals.tracker import SignalTracker
from tests.benchmarks import servers
from tests.benchmarks.client import Connection, request
from tests.benchmarks.figures import Figure, at_least, at_most, distribution
from tests.benchmarks.generation import ALWAYS
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace, say

NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
D = Decimal
DECISIONS = 2_000
SYMBOL, PRICE = "BTC-USD", 50_000.0
PAUSE = 0.25
MANY = "1000000"
LET_ALL_PASS = {
    "AUTO_EXECUTE": "yes", "MARKET_DATA": "files", "MARKET_SYMBOLS": SYMBOL,
    "MARKET_INTERVAL": "3600", "MARKET_PRICE_MAX_AGE": "200000", "SIZING_PERCENT": "0.001",
    "RISK_MAX_POSITIONS": MANY, "RISK_MAX_PER_SYMBOL": MANY, "RISK_MAX_PER_GROUP": MANY,
    "RISK_ORDERS_A_MINUTE": MANY, "RISK_MAX_POSITION": "100",
}  # fmt: skip


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure all three; a decision's cost is rules and sizing, with the portfolio given."""
    histories = [SampleMarket().bars(symbol) for symbol in SYMBOLS]
    if workspace.quick:
        histories = [bars.upto(600) for bars in histories]
    bars = sum(map(len, histories))
    rate = bars / seconds(lambda: _replayed(histories))
    say(f"  replay with execution: {rate:,.0f} bars a second")
    what = f"{bars:,} sample bars replayed, signals stored and traded, bars a second"
    yield at_least(what, rate, 1_000, "/s")
    found = medians(
        workspace.size(9, 3), {"deciding": lambda _: seconds(_decide_often) / DECISIONS}
    )
    yield at_most("deciding one signal, given the portfolio", found["deciding"] * 1e6, 200, " us")
    yield from _described(_delays(workspace))


def _replayed(histories: Sequence[Bars]) -> None:
    """Replay and trade as the command does it."""
    clock = ReplayClock(ALWAYS.start)
    tracker = SignalTracker("replay", clock, wakes_worker=False)
    trading = execution(histories, clock)
    replay(histories, ALWAYS, factory.pipeline(), tracker, clock, keep, trading=trading)
    trading.finish()
    tracker.close()


def _decide_often() -> None:
    context, intent, held = _situation()
    for _ in range(DECISIONS):
        sized, why = size(context, intent, held)
        if why + denials(sized, held, context.limits, NOW):
            raise RuntimeError("this signal should pass")


def _situation() -> tuple[TradingContext, Intent, Portfolio]:
    """Return an account with five positions, and a signal that passes every rule."""
    context = build_context(REPLAY, SampleMarket(), lambda: NOW, paper)
    intent = Intent(
        "benchmark", "AAPL", Side.BUY, D(0), D(100), D(105), D(97), 90.0, NOW,
        price=D(100), price_time=NOW, market_open=True, currency="USD", unit_value=D(1),
    )  # fmt: skip
    others = [Exposure(name, Side.BUY, D(10), D(50)) for name in ("FB", "GOOG", "IBM", "KO", "GE")]
    held = Portfolio(D(100_000), D(90_000), D(100_000), D(101_000), others)
    groups = [frozenset({"AAPL", "GOOG"}), frozenset({"IBM", "KO"})]
    return replace(context, limits=replace(context.limits, groups=groups)), intent, held


def _delays(workspace: Workspace) -> list[float]:
    """Return the seconds from the decision's row, stored with the signal's, to its order."""
    bars = workspace.folder / "bars"
    _write_bars(bars)
    key = create_key("benchmark", ["write"])
    count = workspace.size(200, 20)
    with servers.up({**LET_ALL_PASS, "MARKET_FOLDER": str(bars)}):
        for number in range(count):
            _post(number, key)
            time.sleep(PAUSE)
        _wait_for(count)
    sent = Order.objects.filter(leg=Leg.ENTRY).exclude(account=REPLAY)
    rows = sent.values_list("submitted_at", "signal__decision__queued_at")
    return sorted((at - stored).total_seconds() for at, stored in rows if at is not None)


def _write_bars(folder: Path) -> None:
    """Write one bar a day until the last midnight."""
    folder.mkdir()
    today = utc_now().date()
    days = [today - timedelta(days=number) for number in range(300, 0, -1)]
    lines = "".join(f"{day},{PRICE},{PRICE * 1.01},{PRICE * 0.99},{PRICE},1000\n" for day in days)
    (folder / f"{SYMBOL}.csv").write_text(f"Date,Open,High,Low,Close,Volume\n{lines}")


def _post(number: int, key: str) -> None:
    signal = {
        "symbol": SYMBOL, "action": "BUY", "entry_price": PRICE, "target_price": PRICE * 1.2,
        "stop_price": PRICE * 0.9, "confidence": 90 + number / 1000, "strategy": "benchmark",
        "asset_type": "crypto", "timestamp": utc_text(utc_now()),
    }  # fmt: skip
    connection = Connection((settings.WEB_HOST, settings.WEB_PORT))
    connection.post(request("/api/signals", orjson.dumps(signal), key))
    connection.close()


def _wait_for(count: int) -> None:
    deadline = time.monotonic() + 60
    sent = Order.objects.filter(leg=Leg.ENTRY, submitted_at__isnull=False).exclude(account=REPLAY)
    while sent.count() < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {sent.count()} of {count} orders were sent")
        time.sleep(0.2)


def _described(delays: Sequence[float]) -> Iterator[Figure]:
    within = sum(delay <= 1 for delay in delays) / len(delays) * 100
    yield at_least("stored signals whose paper order is sent within a second", within, 99, "%")
    yield Figure("- from the stored signal to its order", distribution(delays))
