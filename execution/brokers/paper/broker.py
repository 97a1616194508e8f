"""A broker without a market of its own: kept in the database, filled from market data.

An order is filled by the first price that comes after it: the open of the next bar, or the next
quote within a session. Of a bar that had begun by then only the close counts. Stops are filled like
orders at the market, at the open where the price jumped over them; targets at their price, or at a
better open. Where a bar reaches both, the stop came first. Costs are those of `FillModel`. The same
prices give the same fills, to the last digit.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from execution.brokers.fill_model import FillModel, Prices
from execution.brokers.paper.bracket import Filled, PaperBracket, is_final
from execution.brokers.paper.ledger import PaperLedger, PaperStore, fill_row
from execution.brokers.paper.reports import as_placed
from execution.brokers.protocol import (
    Account,
    Bracket,
    BrokerError,
    Close,
    FillReport,
    Holding,
    OrderReport,
)
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.money import ZERO
from execution.types import Leg, OrderState, Side
from signals.clock import Clock
from signals.market.hours import TradingHours
from signals.market.instruments import CRYPTO, instrument, normalised
from signals.market.protocol import MarketData
from signals.rows import insert

logger = logging.getLogger(__name__)

SHARE, COIN = Decimal(1), Decimal("0.000001")
"""The steps of quantities: whole shares, and millionths of a coin."""


class Marks(NamedTuple):
    """Since when prices are wanted: bars, which may come late, and any at all."""

    bars: datetime
    latest: datetime


@dataclass(frozen=True)
class PaperBroker:
    """One account on paper, whose books are on its `shelf`.

    `fills` looks at the market first, so that what it brought is told; the other answers are those
    of the last look.
    """

    shelf: PaperStore
    market: MarketData
    hours: Callable[[str], TradingHours]
    clock: Clock
    terms: FillModel = field(default_factory=FillModel)
    name: str = "paper"

    def step(self, symbol: str) -> Decimal:
        """A share, or a millionth of a coin."""
        return COIN if instrument(symbol).asset_type == CRYPTO else SHARE

    def account(self) -> Account:
        """The money as it stands."""
        with self.shelf.reading() as books:
            money = books.money
            return Account(money.equity, money.balance, money.buying_power, self.clock())

    def positions(self) -> Sequence[Holding]:
        """What is held, one for each symbol."""
        by_symbol: dict[str, list[PaperBracket]] = {}
        with self.shelf.reading() as books:
            for each in books.tickets:
                if each.held:
                    by_symbol.setdefault(each.entry.symbol, []).append(each)
        return [_holding(symbol, there) for symbol, there in sorted(by_symbol.items())]

    def submit(self, order: Bracket | Close) -> OrderReport:
        """Place an order; it is filled by a later price. Raises `BrokerError`."""
        if not (order.quantity.is_finite() and order.quantity > ZERO):
            raise BrokerError(f"{order.quantity} is no quantity", permanent=True)
        with self.shelf.books() as books, transaction.atomic():
            if books.ticket_of(order.client_order_id):
                raise BrokerError("there is an order of this id", permanent=True, duplicate=True)
            if isinstance(order, Bracket):
                ticket = self._open(books, order)
            else:
                ticket = self._close(books, order)
            books.write([ticket])
            return as_placed(ticket, order.client_order_id)

    def cancel(self, broker_id: str) -> None:
        """Cancel an order. What an entry has filled keeps its exits."""
        with self.shelf.books() as books:
            ticket = books.ticket_of(broker_id)
            if ticket is None:
                return
            order = next(each for each in ticket.orders if each.client_order_id == broker_id)
            if not is_final(order):
                order.state = OrderState.CANCELED
            if order is ticket.entry and not ticket.held:
                ticket.cancel_exits()
            books.write([ticket])

    def find(self, client_order_id: str) -> OrderReport | None:
        """The order of that client id, with its exits."""
        with self.shelf.reading() as books:
            ticket = books.ticket_of(client_order_id)
        return as_placed(ticket, client_order_id) if ticket else None

    def open_orders(self) -> Sequence[OrderReport]:
        """Those that may still be filled."""
        with self.shelf.reading() as books:
            orders = [(each, order) for each in books.tickets for order in each.orders]
        return [
            as_placed(each, order.client_order_id) for each, order in orders if not is_final(order)
        ]

    def fills(self, since: datetime) -> Sequence[FillReport]:
        """What was filled at `since` or later."""
        self.look()
        with self.shelf.reading() as books:
            rows = PaperFill.objects.filter(order__account=books.account.pk, time__gte=since)
            return [_execution(fill) for fill in rows.select_related("order").order_by("pk")]

    def look(self) -> int:
        """Ask the market for what it did since the last look; how many fills that brought.

        A symbol whose prices cannot be had waits for the next look.
        """
        with self.shelf.reading() as books:
            marks = _marks(books.tickets)
        prices: dict[str, Sequence[Prices]] = {}
        for symbol, seen in marks.items():
            try:
                prices[symbol] = self._prices(symbol, seen)
            except Exception as error:  # noqa: BLE001  # one symbol's feed holds up no other
                logger.error("No prices of %s for its paper orders: %s", symbol, error)
        return len(self.see(prices))

    def see(self, prices: Mapping[str, Sequence[Prices]]) -> list[FillReport]:
        """Let these prices, oldest first, fill what they fill; the fills that made."""
        if not any(prices.values()):
            return []
        with self.shelf.books() as books:
            seen = [each for each in books.tickets if prices.get(each.entry.symbol)]
            filled = [done for each in seen for done in self._seen(each, prices[each.entry.symbol])]
            rows = [fill_row(books.account, each) for each in filled]
            if rows or not self.shelf.is_exclusive:  # else what was seen can be seen again
                books.write(seen, rows)
        return [_execution(row) for row in rows]

    def _seen(self, ticket: PaperBracket, prices: Sequence[Prices]) -> Iterator[Filled]:
        step = self.step(ticket.entry.symbol)
        for each in prices:
            yield from ticket.see(each, self.terms, step)

    def _prices(self, symbol: str, seen: Marks) -> list[Prices]:
        """The bars since then, where one may have ended, and the quote of an open market."""
        hours, now = self.hours(symbol), self.clock()
        found: list[Prices] = []
        if hours.may_have_closed(seen.bars, now):
            bars = self.market.bars(symbol, now, seen.bars)
            each = map(bars.bar, range(len(bars)))
            found = [Prices.of(bar, hours.began(bar.time)) for bar in each]
        last = max([seen.latest, *(each.time for each in found)])
        quote = self.market.quote(symbol)
        if quote and last < quote.time <= now and hours.is_open(quote.time):
            found.append(Prices.quoted(quote.price, quote.time))
        return found

    def _open(self, books: PaperLedger, order: Bracket) -> PaperBracket:
        cost, power = order.quantity * order.reference, books.money.buying_power
        if cost > power:
            raise BrokerError(
                f"insufficient buying power: it costs {cost:.2f}, there is {power:.2f}",
                permanent=True,
            )
        account = books.account
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

    def _close(self, books: PaperLedger, order: Close) -> PaperBracket:
        ticket = books.ticket_of(order.entry)
        if ticket is None or not ticket.held:
            raise BrokerError(f"nothing is held of {order.entry}", permanent=True)
        if ticket.close is not None:
            raise BrokerError(f"{order.entry} is being closed already", permanent=True)
        entry = ticket.entry
        if not is_final(entry):
            entry.state = OrderState.CANCELED
        ticket.cancel_exits()
        quantity = min(order.quantity, ticket.held)
        bracket = Bracket(order.client_order_id, entry.symbol, ticket.side, quantity,
                          ZERO, ZERO, entry.reference)  # fmt: skip
        close = self._row(
            books.account, bracket, Leg.CLOSE, order.side, order.client_order_id, entry
        )
        insert(close)
        ticket.closes.append(close)
        return ticket

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
            symbol=normalised(order.symbol), side=side, quantity=order.quantity,
            reference=order.reference, state=OrderState.ACCEPTED, placed_at=now, seen_at=now,
            bars_seen_at=now, is_open=leg is Leg.ENTRY,
        )  # fmt: skip


def _marks(found: Sequence[PaperBracket]) -> dict[str, Marks]:
    """The oldest of each symbol's brackets."""
    oldest: dict[str, Marks] = {}
    for each in found:
        entry = each.entry
        known = oldest.get(entry.symbol, Marks(entry.bars_seen_at, entry.seen_at))
        oldest[entry.symbol] = Marks(
            min(known.bars, entry.bars_seen_at), min(known.latest, entry.seen_at)
        )
    return oldest


def _holding(symbol: str, there: Sequence[PaperBracket]) -> Holding:
    quantity = sum((each.signed for each in there), ZERO)
    size = sum((each.held for each in there), ZERO)
    average = sum((each.held * each.average for each in there), ZERO) / size
    return Holding(symbol, quantity, average, there[0].entry.reference)


def _execution(fill: PaperFill) -> FillReport:
    order = fill.order
    return FillReport(
        fill.fill_id, order.client_order_id, order.symbol, Side(order.side), fill.quantity,
        fill.price, fill.fee, fill.time,
    )  # fmt: skip
