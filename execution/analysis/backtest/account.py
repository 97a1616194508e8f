"""The account of a backtest: its cash, what it holds, and the portfolio that the rules see.

It counts as the paper broker and the equity curve do, without a database.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from execution.analysis.backtest.plans import Plan, Series, moment
from execution.brokers.fill_model import Costs
from execution.money import ZERO, as_decimal
from execution.prop_firm.days import Day, record
from execution.risk.model import MINUTE, Exposure, Intent, Portfolio
from execution.types import Side
from signals.analysis.backtest.columns import Ending


class Closed(NamedTuple):
    """A trade that has ended; sorts by when. `signal` is an index, `profit` is after fees."""

    at: datetime
    signal: int
    profit: Decimal
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    fees: Decimal
    by: Ending


@dataclass(slots=True, eq=False)
class Held:
    """An order that waits for its fill, or a position. `row` is the next bar that it sees.

    `reference` is the last price that was seen, on the scale of its bar.
    """

    index: int
    intent: Intent
    plan: Plan
    series: Series
    row: int
    reference: Decimal
    quantity: Decimal
    paid: Decimal = ZERO
    is_entered: bool = False

    @property
    def value(self) -> Decimal:
        """Return what it is worth at the last price; negative if it is sold short."""
        if not self.is_entered:
            return ZERO
        worth = self.quantity * self.reference
        return worth if self.intent.side is Side.BUY else -worth

    @property
    def exposure(self) -> Exposure:
        """Return it as the risk rules count it."""
        price = self.plan.entry if self.is_entered else self.intent.entry
        if self.quantity != self.intent.quantity:
            price = price * self.intent.quantity / self.quantity  # a split came between
        return Exposure(self.intent.symbol, self.intent.side, self.quantity, price)


@dataclass
class SimulatedAccount:
    """Cash and trades; nothing but `see` and `order` changes them."""

    cash: Decimal
    costs: Costs
    day_of: Callable[[datetime], date]
    losses_counted: int
    held: list[Held] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    peak: Decimal = ZERO
    day: Day | None = None
    _orders: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.peak = self.cash

    @property
    def equity(self) -> Decimal:
        """Return the cash plus the value of what is held."""
        return self.cash + sum((each.value for each in self.held), ZERO)

    def see(self, since_1970: int) -> None:
        """Apply the bars that close at this moment to what is held, and mark the equity."""
        if not self.held:
            return
        for each in self.held:
            if each.row < len(each.series.time) and each.series.time[each.row] == since_1970:
                self._see(each)
        self.held = [each for each in self.held if each.quantity]
        equity = self.equity
        self.day = self._marked(moment(since_1970), equity)
        self.peak = max(self.peak, equity)

    def order(self, index: int, intent: Intent, plan: Plan, series: Series, now: int) -> None:
        """Place the order of a trade; the first bar that closes after `now` may fill it."""
        row = bisect_right(series.time, now)
        self.held.append(Held(index, intent, plan, series, row, intent.entry, intent.quantity))
        self._orders.append(intent.made_at)

    def portfolio(self, now: datetime) -> Portfolio:
        """Return the account as the risk rules see it."""
        equity = self.equity
        bound = sum((each.quantity * each.reference for each in self.held), ZERO)
        self._orders = [each for each in self._orders if each > now - MINUTE]
        return Portfolio(
            equity=equity,
            buying_power=equity - bound,
            day_start=self._marked(now, equity).first_equity,
            peak=max(self.peak, equity),
            holdings=[each.exposure for each in self.held],
            orders=list(self._orders),
            losses=list(self._losses()),
        )

    def _see(self, each: Held) -> None:
        row, plan = each.row, each.plan
        each.row += 1
        if row == plan.entry_row:
            self._enter(each)
        elif each.is_entered:
            _carry(each, row)
        if plan.exit is not None and row == plan.exit.row:
            self._exit(each)
        each.reference = as_decimal(each.series.close[row])

    def _enter(self, each: Held) -> None:
        value = each.quantity * each.plan.entry
        each.is_entered = True
        each.paid = self.costs.fee_of(each.quantity, each.plan.entry)
        self.cash -= (value if each.intent.side is Side.BUY else -value) + each.paid

    def _exit(self, each: Held) -> None:
        plan, end = each.plan, each.plan.exit
        assert end is not None  # noqa: S101  # the caller checks
        value, fee = each.quantity * end.price, self.costs.fee_of(each.quantity, end.price)
        gain = value - each.intent.quantity * plan.entry
        if each.intent.side is Side.SELL:
            value, gain = -value, -gain
        self.cash += value - fee
        fees = each.paid + fee
        insort(self.closed, Closed(
            end.at, each.index, gain - fees, each.intent.quantity, plan.entry, end.price, fees,
            end.by,
        ))  # fmt: skip
        each.quantity = ZERO

    def _marked(self, now: datetime, equity: Decimal) -> Day:
        known = [self.day] if self.day else []
        return record(known, self.day_of(now), equity, equity, 0)

    def _losses(self) -> Iterator[datetime]:
        """Yield when the latest trades ended, as long as they lost."""
        for each in reversed(self.closed[-self.losses_counted :]):
            if each.profit >= ZERO:
                return
            yield each.at


def _carry(each: Held, row: int) -> None:
    """Carry a position over a split that happened before this bar."""
    before, now = each.series.shares[row - 1], each.series.shares[row]
    if before != now:
        each.quantity = each.quantity * as_decimal(now) / as_decimal(before)
