"""The trades of a backtest on the scale of the signals' own prices, whatever split came between."""

from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest

from execution.analysis.divergence.model import OPEN, model_trades
from execution.analysis.divergence.trades import ModelTrade
from signals.analysis.backtest.columns import Ending, SignalTable, Skipped
from signals.analysis.backtest.history import History, Split
from signals.analysis.backtest.rules import Rules

DAY = np.timedelta64(1, "D")
FIRST = np.datetime64("2026-01-05T21:00", "us")
EX = datetime(2026, 1, 7, 12, tzinfo=UTC)
FREE = Rules(spread=0.0, slippage=0.0)


def history(*closes: float, split: Split | None = None) -> History:
    """Return daily bars that begin 7 hours before they close, and open where they close."""
    close = np.array(closes)
    time = FIRST + np.arange(len(closes)) * DAY
    return History(
        "A", time - np.timedelta64(7, "h"), time, close, close, close, close,
        splits=[] if split is None else [split],
    )  # fmt: skip


def buys(*prices: float) -> SignalTable:
    """Return signals at the close of the first bar, with the target 10% above and the stop 5% below
    their price."""
    price = np.array(prices)
    n = len(prices)
    return SignalTable(
        ("A",), np.zeros(n, np.int64), np.full(n, FIRST), np.ones(n, np.int8), price,
        price * 0.95, price * 1.1,
    )  # fmt: skip


def trade(signals: SignalTable, bars: History, rules: Rules = FREE) -> ModelTrade:
    (found,) = model_trades(signals, {"A": bars}, rules, bars.time[-1])
    assert isinstance(found, ModelTrade), found
    return found


def test_a_split_during_the_trade_changes_no_price_of_the_signals_scale() -> None:
    bars = history(100, 101, 25.5, 28, split=Split(EX, Fraction(4)))
    found = trade(buys(100), bars)
    assert (found.entry.price, found.exit.price) == pytest.approx((101, 112))
    assert found.ending is Ending.TARGET


def test_bars_that_were_put_on_the_new_scale_are_put_back_on_the_signals() -> None:
    bars = history(25, 25.25, 25.5, 28, split=Split(EX, Fraction(4), is_rebased=True))
    found = trade(buys(100), bars)
    assert (found.entry.price, found.exit.price) == pytest.approx((101, 112))


def test_costs_are_split_into_spread_and_slippage_and_fees_are_for_one_share() -> None:
    rules = Rules(spread=0.2, slippage=0.3, fee=0.1)
    found = trade(buys(100), history(100, 100, 111), rules)
    assert found.entry.mid == 100
    assert found.entry.price == pytest.approx(100.4)
    assert found.spread_share == pytest.approx(0.25)
    assert found.fees == pytest.approx((100.4 + 111) * 0.001)


def test_the_times_are_those_of_the_bars() -> None:
    found = trade(buys(100), history(100, 100, 111))
    assert found.entry.at == found.entry.began == datetime(2026, 1, 6, 14, tzinfo=UTC)
    assert found.exit.closed == datetime(2026, 1, 7, 21, tzinfo=UTC)


def test_a_signal_without_a_trade_that_has_ended_says_why() -> None:
    found = model_trades(buys(100, 5000), {"A": history(100, 101, 102)}, FREE, FIRST + 2 * DAY)
    assert found == [OPEN, Skipped.SCALE.meaning]
    assert model_trades(buys(100), {}, FREE, FIRST) == [Skipped.NO_BARS.meaning]
