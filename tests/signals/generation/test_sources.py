"""Each source votes by its published rule; its indicators match their authors' definitions."""

from collections.abc import Callable

import numpy as np
import pytest

from signals.generation.sources import breakout, mean_reversion, momentum, trend, volume
from signals.generation.sources.protocol import Source, graded
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars
from signals.market.sample import SYMBOLS, SampleMarket
from tests.signals.generation import indicators as plain
from tests.signals.market.builders import bars_of, random_walk

BUY, SELL, NEUTRAL = Direction.BUY, Direction.SELL, Direction.NEUTRAL
SOURCES = {
    "trend": (trend.vote, trend.WINDOW),
    "momentum": (momentum.vote, momentum.WINDOW),
    "mean reversion": (mean_reversion.vote, mean_reversion.WINDOW),
    "breakout": (breakout.vote, breakout.WINDOW),
    "volume": (volume.vote, volume.WINDOW),
}
Figures = dict[str, float]


def of_trend(bars: Bars) -> Figures:
    close = bars.close[-150:]
    return {
        "EMA20": plain.ema(close, 20)[-1],
        "EMA50": plain.ema(close, 50)[-1],
        "ADX14": plain.adx(*bars.ranges(150), 14),
    }


def of_momentum(bars: Bars) -> Figures:
    close = bars.close[-150:]
    line, signal = plain.macd(close, 12, 26, 9)
    return {"MACD": line, "MACD signal": signal, "RSI14": plain.rsi(close, 14)}


def of_mean_reversion(bars: Bars) -> Figures:
    lower, upper = plain.bands(bars.close[-20:], 2)
    rsi = plain.rsi(bars.close[-150:], 14)
    return {"close": bars.close[-1], "upper band": upper, "lower band": lower, "RSI14": rsi}


def of_breakout(bars: Bars) -> Figures:
    return {
        "close": bars.close[-1],
        "channel high": max(bars.high[-21:-1]),
        "channel low": min(bars.low[-21:-1]),
        "ATR14": plain.atr(*bars.ranges(100), 14),
    }


def of_volume(bars: Bars) -> Figures:
    balance = plain.obv(bars.close[-100:], bars.volume[-100:])
    return {
        "OBV": balance[-1],
        "EMA20 of OBV": plain.ema(balance, 20)[-1],
        "MFI14": plain.mfi(*bars.ranges(100), bars.volume[-100:], 14),
    }


AGAIN: dict[str, Callable[[Bars], Figures]] = {
    "trend": of_trend,
    "momentum": of_momentum,
    "mean reversion": of_mean_reversion,
    "breakout": of_breakout,
    "volume": of_volume,
}


def rule_of_trend(seen: Figures) -> tuple[Direction | None, float]:
    if seen["ADX14"] < 20:
        return None, 0
    return BUY if seen["EMA20"] > seen["EMA50"] else SELL, graded(seen["ADX14"], 20, 45)


def rule_of_momentum(seen: Figures) -> tuple[Direction | None, float]:
    rises, strong = seen["MACD"] > seen["MACD signal"], seen["RSI14"] > 50
    if rises != strong:
        return NEUTRAL, 50
    return BUY if rises else SELL, graded(abs(seen["RSI14"] - 50), 0, 20)


def rule_of_mean_reversion(seen: Figures) -> tuple[Direction | None, float]:
    if seen["close"] < seen["lower band"] and seen["RSI14"] < 30:
        return BUY, graded(30 - seen["RSI14"], 0, 15)
    if seen["close"] > seen["upper band"] and seen["RSI14"] > 70:
        return SELL, graded(seen["RSI14"] - 70, 0, 15)
    return None, 0


def rule_of_breakout(seen: Figures) -> tuple[Direction | None, float]:
    if seen["close"] > seen["channel high"]:
        return BUY, graded((seen["close"] - seen["channel high"]) / seen["ATR14"], 0, 1)
    if seen["close"] < seen["channel low"]:
        return SELL, graded((seen["channel low"] - seen["close"]) / seen["ATR14"], 0, 1)
    return None, 0


def rule_of_volume(seen: Figures) -> tuple[Direction | None, float]:
    rises, inward = seen["OBV"] > seen["EMA20 of OBV"], seen["MFI14"] > 50
    if rises != inward:
        return NEUTRAL, 50
    return BUY if rises else SELL, graded(abs(seen["MFI14"] - 50), 0, 30)


RULES: dict[str, Callable[[Figures], tuple[Direction | None, float]]] = {
    "trend": rule_of_trend,
    "momentum": rule_of_momentum,
    "mean reversion": rule_of_mean_reversion,
    "breakout": rule_of_breakout,
    "volume": rule_of_volume,
}


@pytest.fixture(scope="module")
def windows() -> list[Bars]:
    """Return a window at every 23rd bar of the real bars."""
    market = SampleMarket()
    histories = [market.bars(symbol) for symbol in SYMBOLS]
    every = [bars.upto(end) for bars in histories for end in range(150, len(bars), 23)]
    return [bars for bars in every if not _rounding_decides(bars)]


def _rounding_decides(bars: Bars) -> bool:
    """Return True if two typical prices differ only in the last digits.

    Then the order of the additions decides which of them is higher, and so the money flow.
    """
    typical = np.sum(bars.ranges(15), axis=0) / 3
    return bool((np.abs(np.diff(typical)) < 1e-9 * typical[1:]).any())


@pytest.mark.parametrize("name", SOURCES)
def test_the_figures_match_an_independent_computation(name: str, windows: list[Bars]) -> None:
    source, _ = SOURCES[name]
    votes = [(bars, vote) for bars in windows if (vote := source(bars)) is not None]
    assert len(votes) > 15
    for bars, vote in votes:
        again = AGAIN[name](bars)
        assert list(vote.figures) == list(again)
        for figure, value in vote.figures.items():
            assert value == pytest.approx(again[figure], rel=1e-9, abs=1e-9), figure


@pytest.mark.parametrize("name", SOURCES)
def test_the_votes_follow_from_the_rule(name: str, windows: list[Bars]) -> None:
    source, _ = SOURCES[name]
    seen = set()
    for bars in windows:
        vote, (direction, confidence) = source(bars), RULES[name](AGAIN[name](bars))
        assert (vote and vote.direction) == direction
        if vote:
            seen.add(vote.direction)
            assert vote.confidence == pytest.approx(confidence, rel=1e-9)
    assert {BUY, SELL} <= seen


@pytest.mark.parametrize(("source", "window"), SOURCES.values(), ids=SOURCES)
def test_with_one_bar_too_few_it_abstains(source: Source, window: int, windows: list[Bars]) -> None:
    bars = max(windows, key=len)
    ends = [end for end in range(window, len(bars), 7) if source(_last(bars.upto(end), window))]
    assert ends
    assert all(source(_last(bars.upto(end), window - 1)) is None for end in ends)
    assert all(source(bars.upto(15)) is None for bars in windows)


@pytest.mark.parametrize(("source", "window"), SOURCES.values(), ids=SOURCES)
def test_only_the_window_counts(source: Source, window: int, windows: list[Bars]) -> None:
    for bars in windows:
        assert source(bars) == source(_last(bars, window))


@pytest.mark.parametrize(("source", "window"), SOURCES.values(), ids=SOURCES)
def test_a_constant_price_gives_no_direction(source: Source, window: int) -> None:
    still = bars_of([50.0] * 200)
    flat = Bars.checked(
        "FLAT", still.time, open=still.close, high=still.close, low=still.close,
        close=still.close, volume=np.zeros(200),
    )  # fmt: skip
    for bars in (still, flat):
        vote = source(bars)
        assert vote is None or vote.direction is NEUTRAL


@pytest.mark.parametrize(("source", "window"), SOURCES.values(), ids=SOURCES)
def test_a_vote_does_not_depend_on_the_currency(source: Source, window: int) -> None:
    closes = random_walk(400, seed=3)
    for end in range(200, 400, 5):
        dollars = source(bars_of(closes[:end]))
        pence = source(bars_of([close * 64 for close in closes[:end]]))
        assert _opinion(pence) == _opinion(dollars)


def test_a_confidence_grows_from_50_at_the_threshold_to_100() -> None:
    assert [graded(value, 20, 45) for value in (10, 20, 32.5, 45, 99)] == [50, 50, 75, 100, 100]


def _last(bars: Bars, count: int) -> Bars:
    """Return a market that began `count` bars ago."""
    return Bars.checked(
        bars.symbol, bars.time[-count:], open=bars.open[-count:], high=bars.high[-count:],
        low=bars.low[-count:], close=bars.close[-count:], volume=bars.volume[-count:],
    )  # fmt: skip


def _opinion(vote: Vote | None) -> tuple[Direction, float] | None:
    return (vote.direction, round(vote.confidence, 6)) if vote else None
