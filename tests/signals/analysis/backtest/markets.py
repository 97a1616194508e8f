"""Small markets and signals for tests of the backtest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np

from signals.analysis.backtest.columns import Floats, SignalTable, Trades
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.finer import FinerBars
from signals.analysis.backtest.history import History, Split
from signals.analysis.backtest.rules import Rules
from signals.market.bars import Bars, as_times
from tests.signals.analysis.backtest.reference import PlainBar, PlainSignal

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, 14, 30, tzinfo=UTC)
SESSION = timedelta(hours=6, minutes=30)
FINER = 4
"""Finer bars within each bar."""


def table(signals: Sequence[PlainSignal], symbol: str = "TEST") -> SignalTable:
    """Return these signals of one symbol in columns."""
    return SignalTable(
        (symbol,),
        np.zeros(len(signals), np.int64),
        as_times(each.time for each in signals),
        np.array([1 if each.is_long else -1 for each in signals], np.int8),
        *(
            np.array([getattr(each, name) for each in signals], np.float64)
            for name in ("price", "stop", "target")
        ),
    )


def history(
    bars: Sequence[PlainBar], splits: Sequence[Split] = (), finer: Sequence[PlainBar] = ()
) -> History:
    """Return these bars as the history of one symbol."""
    columns, inner = _columns(bars), None
    if finer:
        begins = as_times(each.began for each in finer)
        inner = FinerBars.of("TEST", begins, **_columns(finer))
    times = as_times(each.time for each in bars)
    made = Bars("TEST", times, **columns, volume=np.ones(len(bars)))
    began = as_times(each.began for each in bars)
    return History.of(made, began, splits, inner)


def _columns(bars: Sequence[PlainBar]) -> dict[str, Floats]:
    names = ("open", "high", "low", "close")
    return {name: np.array([getattr(each, name) for each in bars], np.float64) for name in names}


def days(*prices: tuple[float, float, float, float]) -> list[PlainBar]:
    """Return one bar a day with this open, high, low and close."""
    return [bar(number, *each) for number, each in enumerate(prices)]


def bar(number: int, open: float, high: float, low: float, close: float) -> PlainBar:
    """Return the bar of a day, counted from 0."""
    began = FIRST + number * DAY
    return PlainBar(began, began + SESSION, open, high, low, close)


def trade(
    signals: Sequence[PlainSignal],
    bars: Sequence[PlainBar],
    rules: Rules | None = None,
    splits: Sequence[Split] = (),
    finer: Sequence[PlainBar] = (),
    ended: timedelta = timedelta(),
    clock: Sequence[datetime] = (),
) -> Trades:
    """Backtest these signals; the bars of other symbols go on for `ended` after the last bar."""
    made = history(bars, splits, finer)
    if clock:
        made = replace(made, clock=as_times(clock))
    last = as_times([(bars[-1].time if bars else FIRST) + ended])[0]
    return backtest(table(signals), lambda symbol: made, rules or Rules(), last)


@dataclass(frozen=True)
class RandomMarket:
    """Bars on a coarse grid of prices, so that levels are often met exactly, and signals on them.

    Days are missing, some bars are not numbers, and a split may put them on another scale.
    """

    bars: list[PlainBar]
    finer: list[PlainBar]
    splits: list[Split]
    signals: list[PlainSignal]

    @classmethod
    def of(
        cls, seed: int, length: int = 40, count: int = 40, inner: int = FINER, near: bool = False
    ) -> "RandomMarket":
        """Return a market with so many finer bars in each bar; `near`: all levels are near."""
        chance = np.random.default_rng(seed)
        splits = _splits(chance, length)
        bars, finer, price = [], [], 100.0
        for number in range(length):
            began = FIRST + number * DAY
            for each in splits:
                if each.ex_at == began:
                    price = max(1.0, round(price / float(each.ratio)))
            within = _inner(chance, price, began, inner)
            whole = PlainBar(
                began, within[-1].time, within[0].open, max(x.high for x in within),
                min(x.low for x in within), within[-1].close,
            )  # fmt: skip
            price = max(2.0, whole.close + float(chance.integers(-2, 3)))
            if chance.random() < 0.85:
                bars.append(whole)
                finer += within
        return cls(bars, finer, splits, [_signal(chance, bars, near) for _ in range(count)])

    def rescaled_finer(self, seed: int) -> list[PlainBar]:
        """Return the finer bars as another vendor has them: some days are on another scale, and
        some bars are missing."""
        chance, found = np.random.default_rng(seed), []
        scales = {each.began.date(): float(chance.choice((1, 1, 0.98, 4))) for each in self.finer}
        for each in self.finer:
            scale = scales[each.began.date()]
            prices = (round(price * scale, 8) for price in each[2:])
            if chance.random() < 0.9:
                found.append(PlainBar(each.began, each.time, *prices))
        return found

    def with_gaps(self, seed: int) -> list[PlainBar]:
        """Return the bars with some that are not numbers between them."""
        chance, found = np.random.default_rng(seed), []
        for each in self.bars:
            found.append(each)
            if chance.random() < 0.1:
                gap = timedelta(minutes=1)
                nan = float("nan")
                found.append(PlainBar(each.time, each.time + gap, nan, nan, nan, nan))
        return found


def _splits(chance: np.random.Generator, length: int) -> list[Split]:
    numbers = sorted(chance.choice(np.arange(5, length), 2, replace=False))
    ratios = (Fraction(2), Fraction(1, 4), Fraction(3), Fraction(7, 5))
    return [
        Split(FIRST + int(number) * DAY, ratios[chance.integers(len(ratios))])
        for number in numbers[: chance.integers(0, 3)]
    ]


def _inner(
    chance: np.random.Generator, price: float, began: datetime, count: int
) -> list[PlainBar]:
    found, step = [], SESSION / count
    for number in range(count):
        close = max(1.0, price + float(chance.integers(-1, 2)))
        high = max(price, close) + float(chance.integers(0, 2))
        low = max(0.5, min(price, close) - float(chance.integers(0, 2)))
        starts = began + number * step
        found.append(PlainBar(starts, starts + step, price, high, low, close))
        price = close
    return found


def _signal(chance: np.random.Generator, bars: Sequence[PlainBar], near: bool) -> PlainSignal:
    at = bars[int(chance.integers(len(bars)))]
    is_long = bool(chance.random() < 0.5)
    price = at.close + float(chance.integers(-1, 2))
    away = [float(each) for each in chance.integers(1, 4 if near else chance.choice((4, 14)), 2)]
    stop, target = (price - away[0], price + away[1]) if is_long else (
        price + away[0], price - away[1]
    )  # fmt: skip
    when = at.time + timedelta(hours=int(chance.integers(-24, 24)))
    if chance.random() < 0.05:
        stop, target = target, stop
    return PlainSignal(when if chance.random() < 0.5 else at.time, is_long, price, stop, target)
