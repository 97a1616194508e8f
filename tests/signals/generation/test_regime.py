"""The regime follows from the last 200 bars, by the rule in its docstring."""

import numpy as np
import pytest

from signals.generation.regime import Regime, regime_of
from signals.market.bars import Bars
from signals.market.sample import SYMBOLS, SampleMarket
from tests.signals.market.builders import bars_of

UP = [100 * 1.001**day for day in range(200)]


def regime(closes: list[float]) -> Regime:
    return regime_of(bars_of(closes))


def test_ordered_averages_make_a_bull_market_and_reversed_ones_a_bear_market() -> None:
    assert regime(UP) is Regime.BULL
    assert regime(UP[::-1]) is Regime.BEAR


def test_averages_out_of_order_make_chop() -> None:
    assert regime([100 + 5 * np.sin(day / 20) for day in range(200)]) is Regime.CHOP
    assert regime([100.0] * 200) is Regime.CHOP


def test_a_sudden_rise_of_the_deviation_makes_a_crisis() -> None:
    wild = [close * (1.03 if day % 2 else 0.97) for day, close in enumerate(UP)]
    assert regime(UP[:-15] + wild[-15:]) is Regime.CRISIS
    assert regime(wild) is Regime.BULL, "equally wild all the time"


def test_with_fewer_than_200_bars_it_is_unknown() -> None:
    assert regime(UP[:199]) is Regime.UNKNOWN
    assert regime([]) is Regime.UNKNOWN


def test_bars_before_the_last_200_do_not_count() -> None:
    assert regime([1.0] * 300 + UP) is Regime.BULL


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_on_real_bars_it_agrees_with_numpy(symbol: str) -> None:
    bars = SampleMarket().bars(symbol)
    seen = [(regime_of(bars.upto(end)), by_hand(bars, end)) for end in range(200, len(bars), 11)]
    assert all(is_so is should for is_so, should in seen)


def by_hand(bars: Bars, end: int) -> Regime:
    close = bars.close[:end]
    returns = np.diff(close) / close[:-1]
    if returns[-20:].std() > 1.5 * returns[-50:].std():
        return Regime.CRISIS
    averages = [close[-count:].mean() for count in (200, 50, 20)]
    if averages == sorted(averages):
        return Regime.BULL
    return Regime.BEAR if averages == sorted(averages, reverse=True) else Regime.CHOP
