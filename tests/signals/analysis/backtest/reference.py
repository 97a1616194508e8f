"""A backtest as a plain loop over signals and bars, to compare the fast one with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from signals.analysis.backtest.history import Split
from signals.analysis.backtest.order import NEAR
from signals.analysis.backtest.rules import Entry, Rules
from signals.market.actions import jump_of


class PlainBar(NamedTuple):
    began: datetime
    time: datetime
    open: float
    high: float
    low: float
    close: float


class PlainSignal(NamedTuple):
    time: datetime
    is_long: bool
    price: float
    stop: float
    target: float


class PlainTrade(NamedTuple):
    """The figures that are compared; `ending` is the name of the ending, or why it was skipped."""

    ending: str
    entry_row: int = -1
    exit_row: int = -1
    entry: float = math.nan
    exit: float = math.nan
    shares: float = math.nan
    profit_pct: float = math.nan
    is_ambiguous: bool = False


@dataclass
class Reference:
    """Trades signals of one symbol; `splits` all jump, `finer` are the bars within bars."""

    bars: Sequence[PlainBar]
    rules: Rules
    splits: Sequence[Split] = ()
    finer: Sequence[PlainBar] = ()
    is_delisted: bool = False
    clock: Sequence[datetime] = ()

    def trade(self, signal: PlainSignal) -> PlainTrade:
        if why := self._why_not(signal):
            return PlainTrade(why)
        row = self._next_row(signal) + self.rules.delay
        levels = [
            self._moved(each, signal.time, self.bars[row].began)
            for each in (signal.price, signal.stop, signal.target)
        ]
        price, stop, target = levels
        bar = self.bars[row]
        if self.rules.entry is Entry.PRICE and not bar.low <= price <= bar.high:
            return PlainTrade("not_reached")
        mid = bar.open if self.rules.entry is Entry.OPEN else price
        return self._followed(signal.is_long, row, mid, stop, target)

    def _why_not(self, signal: PlainSignal) -> str:
        prices = (signal.price, signal.stop, signal.target)
        if not all(math.isfinite(each) and each > 0 for each in prices):
            return "figures"
        low, high = min(signal.stop, signal.target), max(signal.stop, signal.target)
        if not low < signal.price < high or signal.is_long != (signal.stop == low):
            return "levels"
        row = self._next_row(signal)
        if row + self.rules.delay >= len(self.bars):
            return "no_bar_after"
        if self.bars[row].began - signal.time > self.rules.max_wait:
            return "late"
        before = [bar.close for bar in self.bars if bar.time <= signal.time]
        if before and jump_of(signal.price, before[-1]):
            return "scale"
        return ""

    def _next_row(self, signal: PlainSignal) -> int:
        return sum(bar.began < signal.time for bar in self.bars)

    def _moved(self, price: float, since: datetime, until: datetime) -> float:
        shares = math.prod(float(each.ratio) for each in self.splits if since < each.ex_at <= until)
        return price if shares == 1 else round(price / shares, 8)

    def _followed(
        self, is_long: bool, first: int, mid: float, stop: float, target: float
    ) -> PlainTrade:
        end, is_late = self._end(first)
        unclear = False
        for row in range(first, min(end, len(self.bars))):
            began = self.bars[row].began
            levels = [self._moved(each, self.bars[first].began, began) for each in (stop, target)]
            within = row == first and self.rules.entry is Entry.PRICE
            found = (
                self._rest_of_bar(is_long, self.bars[row], mid, *levels)
                if within
                else self._in_bar(is_long, self.bars[row], *levels)
            )
            ending, price, is_unclear = found
            unclear |= is_unclear
            if ending:
                return self._ended(is_long, first, row, mid, price, ending, unclear)
        if end < len(self.bars):
            at = self.bars[end].close if is_late else self.bars[end].open
            return self._ended(is_long, first, end, mid, at, "expired", unclear)
        if self.is_delisted:
            last = len(self.bars) - 1
            return self._ended(
                is_long, first, last, mid, self.bars[last].close, "delisted", unclear
            )
        return PlainTrade("open", first, -1, self._entered(is_long, mid), is_ambiguous=unclear)

    def _end(self, first: int) -> tuple[int, bool]:
        """Return the bar in which a trade expires, and if at its close."""
        if isinstance(self.rules.expiry, int):
            return first + self.rules.expiry, False
        due = self.bars[first].began + self.rules.expiry
        for moment in self.clock or [bar.time for bar in self.bars]:
            if moment >= due:
                end = sum(bar.time <= moment for bar in self.bars)
                return end, end < len(self.bars) and self.bars[end].began < moment
        return len(self.bars), False

    def _in_bar(
        self, is_long: bool, bar: PlainBar, stop: float, target: float
    ) -> tuple[str, float, bool]:
        sign = 1 if is_long else -1
        worst, best = (bar.low, bar.high) if is_long else (bar.high, bar.low)
        if sign * bar.open <= sign * stop:
            return "stop", bar.open, False
        if sign * bar.open >= sign * target:
            return "target", bar.open, False
        hits_stop, hits_target = sign * worst <= sign * stop, sign * best >= sign * target
        if hits_stop and hits_target:
            ending = self._first_within(is_long, bar, stop, target)
            return ending or "stop", target if ending == "target" else stop, not ending
        if hits_stop:
            return "stop", stop, False
        return ("target", target, False) if hits_target else ("", math.nan, False)

    def _first_within(self, is_long: bool, bar: PlainBar, stop: float, target: float) -> str:
        """Return the level that the finer bars reach first; empty if they do not show it."""
        inner = [each for each in self.finer if bar.began <= each.began < bar.time]
        if not inner or not _has_range(inner, bar):
            return ""
        scale = max(each.high for each in inner) / bar.high
        if abs(scale - 1) > NEAR:
            stop, target = round(stop * scale, 8), round(target * scale, 8)
        low, high = min(each.low for each in inner), max(each.high for each in inner)
        if low > min(stop, target) or high < max(stop, target):
            return ""
        for each in inner:
            ending, _, is_unclear = Reference([], self.rules)._in_bar(is_long, each, stop, target)
            if ending:
                return "" if is_unclear else ending
        return ""

    def _rest_of_bar(
        self, is_long: bool, bar: PlainBar, price: float, stop: float, target: float
    ) -> tuple[str, float, bool]:
        """Return what may come after an entry within the bar; nothing good unless it is certain."""
        sign = 1 if is_long else -1
        worst, best = (bar.low, bar.high) if is_long else (bar.high, bar.low)
        hits_stop, hits_target = sign * worst <= sign * stop, sign * best >= sign * target
        came_down = sign * bar.open >= sign * price  # so a stop must come after the entry
        came_up = sign * bar.open <= sign * price
        if hits_stop:
            return "stop", stop, not came_down or hits_target
        if hits_target and came_up:
            return "target", target, False
        return "", math.nan, hits_target

    def _entered(self, is_long: bool, mid: float) -> float:
        cost = self.rules.market_cost if self.rules.entry is Entry.OPEN else 0
        return _filled(mid, is_long, cost)

    def _ended(
        self, is_long: bool, first: int, row: int, mid: float, price: float, ending: str,
        unclear: bool,
    ) -> PlainTrade:  # fmt: skip
        entry = self._entered(is_long, mid)
        exited = _filled(price, not is_long, 0 if ending == "target" else self.rules.market_cost)
        since, until = self.bars[first].began, self.bars[row].began
        shares = math.prod(float(each.ratio) for each in self.splits if since < each.ex_at <= until)
        value = exited * shares
        gain = value - entry if is_long else entry - value
        percent = (gain - (entry + value) * self.rules.fee / 100) / entry * 100
        return PlainTrade(ending, first, row, entry, exited, shares, percent, unclear)


def _has_range(inner: Sequence[PlainBar], bar: PlainBar) -> bool:
    """Return whether the finer bars rise above their low as far as their bar does."""
    height = max(each.high for each in inner) / min(each.low for each in inner)
    return abs(bar.high / bar.low / height - 1) <= NEAR


def _filled(mid: float, buys: bool, cost: float) -> float:
    return round(mid * (1 + cost if buys else 1 - cost), 8) if cost else mid
