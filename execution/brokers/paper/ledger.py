"""The paper broker's tables: read its open brackets, and write what prices did to them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from execution.brokers.paper.bracket import Filled, PaperBracket, Totals
from execution.brokers.protocol import BrokerError
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.money import ZERO, exact_text
from execution.types import Side
from signals.rows import insert, select_one, update

_BY_NAME = "SELECT * FROM paper_orders WHERE account_id = %s AND client_order_id = %s"
_UPDATE = """
UPDATE paper_orders SET filled = %s, value = %s, state = %s, filled_at = %s, is_triggered = %s,
    reference = %s, seen_at = %s, bars_seen_at = %s, is_open = %s, symbol = %s, new_shares = %s,
    old_shares = %s
WHERE id = %s
"""
MONEY = ("cash", "value", "cost", "bound")


class Money(NamedTuple):
    """An account's cash and the totals of its brackets, valued at the last prices that were
    seen."""

    cash: Decimal
    totals: Totals

    @property
    def equity(self) -> Decimal:
        """Return the cash plus the value of the positions at the last price."""
        return self.cash + self.totals.value

    @property
    def balance(self) -> Decimal:
        """Return the cash plus the value of the positions at their average entry price."""
        return self.cash + self.totals.cost

    @property
    def buying_power(self) -> Decimal:
        """Return the equity minus the value of what is held, long or short, and of what is ordered.

        There is no credit.
        """
        return self.equity - self.totals.bound


@dataclass
class PaperLedger:
    """An account's money and its open brackets.

    The brackets are read when they are needed. Without them the money comes from the totals that
    are stored with the account, so that one order costs the same beside many positions. Every
    change of a bracket must come through `write`, which keeps these totals.

    `ended` are the brackets that the last write closed: callers still ask about them. `is_kept`: it
    stays in memory, and not every price is stored; then no totals are stored either.
    """

    account: PaperAccount
    is_kept: bool = False
    ended: Sequence[PaperBracket] = ()
    _open: list[PaperBracket] | None = None

    @property
    def brackets(self) -> list[PaperBracket]:
        """Return the brackets that hold something or may still fill, oldest first."""
        if self._open is None:
            self._open = open_brackets(self.account)
        return self._open

    @property
    def money(self) -> Money:
        """Return the account's money now."""
        return Money(self.account.cash, self._totals())

    def _totals(self) -> Totals:
        account = self.account
        if self._open is not None or account.value is None:
            return total_of(self.brackets)
        return Totals(account.value, account.cost or ZERO, account.bound or ZERO)

    def bracket_of(self, client_order_id: str) -> PaperBracket | None:
        """Return the bracket with an order of this client id, open or not."""
        known: list[PaperBracket] = [*(self._open or []), *self.ended]
        for bracket in known:
            if any(order.client_order_id == client_order_id for order in bracket.orders):
                return bracket
        row = select_one(PaperOrder, _BY_NAME, [self.account.pk, client_order_id])
        return brackets_of([row.parent_id or row.pk])[0] if row else None

    def write(self, changed: Sequence[PaperBracket], fills: Sequence[PaperFill] = ()) -> None:
        """Store the state of these brackets, their new fills, and the account's money."""
        known = self._with(changed)
        for bracket in changed:
            bracket.entry.is_open = bracket.is_open
        with transaction.atomic():
            save(order for bracket in changed for order in bracket.orders)
            self._book(fills, None if self.is_kept else self._changed_totals(changed))
        for bracket in changed:
            bracket.counted = bracket.totals
        self.ended = [bracket for bracket in known if not bracket.is_open]
        if self._open is not None:
            self._open[:] = [bracket for bracket in known if bracket.is_open]

    def move(self, amount: Decimal) -> None:
        """Add money to the cash, or take it out."""
        self.account.cash += amount
        update(PaperAccount, self.account.pk, {"cash": self.account.cash})

    def _with(self, changed: Sequence[PaperBracket]) -> list[PaperBracket]:
        known = self._open or []
        return [*known, *(bracket for bracket in changed if bracket not in known)]

    def _changed_totals(self, changed: Sequence[PaperBracket]) -> Totals:
        """Return the totals with the present, stored state of these brackets."""
        if self._open is not None:
            return total_of(self._with(changed))
        if self.account.value is None:
            return total_of(open_brackets(self.account))
        counted = (each.totals.minus(each.counted) for each in changed)
        return reduce(Totals.plus, counted, self._totals())

    def _book(self, fills: Sequence[PaperFill], totals: Totals | None) -> None:
        """Store fills, and what they and the prices make of the account."""
        for fill in fills:
            insert(fill)
        account = self.account
        money = account.cash + sum(map(_cash, fills), ZERO), *(totals or (None, None, None))
        values = dict(zip(MONEY, money, strict=True))
        if changes := {name: new for name, new in values.items() if getattr(account, name) != new}:
            for name, value in changes.items():
                setattr(account, name, value)
            update(PaperAccount, account.pk, changes)


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
            yield self._unlocked()

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
        ledger = PaperLedger(account, is_kept=self.is_exclusive)
        self._kept = ledger if self.is_exclusive else None
        return ledger

    def _unlocked(self) -> PaperLedger:
        """Return the ledger; if the account has no totals, with brackets of the same moment.

        A transaction would wait for every writer on SQLite, so read again until the cash stays the
        same: every fill changes the cash.
        """
        while True:
            account = self._account()
            ledger = PaperLedger(account)
            if account.value is not None:
                return ledger
            if ledger.brackets is not None and self._account().cash == account.cash:
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
    for bracket in found.values():
        bracket.counted = bracket.totals
    return list(found.values())


def total_of(found: Iterable[PaperBracket]) -> Totals:
    """Return the sums over these brackets."""
    return reduce(Totals.plus, (each.totals for each in found), Totals())


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
        order.symbol,
        order.new_shares and exact_text(order.new_shares),
        order.old_shares and exact_text(order.old_shares),
        order.pk,
    )
