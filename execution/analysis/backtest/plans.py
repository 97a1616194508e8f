"""What each signal wants, and how its trade would go: the first pass, in exact money."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from execution.brokers.fill_model import Costs
from execution.money import ZERO, as_decimal
from execution.risk.model import Intent
from execution.risk.volatility import USUAL_RETURNS, volatility_of
from execution.types import Side
from signals.analysis.backtest.columns import Ending, SignalTable, Skipped, Times, Trades
from signals.analysis.backtest.history import History

TRADABLE = (Skipped.NO, Skipped.NO_BAR_AFTER)
"""A signal without a bar after it is ordered too; its order waits until the bars end."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG, SHORT = 1, -1


class Terms(NamedTuple):
    """How an instrument is traded: the currency of its price, what one unit is worth at a price of
    1 (None if that is not known), and the smallest step of a quantity."""

    currency: str
    unit_value: Decimal | None
    step: Decimal


class Detail(NamedTuple):
    """What the risk rules ask of a signal beside its prices."""

    signal_id: str
    confidence: float
    strategy: str
    regime: str


class Exit(NamedTuple):
    """How a trade ends: in which bar, at what fill price, and when."""

    row: int
    price: Decimal
    at: datetime
    by: Ending


class Plan(NamedTuple):
    """How the trade of a signal goes: `entry` is the fill price in the bar `entry_row`.

    Without an `entry_row` the order is never filled. Without an `exit` the trade stays open.
    `shares` is what one share entered has become at the exit.
    """

    entry_row: int | None
    entry: Decimal
    exit: Exit | None
    shares: Decimal


class Series(NamedTuple):
    """The bars of a symbol as lists: when each closed, in microseconds since 1970, and its close,
    and what one share of the beginning has become by it."""

    time: list[int]
    close: list[float]
    shares: list[float]

    @classmethod
    def of(cls, history: History) -> "Series":
        """Return the lists of these bars."""
        shares = history.jumps.shares_at(np.arange(len(history)))
        return cls(microseconds(history.time), history.close.tolist(), shares.tolist())


@dataclass(eq=False)
class Offers:
    """The signals of a backtest, each as an intent and as a plan, made when it is asked for.

    `trades` are those of the first pass, `details` has one entry for each signal, `terms` those of
    each symbol.
    """

    signals: SignalTable
    trades: Trades
    details: Sequence[Detail]
    terms: Callable[[str], Terms]
    histories: Mapping[str, History]
    costs: Costs
    is_at_market: bool = True
    _terms: dict[int, Terms] = field(default_factory=dict)
    _series: dict[int, Series] = field(default_factory=dict)

    def __post_init__(self) -> None:
        signals = self.signals
        names = ("symbol", "side", "price", "stop", "target")
        columns = [getattr(signals, name).tolist() for name in names]
        self._rows: list[tuple[Any, ...]] = list(zip(*columns, strict=True))

    def in_order(self) -> list[tuple[int, int]]:
        """Return the signals that may be traded as (microseconds since 1970, index), by time.

        Signals of one time keep their order.
        """
        chosen = np.flatnonzero(np.isin(self.trades.skipped, TRADABLE))
        chosen = chosen[np.argsort(self.signals.time[chosen], kind="stable")]
        times = microseconds(self.signals.time[chosen])
        return list(zip(times, chosen.tolist(), strict=True))

    def intent(self, index: int, now: datetime) -> Intent:
        """Return the trade that the signal wants, without a quantity.

        Its own price counts as the latest one, and its market as open: a backtest knows no other.
        """
        symbol, side, price, stop, target = self._rows[index]
        terms, detail, exact = self.terms_of(symbol), self.details[index], as_decimal(price)
        return Intent(
            signal_id=detail.signal_id,
            symbol=self.signals.symbols[symbol],
            side=Side.BUY if side == LONG else Side.SELL,
            quantity=ZERO,
            entry=exact,
            target=as_decimal(target),
            stop=as_decimal(stop),
            confidence=detail.confidence,
            made_at=now,
            strategy=detail.strategy,
            regime=detail.regime,
            price=exact,
            price_time=now,
            market_open=True,
            currency=terms.currency,
            unit_value=terms.unit_value,
        )

    def plan(self, index: int, side: Side) -> Plan:
        """Return how the trade of the signal goes, with fill prices in exact money."""
        trades = self.trades
        if trades.skipped[index] != Skipped.NO:
            return Plan(None, ZERO, None, Decimal(1))
        entry = as_decimal(trades.entry_mid[index])
        if self.is_at_market:
            entry = self.costs.market_price(side, entry)
        by = Ending(trades.ending[index])
        if by is Ending.OPEN:
            return Plan(int(trades.entry_row[index]), entry, None, Decimal(1))
        price = as_decimal(trades.exit_mid[index])
        if by is not Ending.TARGET:
            price = self.costs.market_price(side.opposite, price)
        end = Exit(int(trades.exit_row[index]), price, _moment(trades.exit_time[index]), by)
        return Plan(int(trades.entry_row[index]), entry, end, as_decimal(trades.shares[index]))

    def terms_of(self, symbol: int) -> Terms:
        """Return the terms of a symbol, by its number."""
        if symbol not in self._terms:
            self._terms[symbol] = self.terms(self.signals.symbols[symbol])
        return self._terms[symbol]

    def step(self, index: int) -> Decimal:
        """Return the step of the signal's instrument."""
        return self.terms_of(self._rows[index][0]).step

    def with_volatility(self, index: int, intent: Intent) -> Intent:
        """Return the intent with the volatility at the signal, if there are enough bars."""
        history = self.histories[intent.symbol]
        seen = int(np.searchsorted(history.time, self.signals.time[index], side="right"))
        closes = history.close[max(0, seen - USUAL_RETURNS - 1) : seen]
        found = volatility_of(closes)
        if found is None:
            return intent
        return replace(intent, volatility=found.present, usual_volatility=found.usual)

    def series(self, index: int) -> Series:
        """Return the bars of the signal's symbol."""
        symbol = self._rows[index][0]
        if symbol not in self._series:
            self._series[symbol] = Series.of(self.histories[self.signals.symbols[symbol]])
        return self._series[symbol]


def microseconds(times: Times) -> list[int]:
    """Return times as microseconds since 1970."""
    found: list[int] = times.astype("datetime64[us]").astype(np.int64).tolist()
    return found


def moment(since_1970: int) -> datetime:
    """Return the moment of microseconds since 1970 (UTC)."""
    return EPOCH + timedelta(microseconds=since_1970)


def _moment(time: np.datetime64) -> datetime:
    return moment(int(time.astype(np.int64)))
