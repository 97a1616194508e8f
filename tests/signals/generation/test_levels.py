"""Target and stop: by percent or ATR, mirrored for SELL, rounded to the instrument's ticks."""

import pytest

from signals.generation.levels import Distance, Levels
from signals.generation.votes import Direction
from signals.market.instruments import instrument
from tests.signals.generation import indicators as plain
from tests.signals.market.builders import bars_of, random_walk

BUY, SELL = Direction.BUY, Direction.SELL
BARS = bars_of(random_walk(200, seed=5))
STOCK, CRYPTO = instrument("AAPL"), instrument("BTC-USD")


def levels(target: str, stop: str) -> Levels:
    return Levels(Distance.parse(target), Distance.parse(stop))


def test_levels_by_percent_are_mirrored_for_a_sell() -> None:
    five_three = levels("5%", "3%")
    assert five_three.around(100.0, BUY, BARS, STOCK) == (105.0, 97.0)
    assert five_three.around(100.0, SELL, BARS, STOCK) == (95.0, 103.0)


def test_levels_by_atr_are_multiples_of_it() -> None:
    atr = plain.atr(*BARS.ranges(100), 14)
    around = levels("3ATR", "1.5 atr").around(100.0, BUY, BARS, CRYPTO)
    assert around == pytest.approx((100 + 3 * atr, 100 - 1.5 * atr), rel=1e-9)


def test_without_enough_bars_for_the_atr_there_are_no_levels() -> None:
    assert levels("5%", "2ATR").around(100.0, BUY, BARS.upto(14), STOCK) is None
    assert levels("5%", "2ATR").around(100.0, BUY, BARS.upto(15), STOCK) is not None
    assert levels("5%", "3%").around(100.0, BUY, BARS.upto(1), STOCK) is not None


@pytest.mark.parametrize(
    ("entry", "target", "stop"),
    [
        (33.333, 35.0, 32.33),  # to a cent
        (0.5431, 0.5703, 0.5268),  # below a dollar to a hundredth of a cent
        (0.98, 1.03, 0.9506),  # each level by its own price
    ],
)
def test_levels_are_rounded_to_the_tick(entry: float, target: float, stop: float) -> None:
    assert levels("5%", "3%").around(entry, BUY, BARS, STOCK) == (target, stop)


def test_without_a_known_tick_nothing_is_rounded() -> None:
    entry = 0.000012345678
    around = levels("5%", "3%").around(entry, BUY, BARS, CRYPTO)
    assert around == pytest.approx((entry * 1.05, entry * 0.97), rel=1e-12)


@pytest.mark.parametrize("text", ["", "5", "ATR", "-3%", "0%", "3 %%", "nan%", "2 bars"])
def test_an_invalid_distance_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 3% or 2ATR"):
        Distance.parse(text)


def test_a_distance_is_not_rounded() -> None:
    assert Distance.parse("3%").of(10.123456, BARS) == pytest.approx(0.30370368)
