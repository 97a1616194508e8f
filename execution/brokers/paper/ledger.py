"""The paper broker's tables: read its open brackets, and write what prices did to them."""

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
from execution.types import Side
from signals.rows import insert, select_one, update

_BY_NAME = "SELECT * FROM paper_orders WHERE account_id = %s AND client_order_id = %s"
_UPDATE = """
UPDATE paper_orders SET filled = %s, value = %s, state = %s, filled_at = %s, is_triggered = %s,
    reference = %s, seen_at = %s, bars_seen_at = %s, is_open = %s
WHERE id = %s
"""


@dataclass
class Money:
    """An account's cash and its brackets, valued at the last prices that were seen."""

    cash: Decimal
    brackets: Sequence[PaperBracket] = field(default_factory=tuple)

    @property
    def equity(self) -> Decimal:
        """Return the cash plus the value of the positions at the last price."""
        return self.cash + sum((each.signed * each.entry.reference for each in self.brackets), ZERO)

    @property
    def balance(self) -> Decimal:
        """Return the cash plus the value of the positions at their average entry price."""
        return self.cash + sum((each.signed * each.average for each in self.brackets), ZERO)

    @property
    def buying_power(self) -> Decimal:
        """Return the equity minus the value of what is held, long or short, and of what is ordered.

        There is no credit.
        """
        bound = (
            (each.held + each.waiting) * each.entry.reference
            for each in self.brackets
            if each.held or each.waiting
        )
        return self.equity - sum(bound, ZERO)


@dataclass
class PaperLedger:
    """An account's money and its open brackets, oldest first.

    `ended` are the brackets that the last write closed: callers still ask about them.
    """

    account: PaperAccount
    brackets: list[PaperBracket]
    ended: Sequence[PaperBracket] = ()

    @property
    def money(self) -> Money:
        """Return the account's money now."""
        return Money(self.account.cash, self.brackets)

    def bracket_of(self, client_order_id: str) -> PaperBracket | None:
        """Return the bracket with an order of this client id, open or not."""
        for bracket in (*self.brackets, *self.ended):
            if any(order.client_order_id == client_order_id for order in bracket.orders):
                return bracket
        row = select_one(PaperOrder, _BY_NAME, [self.account.pk, client_order_id])
        return brackets_of([row.parent_id or row.pk])[0] if row else None

    def write(self, changed: Sequence[PaperBracket], fills: Sequence[PaperFill] = ()) -> None:
        """Store the state of these brackets, and their new fills."""
        known = self.brackets
        known += [bracket for bracket in changed if bracket not in known]
        for bracket in changed:
            bracket.entry.is_open = bracket.is_open
        with transaction.atomic():
            save(order for bracket in changed for order in bracket.orders)
            book(self.account, fills)
        self.ended = [bracket for bracket in known if not bracket.is_open]
        known[:] = [bracket for bracket in known if bracket.is_open]


@dataclass
class PaperStore:
    """Reads and writes the ledger of the account `name`; a new account begins with `deposit`.

    If nobody else trades on the account (`is_exclusive`: a replay), it is read only once.
    """

    name: str
    deposit: Decimal
    is_exclusive: bool = False
    _kept: PaperLedger | None = None

    @contextmanager
    def reading(self) -> Iterator[PaperLedger]:
        """Return the ledger to read from, without a lock. Raises `BrokerError` if the database
        fails."""
        if self.is_exclusive:
            with self.writing() as ledger:
                yield ledger
            return
        with self._guarded():
            yield self._consistent()

    @contextmanager
    def writing(self) -> Iterator[PaperLedger]:
        """Return the ledger to write to, in a transaction and with the account locked.

        An exclusive account needs neither after its first read. Raises `BrokerError` if the
        database fails.
        """
        with self._guarded():
            if self._kept is not None:
                yield self._kept
                return
            with transaction.atomic():
                yield self._locked()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            self._kept = None
            duplicate = isinstance(error, IntegrityError)  # another process placed the same order
            raise BrokerError(
                f"the paper broker's ledger: {error}", permanent=duplicate, duplicate=duplicate
            ) from error

    def _locked(self) -> PaperLedger:
        account, _ = PaperAccount.objects.select_for_update().get_or_create(
            name=self.name, defaults={"deposit": self.deposit, "cash": self.deposit}
        )
        ledger = PaperLedger(account, open_brackets(account))
        self._kept = ledger if self.is_exclusive else None
        return ledger

    def _consistent(self) -> PaperLedger:
        """Return money and brackets of the same moment.

        A transaction would wait for every writer on SQLite, so read again until the cash stays the
        same: every fill changes the cash.
        """
        while True:
            account = self._account()
            ledger = PaperLedger(account, open_brackets(account))
            if self._account().cash == account.cash:
                return ledger

    def _account(self) -> PaperAccount:
        """Return the account's row; a row that is not stored if the account is new."""
        found = PaperAccount.objects.filter(name=self.name).first()
        return found or PaperAccount(name=self.name, deposit=self.deposit, cash=self.deposit)


def open_brackets(account: PaperAccount) -> list[PaperBracket]:
    """Return the brackets that hold something or may still fill, oldest first."""
    if account.pk is None:
        return []
    # "+ 0" keeps SQLite from using another index on the account and reading all its orders
    rows = PaperOrder.objects.alias(on=F("account") + 0).filter(is_open=True, on=account.pk)
    return brackets_of(rows.values_list("pk", flat=True))


def brackets_of(entries: Iterable[int]) -> list[PaperBracket]:
    """Return the brackets with these entry rows."""
    ids = list(entries)
    if not ids:
        return []
    rows = PaperOrder.objects.filter(pk__in=ids) | PaperOrder.objects.filter(parent_id__in=ids)
    found: dict[int, PaperBracket] = {}
    for order in rows.order_by("pk"):
        if order.parent_id is None:
            found[order.pk] = PaperBracket(order, {})
        else:
            found[order.parent_id].add(order)
    return list(found.values())


def book(account: PaperAccount, fills: Sequence[PaperFill]) -> None:
    """Store fills and change the cash."""
    if fills:
        for fill in fills:
            insert(fill)
        account.cash += sum(map(_cash, fills), ZERO)
        update(PaperAccount, account.pk, {"cash": account.cash})


def save(changed: Iterable[PaperOrder]) -> None:
    """Store the state of these orders."""
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE, [_values(order) for order in changed])


def fill_row(account: PaperAccount, filled: Filled) -> PaperFill:
    """Return the row of a fill; the same prices always give the same fill id."""
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
