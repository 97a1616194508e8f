"""Bars: a market's prices and volumes in columns, checked once and read-only afterwards."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from argo.errors import ArgoError

Column = NDArray[np.float64]
Times = NDArray[np.datetime64]
Mask = NDArray[np.bool_]
DAYS_A_WEEK, DIGITS = 7, 10
Array = TypeVar("Array", Column, Times)


class BadBars(ArgoError):
    """Market data cannot be true; the message names the symbol, the bar's time and the reason."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `time` is when it closed (UTC), prices are in the instrument's currency."""

    symbol: str
    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """The bars of one symbol, oldest first, one array per column, all of one length.

    `time` is when each bar closed, as `datetime64[us]` in UTC. An adapter makes its bars with
    `checked`; a window of them is a view, so it costs the same however long the history is.
    """

    symbol: str
    time: Times
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    @classmethod
    def checked(
        cls,
        symbol: str,
        time: Times,
        *,
        open: Sequence[float] | Column,
        high: Sequence[float] | Column,
        low: Sequence[float] | Column,
        close: Sequence[float] | Column,
        volume: Sequence[float] | Column,
    ) -> Self:
        """Return bars of read-only copies of the columns, checked for impossible values.

        Raises `BadBars` if the columns differ in length, a price is not finite or not above zero,
        a volume is not finite or is below zero, a high is below another price of its bar, a low
        is above one, or a time is missing or not after the time before it.
        """
        times: Times = time.astype("datetime64[us]")
        bars = cls(symbol, _read_only(times), *map(_column, (open, high, low, close, volume)))
        _check_lengths(bars)
        _check_rows(bars)
        return bars

    def __len__(self) -> int:
        return len(self.time)

    def bar(self, index: int) -> Bar:
        """Return the bar at `index` in plain Python numbers; a negative index counts from the end.

        Raises `IndexError` if there is no such bar.
        """
        columns = (self.open, self.high, self.low, self.close, self.volume)
        prices = (float(column[index]) for column in columns)
        return Bar(self.symbol, self.time_at(index), *prices)

    def time_at(self, index: int) -> datetime:
        """Return when the bar at `index` closed (UTC)."""
        return cast(datetime, self.time[index].item()).replace(tzinfo=UTC)

    def upto(self, end: int) -> "Bars":
        """Return the first `end` bars: all that was known when bar `end - 1` closed."""
        return self._part(slice(end))

    def ranges(self, count: int) -> tuple[Column, Column, Column]:
        """Return high, low and close of the last `count` bars, or of all if there are fewer."""
        return self.high[-count:], self.low[-count:], self.close[-count:]

    def between(self, since: datetime | None, upto: datetime) -> "Bars":
        """Return the bars that closed from `since` to `upto`, both included.

        Without `since` they start with the first bar. Raises `ValueError` if a moment has no time
        zone.
        """
        first = self.count_before(since) if since else 0
        return self._part(slice(first, self.count_through(upto)))

    def _part(self, rows: slice) -> "Bars":
        return Bars(
            self.symbol,
            self.time[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
        )

    def is_always_open(self, symbol: str) -> bool:
        """Return True if these are the symbol's bars and one of them closed on a Sunday (UTC).

        Only a market that never closes has a bar of Saturday, which ends then.
        """
        if symbol != self.symbol or not len(self):
            return False
        days = self.time.astype("datetime64[D]").astype(np.int64)  # since 1970-01-01, a Thursday
        return bool(((days + 4) % DAYS_A_WEEK == 0).any())

    def count_before(self, moment: datetime) -> int:
        """Return how many bars closed before `moment`; raises `ValueError` if it has no zone."""
        return int(np.searchsorted(self.time, _instant(moment), side="left"))

    def count_through(self, moment: datetime) -> int:
        """Return how many bars closed at or before `moment`; `ValueError` if it has no zone."""
        return int(np.searchsorted(self.time, _instant(moment), side="right"))

    def adjusted(self, close: Sequence[float] | Column) -> "Bars":
        """Return these bars on the scale of an adjusted close, without jumps at splits.

        Each bar's prices are multiplied by (adjusted close / close), and its volume is divided by
        it, which leaves the money traded unchanged. Raises `BadBars` like `checked`.
        """
        adjusted = replace(self, close=_column(close))
        _check_lengths(adjusted)
        _refuse(adjusted, _not_above_zero(adjusted.close), "adjusted close is not a number above 0")
        ratio = adjusted.close / self.close
        return Bars.checked(
            self.symbol,
            self.time,
            open=self.open * ratio,
            high=self.high * ratio,
            low=self.low * ratio,
            close=self.close * ratio,
            volume=self.volume / ratio,
        )

    def times(self, factor: Column) -> "Bars":
        """Return these bars with the prices of each row multiplied by its `factor`.

        The volume is divided by it. Prices are rounded to ten significant digits, so that dividing
        what was multiplied gives the same prices again. Raises `BadBars` like `checked`.
        """
        if (factor == 1).all():
            return self
        prices = (_rounded(each * factor) for each in (self.open, self.high, self.low, self.close))
        names = ("open", "high", "low", "close")
        return Bars.checked(
            self.symbol, self.time, **dict(zip(names, prices, strict=True)),
            volume=self.volume / factor,
        )  # fmt: skip


def _rounded(prices: Column) -> Column:
    return np.array([float(f"{price:.{DIGITS}g}") for price in prices], dtype=np.float64)


def as_times(moments: Iterable[datetime]) -> Times:
    """Return the moments as a time column. Raises `ValueError` if one has no time zone."""
    return np.array([_naive_utc(moment) for moment in moments], dtype="datetime64[us]")


def _instant(moment: datetime) -> np.datetime64:
    return np.datetime64(_naive_utc(moment), "us")


def _naive_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment.replace(tzinfo=None)
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give one, such as UTC")
    return moment.astimezone(UTC).replace(tzinfo=None)


def _column(values: Sequence[float] | Column) -> Column:
    return _read_only(np.array(values, dtype=np.float64))


def _read_only(values: Array) -> Array:
    values.flags.writeable = False
    return values


def _check_lengths(bars: Bars) -> None:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    if any(column.shape != bars.time.shape for column in columns):
        sizes = [column.size for column in (bars.time, *columns)]
        raise BadBars(f"{bars.symbol}: the columns differ in length: {sizes}")


def _check_rows(bars: Bars) -> None:
    for invalid, why in _rules(bars):
        _refuse(bars, invalid, why)


def _rules(bars: Bars) -> Iterator[tuple[Mask, str]]:
    """Yield a mask of the invalid rows and the reason. The later rules rely on the earlier ones."""
    yield np.isnat(bars.time), "its time is missing"
    yield _not_after_previous(bars.time), "it does not come after the bar before it"
    for name in ("open", "high", "low", "close"):
        yield _not_above_zero(getattr(bars, name)), f"{name} is not a number above 0"
    yield ~(np.isfinite(bars.volume) & (bars.volume >= 0)), "volume is not a number of 0 or more"
    yield bars.high < np.maximum(bars.open, bars.close), "high is below open or close"
    yield bars.low > np.minimum(bars.open, bars.close), "low is above open or close"


def _not_after_previous(time: Times) -> Mask:
    late = np.zeros(len(time), dtype=np.bool_)
    late[1:] = time[1:] <= time[:-1]
    return late


def _not_above_zero(prices: Column) -> Mask:
    return ~(np.isfinite(prices) & (prices > 0))


def _refuse(bars: Bars, invalid: Mask, why: str) -> None:
    if not invalid.any():
        return
    row = int(invalid.argmax())
    names = ("open", "high", "low", "close", "volume")
    values = ", ".join(f"{name} {getattr(bars, name)[row]}" for name in names)
    raise BadBars(f"{bars.symbol} {bars.time[row]}: {why} (row {row + 1}: {values})")
