"""The paper broker's tables: reading its open brackets, and writing what prices did to them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from execution.brokers.paper.bracket import Filled, PaperBracket
from execution.brokers.protocol import BrokerError
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.money import ZERO, exact_text
from execution.types import Leg, Side
from signals.rows import insert, select_one, update

_BY_NAME = "SELECT * FROM paper_orders WHERE account_id = %s AND client_order_id = %s"
_UPDATE = """
UPDATE paper_orders SET filled = %s, value = %s, state = %s, filled_at = %s, is_triggered = %s,
    reference = %s, seen_at = %s, bars_seen_at = %s, is_open = %s
WHERE id = %s
"""


@dataclass
class Money:
    """An account's cash and what is held and waited for, at the last prices looked at."""

    cash: Decimal
    tickets: Sequence[PaperBracket] = field(default_factory=tuple)

    @property
    def equity(self) -> Decimal:
        """Cash, and what is held at the last price."""
        return self.cash + sum((each.signed * each.entry.reference for each in self.tickets), ZERO)

    @property
    def balance(self) -> Decimal:
        """The same, had every position stayed at its average price."""
        return self.cash + sum((each.signed * each.average for each in self.tickets), ZERO)

    @property
    def buying_power(self) -> Decimal:
        """Without credit: equity less what is held, bought or sold short, and ordered."""
        bound = (
            (each.held + each.waiting) * each.entry.reference
            for each in self.tickets
            if each.held or each.waiting
        )
        return self.equity - sum(bound, ZERO)


@dataclass
class PaperLedger:
    """An account's money and the brackets of which something is held or may still be filled, oldest
    first; `ended` are those of which nothing is since the last writing, which one asks about."""

    account: PaperAccount
    tickets: list[PaperBracket]
    ended: Sequence[PaperBracket] = ()

    @property
    def money(self) -> Money:
        """What there is and what is bound."""
        return Money(self.account.cash, self.tickets)

    def ticket_of(self, client_order_id: str) -> PaperBracket | None:
        """The bracket that an order of this id belongs to, open or not."""
        for ticket in (*self.tickets, *self.ended):
            if any(order.client_order_id == client_order_id for order in ticket.orders):
                return ticket
        row = select_one(PaperOrder, _BY_NAME, [self.account.pk, client_order_id])
        return tickets([row.parent_id or row.pk])[0] if row else None

    def write(self, changed: Sequence[PaperBracket], fills: Sequence[PaperFill] = ()) -> None:
        """Write down how these brackets stand now, and what was filled."""
        there = self.tickets
        there += [ticket for ticket in changed if ticket not in there]
        for ticket in changed:
            ticket.entry.is_open = ticket.is_open
        with transaction.atomic():
            save(order for ticket in changed for order in ticket.orders)
            book(self.account, fills)
        self.ended = [ticket for ticket in there if not ticket.is_open]
        there[:] = [ticket for ticket in there if ticket.is_open]


@dataclass
class PaperStore:
    """Where the books of the account `name` are; a new account begins with `deposit`.

    Where nobody else trades on it (`is_exclusive`: a replay) they are read only once.
    """

    name: str
    deposit: Decimal
    is_exclusive: bool = False
    _kept: PaperLedger | None = None

    @contextmanager
    def reading(self) -> Iterator[PaperLedger]:
        """As they are, to look at alone: nobody waits for it. Raises `BrokerError` where the
        database fails."""
        if self.is_exclusive:
            with self.books() as books:
                yield books
            return
        with self._guarded():
            yield self._agreeing()

    @contextmanager
    def books(self) -> Iterator[PaperLedger]:
        """To write to, in a transaction, and nobody else's meanwhile; it needs neither where nobody
        else trades on the account anyway. Raises `BrokerError` where the database fails."""
        with self._guarded():
            if self._kept is not None:
                yield self._kept
                return
            with transaction.atomic():
                yield self._owned()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            self._kept = None
            duplicate = isinstance(error, IntegrityError)  # another process placed the same order
            raise BrokerError(
                f"the paper broker's books: {error}", permanent=duplicate, duplicate=duplicate
            ) from error

    def _owned(self) -> PaperLedger:
        account, _ = PaperAccount.objects.select_for_update().get_or_create(
            name=self.name, defaults={"deposit": self.deposit, "cash": self.deposit}
        )
        books = PaperLedger(account, open_tickets(account))
        self._kept = books if self.is_exclusive else None
        return books

    def _agreeing(self) -> PaperLedger:
        """Money and brackets of one moment, without a transaction, which on SQLite would wait for
        every writer: each fill moves the cash, so that it tells whether one came in between."""
        while True:
            account = self._account()
            books = PaperLedger(account, open_tickets(account))
            if self._account().cash == account.cash:
                return books

    def _account(self) -> PaperAccount:
        """Of a new one there is no row yet."""
        found = PaperAccount.objects.filter(name=self.name).first()
        return found or PaperAccount(name=self.name, deposit=self.deposit, cash=self.deposit)


def open_tickets(account: PaperAccount) -> list[PaperBracket]:
    """The brackets of which something is held or may still be filled, oldest first."""
    if account.pk is None:
        return []
    # "+ 0", lest SQLite take another index that has the account, and walk all its orders
    mine = PaperOrder.objects.alias(on=F("account") + 0).filter(is_open=True, on=account.pk)
    return tickets(mine.values_list("pk", flat=True))


def tickets(entries: Iterable[int]) -> list[PaperBracket]:
    """These brackets, by the rows of their entries."""
    ids = list(entries)
    if not ids:
        return []
    rows = PaperOrder.objects.filter(pk__in=ids) | PaperOrder.objects.filter(parent_id__in=ids)
    found: dict[int, PaperBracket] = {}
    for order in rows.order_by("pk"):
        if order.parent_id is None:
            found[order.pk] = PaperBracket(order, {})
        elif order.leg == Leg.CLOSE:
            found[order.parent_id].closes.append(order)
        else:
            found[order.parent_id].legs[Leg(order.leg)] = order
    return list(found.values())


def book(account: PaperAccount, fills: Sequence[PaperFill]) -> None:
    """Write fills down and move the cash."""
    if fills:
        for fill in fills:
            insert(fill)
        account.cash += sum(map(_cash, fills), ZERO)
        update(PaperAccount, account.pk, {"cash": account.cash})


def save(changed: Iterable[PaperOrder]) -> None:
    """Write down how these orders stand now."""
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE, [_values(order) for order in changed])


def fill_row(account: PaperAccount, filled: Filled) -> PaperFill:
    """The row of a fill; its id is the same however often the same prices are looked at."""
    order = filled.order
    fill_id = f"{account.name}/{order.client_order_id}/{exact_text(filled.number)}"
    return PaperFill(order=order, fill_id=fill_id, quantity=filled.quantity, price=filled.price,
                     fee=filled.fee, time=filled.time)  # fmt: skip


def _cash(fill: PaperFill) -> Decimal:
    value = fill.quantity * fill.price
    return (value if Side(fill.order.side) is Side.SELL else -value) - fill.fee


def _values(order: PaperOrder) -> tuple[Any, ...]:
    adapt = connection.ops.adapt_datetimefield_value
    return (
        exact_text(order.filled),
        exact_text(order.value),
        str(order.state),
        adapt(order.filled_at) if order.filled_at else None,
        order.is_triggered,
        exact_text(order.reference),
        adapt(order.seen_at),
        adapt(order.bars_seen_at),
        order.is_open,
        order.pk,
    )
