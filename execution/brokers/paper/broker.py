"""A broker without a market of its own: kept in the database, filled from market data.

An order is filled by the first price after it: the open of the next bar, or the next quote within a
session. If a bar had already begun, only its close counts. A stop is filled like a market order, at
the open if the price jumped over it; a target is filled at its price, or at a better open. If a bar
reaches both, the stop comes first. The costs are those of `FillModel`. The same prices give the
same fills, to the last digit.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.db import transaction

from execution.brokers.fill_model import FillModel, Prices
from execution.brokers.paper.bracket import Filled, PaperBracket, is_final
from execution.brokers.paper.changes import Carrier
from execution.brokers.paper.ledger import PaperLedger, PaperStore, fill_row
from execution.brokers.paper.reports import as_report
from execution.brokers.protocol import (
    Account,
    Bracket,
    BrokerError,
    Close,
    FillReport,
    Holding,
    MoneyMove,
    MoveKind,
    OrderReport,
    Stop,
)
from execution.corporate.history import PriceHistory
from execution.models import PaperAccount, PaperChange, PaperFill, PaperOrder
from execution.money import ZERO
from execution.types import Leg, OrderState, Side
from signals.clock import Clock
from signals.instruments import instrument, name_of
from signals.market.hours import TradingHours
from signals.market.protocol import MarketData
from signals.rows import insert

logger = logging.getLogger(__name__)

COIN_STEP = Decimal("0.000001")
"""The step of a quantity of coins: a millionth."""


class Marks(NamedTuple):
    """The times after which prices are needed: of bars, which may come late, and of any price.

    `price` is the last one that was seen, at `latest`.
    """

    bars: datetime
    latest: datetime
    price: Decimal


@dataclass(frozen=True)
class PaperBroker:
    """One account on paper; its ledger is in `store`.

    `fills` applies the latest market prices first, so that it reports the fills that they cause.
    The other calls answer as of the last look at the market.
    """

    store: PaperStore
    market: MarketData
    hours: Callable[[str], TradingHours]
    clock: Clock
    fill_model: FillModel = field(default_factory=FillModel)
    name: str = "paper"
    carries_over: bool = True

    @cached_property
    def history(self) -> PriceHistory:
        """Return what is known of the scale of the market's prices."""
        return PriceHistory(self.store.name, self.market, self.clock, instrument)

    def step(self, symbol: str) -> Decimal:
        """Return one share, a millionth of a coin, or the instrument's own step."""
        return instrument(symbol).step_or(COIN_STEP)

    def account(self) -> Account:
        """Return the account's money now."""
        with self.store.reading() as ledger:
            money = ledger.money
            return Account(
                money.equity, money.balance, money.buying_power, self.clock(),
                f"{self.name}:{self.store.name}",
            )  # fmt: skip

    def positions(self) -> Sequence[Holding]:
        """Return what is held, one `Holding` for each symbol."""
        by_symbol: dict[str, list[PaperBracket]] = {}
        with self.store.reading() as ledger:
            for each in ledger.brackets:
                if each.held:
                    by_symbol.setdefault(each.entry.symbol, []).append(each)
        return [_holding(symbol, there) for symbol, there in sorted(by_symbol.items())]

    def submit(self, order: Bracket | Close | Stop) -> OrderReport:
        """Place an order, which a later price fills.

        Raises `BrokerError` if the quantity is invalid, the client id was already used, the buying
        power is too small, or there is nothing to close.
        """
        if not (order.quantity.is_finite() and order.quantity > ZERO):
            raise BrokerError(f"the quantity {order.quantity} is not valid", permanent=True)
        with self.store.writing() as ledger, transaction.atomic():
            if ledger.bracket_of(order.client_order_id):
                raise BrokerError(
                    "there is already an order with this id", permanent=True, duplicate=True
                )
            if isinstance(order, Bracket):
                bracket = self._open(ledger, order)
            elif isinstance(order, Close):
                bracket = self._close(ledger, order)
            else:
                bracket = self._protect(ledger, order)
            ledger.write([bracket])
            return as_report(bracket, order.client_order_id)

    def cancel(self, broker_id: str) -> None:
        """Cancel an order. If an entry has filled in part, its exits stay."""
        with self.store.writing() as ledger:
            bracket = ledger.bracket_of(broker_id)
            if bracket is None:
                return
            order = next(each for each in bracket.orders if each.client_order_id == broker_id)
            if not is_final(order):
                order.state = OrderState.CANCELED
            if order is bracket.entry and not bracket.held:
                bracket.cancel_exits()
            ledger.write([bracket])

    def find(self, client_order_id: str) -> OrderReport | None:
        """Return the order with this client id, with its exits; None if there is none."""
        with self.store.reading() as ledger:
            bracket = ledger.bracket_of(client_order_id)
        return as_report(bracket, client_order_id) if bracket else None

    def open_orders(self) -> Sequence[OrderReport]:
        """Return the orders that may still fill."""
        with self.store.reading() as ledger:
            orders = [(each, order) for each in ledger.brackets for order in each.orders]
        return [
            as_report(each, order.client_order_id) for each, order in orders if not is_final(order)
        ]

    def fills(self, since: datetime) -> Sequence[FillReport]:
        """Return the fills at `since` or later."""
        self.look()
        with self.store.reading() as ledger:
            rows = PaperFill.objects.filter(order__account=ledger.account.pk, time__gte=since)
            return [_fill_report(fill) for fill in rows.select_related("order").order_by("pk")]

    def moves(self, since: datetime) -> Sequence[MoneyMove]:
        """Return the dividends at `since` or later; the caller of `transfer` knows of transfers."""
        with self.store.reading() as ledger:
            paid = PaperChange.objects.filter(order__account=ledger.account.pk, time__gte=since)
            return [_income(each) for each in paid.exclude(cash=ZERO).order_by("pk")]

    def transfer(self, amount: Decimal) -> None:
        """Move play money into the account, or out of it."""
        with self.store.writing() as ledger:
            free = ledger.money.buying_power
            if -amount > free:
                raise BrokerError(
                    f"{-amount:.2f} cannot be taken out: only {free:.2f} is free", permanent=True
                )
            ledger.move(amount)

    def look(self) -> int:
        """Apply the market's prices since the last look, and return the number of fills.

        If the prices of a symbol are not available, it is tried again at the next look.
        """
        with self.store.reading() as ledger:
            marks = _marks(ledger.brackets)
        prices: dict[str, Sequence[Prices]] = {}
        for symbol, seen in marks.items():
            try:
                prices[symbol] = self._usable(symbol, seen, self._prices(symbol, seen))
            except Exception as error:  # noqa: BLE001  # one bad feed must not stop the others
                logger.error("No prices of %s for its paper orders: %s", symbol, error)
        return len(self.see(prices))

    def see(self, prices: Mapping[str, Sequence[Prices]]) -> list[FillReport]:
        """Apply these prices, oldest first, and return the fills that they cause."""
        if not any(prices.values()):
            return []
        with self.store.writing() as ledger:
            seen = [each for each in ledger.brackets if prices.get(each.entry.symbol)]
            filled = [done for each in seen for done in self._seen(ledger, each, prices)]
            rows = [fill_row(ledger.account, each) for each in filled]
            if rows or not self.store.is_exclusive:  # else seeing the same prices again is harmless
                ledger.write(seen, rows)
        return [_fill_report(row) for row in rows]

    def _seen(
        self, ledger: PaperLedger, bracket: PaperBracket, prices: Mapping[str, Sequence[Prices]]
    ) -> Iterator[Filled]:
        symbol = bracket.entry.symbol
        step, there = self.step(symbol), prices[symbol]
        if self.store.is_exclusive:  # the bars of a replay are all on one scale
            for each in there:
                yield from bracket.see(each, self.fill_model, step)
            return
        carrier = Carrier(ledger, bracket, self.history.actions(symbol))
        for each in there:
            carried = carrier.carried(each, self.clock())
            yield from bracket.see(carried, self.fill_model, step)

    def _prices(self, symbol: str, seen: Marks) -> list[Prices]:
        """Return the bars that have closed since `seen`, and the quote of an open market."""
        hours, now = self.hours(symbol), self.clock()
        found: list[Prices] = []
        if hours.may_have_closed(seen.bars, now):
            bars = self.history.bars(symbol, seen.bars)
            each = map(bars.bar, range(len(bars)))
            found = [Prices.of(bar, hours.began(bar.time)) for bar in each]
        else:
            self.history.look(symbol)
        last = max([seen.latest, *(each.time for each in found)])
        quote = self.market.quote(symbol)
        if quote and last < quote.time <= now and hours.is_open(quote.time):
            found.append(Prices.quoted(quote.price, quote.time))
        return found

    def _usable(self, symbol: str, seen: Marks, prices: Sequence[Prices]) -> Sequence[Prices]:
        """Return the prices up to the first that seems to be on another scale than those before."""
        if self.history.unexplained(symbol):
            return ()
        day_of = self.hours(symbol).day_of
        before, at = seen.price, seen.latest
        for index, each in enumerate(prices):
            is_next_day = each.time > at and day_of(each.time) != day_of(at)
            if is_next_day and not self.history.checked(symbol, before, at, each.open, each.time):
                return prices[:index]
            if each.time > at:
                before, at = each.close, each.time
        return prices

    def _open(self, ledger: PaperLedger, order: Bracket) -> PaperBracket:
        cost, power = order.quantity * order.reference, ledger.money.buying_power
        if cost > power:
            raise BrokerError(
                f"insufficient buying power: it costs {cost:.2f}, but only {power:.2f} is there",
                permanent=True,
            )
        account = ledger.account
        entry = self._row(account, order, Leg.ENTRY, order.side, order.client_order_id)
        insert(entry)
        exits = ((Leg.STOP, order.stop), (Leg.TARGET, order.target))
        legs = {
            leg: self._row(account, order, leg, order.side.opposite,
                           f"{order.client_order_id}/{leg}", entry, level)
            for leg, level in exits
        }  # fmt: skip
        for leg in legs.values():
            insert(leg)
        return PaperBracket(entry, legs)

    def _close(self, ledger: PaperLedger, order: Close) -> PaperBracket:
        bracket = _held_bracket(ledger, order)
        if not is_final(bracket.entry):
            bracket.entry.state = OrderState.CANCELED
        bracket.cancel_exits()
        self._add(ledger, bracket, order, Leg.CLOSE)
        return bracket

    def _protect(self, ledger: PaperLedger, order: Stop) -> PaperBracket:
        bracket = _held_bracket(ledger, order)
        if not is_final(bracket.legs[Leg.STOP]):
            raise BrokerError(f"{order.entry} has a stop already", permanent=True)
        self._add(ledger, bracket, order, Leg.STOP, order.level)
        return bracket

    def _add(
        self, ledger: PaperLedger, bracket: PaperBracket, order: Close | Stop, leg: Leg,
        level: Decimal | None = None,
    ) -> None:  # fmt: skip
        """Add an order for what is held, or less, to a bracket."""
        entry, quantity = bracket.entry, min(order.quantity, bracket.held)
        placed = Bracket(order.client_order_id, entry.symbol, bracket.side, quantity,
                         ZERO, ZERO, entry.reference)  # fmt: skip
        row = self._row(
            ledger.account, placed, leg, order.side, order.client_order_id, entry, level
        )
        insert(row)
        bracket.add(row)

    def _row(
        self,
        account: PaperAccount,
        order: Bracket,
        leg: Leg,
        side: Side,
        name: str,
        parent: PaperOrder | None = None,
        level: Decimal | None = None,
    ) -> PaperOrder:
        now = self.clock()
        return PaperOrder(
            account=account, client_order_id=name, parent=parent, leg=leg, level=level,
            symbol=name_of(order.symbol), side=side, quantity=order.quantity,
            reference=order.reference, state=OrderState.ACCEPTED, placed_at=now, seen_at=now,
            bars_seen_at=now, is_open=leg is Leg.ENTRY,
        )  # fmt: skip


def _held_bracket(ledger: PaperLedger, order: Close | Stop) -> PaperBracket:
    """Return the bracket of the position. Raises `BrokerError` if nothing of it may be closed."""
    bracket = ledger.bracket_of(order.entry)
    if bracket is None or not bracket.held:
        raise BrokerError(f"nothing of {order.entry} is held", permanent=True)
    if order.side is not bracket.side.opposite:
        raise BrokerError(f"{order.side} cannot close {bracket.side}", permanent=True)
    if bracket.close is not None:
        raise BrokerError(f"{order.entry} is already being closed", permanent=True)
    return bracket


def _marks(found: Sequence[PaperBracket]) -> dict[str, Marks]:
    """Return the oldest marks of each symbol's brackets."""
    oldest: dict[str, Marks] = {}
    for each in found:
        entry = each.entry
        own = Marks(entry.bars_seen_at, entry.seen_at, entry.reference)
        known = oldest.get(entry.symbol, own)
        first = min(known, own, key=lambda marks: marks.latest)
        oldest[entry.symbol] = first._replace(bars=min(known.bars, own.bars))
    return oldest


def _holding(symbol: str, there: Sequence[PaperBracket]) -> Holding:
    quantity = sum((each.signed for each in there), ZERO)
    size = sum((each.held for each in there), ZERO)
    average = sum((each.held * each.average for each in there), ZERO) / size
    return Holding(symbol, quantity, average, there[0].entry.reference)


def _income(change: PaperChange) -> MoneyMove:
    return MoneyMove(
        f"dividend/{change.pk}", MoveKind.INCOME, change.cash, change.time,
        f"{change.order.symbol}: {change.text}",
    )  # fmt: skip


def _fill_report(fill: PaperFill) -> FillReport:
    order = fill.order
    return FillReport(
        fill.fill_id, order.client_order_id, order.symbol, Side(order.side), fill.quantity,
        fill.price, fill.fee, fill.time,
    )  # fmt: skip
