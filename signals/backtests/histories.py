"""The bars of a backtest: those of every symbol that has signals, with their splits."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any, cast

import numpy as np

from signals.analysis.backtest.columns import SignalTable
from signals.analysis.backtest.history import History, Split
from signals.backtests.finer import FinerFolder
from signals.instruments import instrument
from signals.market.actions import ActionKind, ListedAction, ListsActions
from signals.market.bars import BadBars, Bars, as_times
from signals.market.hours import hours_of
from signals.market.protocol import MarketData, UnknownSymbol

logger = logging.getLogger(__name__)

BEFORE = timedelta(days=400)
"""How far before the first signal the bars start, so that its volatility can be measured."""


@dataclass
class Histories:
    """The histories of some symbols. `missing` are those without bars, and why."""

    by_symbol: dict[str, History] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> np.datetime64:
        """Return when the last bar of all symbols closed; NaT without any bar."""
        ends = [each.time[-1] for each in self.by_symbol.values() if len(each)]
        return max(ends, default=np.datetime64("NaT"))

    def on_one_clock(self) -> "Histories":
        """Return the same on one clock, as an account has it: a bar of any symbol moves it."""
        times = [each.time for each in self.by_symbol.values()]
        clock = np.unique(np.concatenate(times)) if times else None
        changed = {name: replace(each, clock=clock) for name, each in self.by_symbol.items()}
        return Histories(changed, self.missing)

    @property
    def dropped(self) -> int:
        """Return how many bars were left out because their prices are no numbers."""
        return sum(each.dropped for each in self.by_symbol.values())


def read(
    market: MarketData,
    signals: SignalTable,
    exchange: str,
    before: timedelta = BEFORE,
    finer: FinerFolder | None = None,
) -> Iterator[tuple[str, History | str]]:
    """Yield each symbol of the signals with its bars, or with the reason why they are missing.

    The bars start `before` the first signal. Raises `FeedError` if the market's data is not
    available.
    """
    times = signals.time[~np.isnat(signals.time)]
    since = _moment(times.min()) - before if len(times) else market.now()
    for symbol in signals.symbols:
        try:
            bars = market.bars(symbol, market.now(), since)
            history = history_of(market, bars, symbol, since, exchange)
            yield symbol, replace(history, finer=finer.read(symbol)) if finer else history
        except (UnknownSymbol, BadBars) as error:
            yield symbol, str(error)


def gather(found: Iterable[tuple[str, History | str]]) -> Histories:
    """Return the histories that were found, and the reasons of the others."""
    histories = Histories()
    for symbol, history in found:
        if isinstance(history, str):
            logger.warning("%s has no bars: %s", symbol, history)
            histories.missing[symbol] = history
        else:
            histories.by_symbol[symbol] = history
    return histories


def digest(signals: SignalTable, histories: Histories, rows: Sequence[tuple[Any, ...]] = ()) -> str:
    """Return the SHA-256 of all that a backtest reads: other signals or bars give another one."""
    total = sha256("\n".join(signals.symbols).encode())
    for row in rows:
        total.update(f"\n{row}".encode())
    for column in (signals.symbol, signals.time, signals.side, signals.price, signals.stop,
                   signals.target):  # fmt: skip
        total.update(np.ascontiguousarray(column).tobytes())
    for symbol, history in sorted(histories.by_symbol.items()):
        total.update(f"\n{symbol} {history.splits}".encode())
        for prices in (history.began, history.time, history.open, history.high, history.low,
                       history.close):  # fmt: skip
            total.update(np.ascontiguousarray(prices).tobytes())
        if (finer := history.finer) is not None:
            for prices in (finer.began, finer.open, finer.high, finer.low, finer.close):
                total.update(prices.tobytes())
    return total.hexdigest()


def history_of(
    market: MarketData, bars: Bars, symbol: str, since: datetime, exchange: str
) -> History:
    """Return these bars with the times at which they began, and with the splits since then."""
    hours = hours_of(instrument(symbol), exchange, market)
    began = as_times(hours.began(bars.time_at(row)) for row in range(len(bars)))
    return History.of(bars, began, _splits(market, symbol, since))


def _splits(market: MarketData, symbol: str, since: datetime) -> list[Split]:
    if not isinstance(market, ListsActions):
        return []
    return [
        split for each in market.actions(symbol, since, market.now()) if (split := _split(each))
    ]


def _split(action: ListedAction) -> Split | None:
    """Return what an action did to the scale of the bars; None if it did nothing.

    A dividend that the bars were adjusted for is a split of them too: what was worth 100 before it
    is 98 in these bars.
    """
    is_rebased = action.rebased_by is not None
    if action.kind is ActionKind.SPLIT:
        return Split(action.ex_at, Fraction(action.new) / Fraction(action.old), is_rebased)
    if action.kind is ActionKind.DIVIDEND and action.rebased_by is not None:
        return Split(action.ex_at, 1 / Fraction(action.rebased_by), is_rebased)
    return None


def _moment(time: np.datetime64) -> datetime:
    return cast(datetime, time.item()).replace(tzinfo=UTC)
