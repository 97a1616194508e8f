"""Orders and their fills: written once; after that only an order's state changes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, NoReturn

from django.db import connection, models
from django.db.models import BooleanField, Q, Value
from django.db.models.expressions import RawSQL

from execution.fields import ExactDecimal
from execution.money import ZERO
from execution.types import FINAL, ON_THE_WAY, Leg, OrderState, Side
from signals.ahead import limit
from signals.constraints import known_values
from signals.dialect import for_update
from signals.models import Signal
from signals.rows import Immutable, select, select_values

MUTABLE_FIELDS = frozenset(
    {"state", "filled", "average_price", "broker_id", "reason", "submitted_at", "updated_at",
     "claim", "due_at"}
)  # fmt: skip
"""The fields that describe an order's state; all others say what was ordered and never change."""
_DONE = ", ".join(f"'{state}'" for state in sorted(state.value for state in FINAL))
_ON_THE_WAY = ", ".join(f"'{state.value}'" for state in ON_THE_WAY)
MAY_FILL = RawSQL(f"NOT (orders.state IN ({_DONE}))", [], output_field=BooleanField())  # noqa: S611
"""The states are literals, not parameters: only then is the partial index `orders_open` used;
without it, every order ever made would be read."""
_MAY_FILL = f"""
SELECT * FROM orders WHERE NOT (state IN ({_DONE})) AND account || '' = %s ORDER BY id + 0
"""  # noqa: S608
_TO_SEND = f"""
SELECT * FROM orders WHERE NOT (state IN ({_DONE})) AND account || '' = %s
AND (due_at <= %s OR due_at > %s) AND state IN ({_ON_THE_WAY})
AND (leg IN ('entry', 'close') OR number > 1) ORDER BY id + 0
"""  # noqa: S608
_OF_SIGNAL = "SELECT * FROM orders WHERE signal_id = %s ORDER BY id"
_OPEN_ENTRIES = f"""
SELECT signal_id, symbol, side, quantity, filled, level,
    (state IN ({_ON_THE_WAY}) OR updated_at > %s) AS is_new
FROM orders WHERE NOT (state IN ({_DONE})) AND account || '' = %s AND leg = 'entry' ORDER BY id + 0
"""  # noqa: S608
_ENDED_ENTRIES = f"""
SELECT filled, level FROM orders WHERE account = %s AND created_at > %s AND leg = 'entry'
AND state IN ({_DONE}) AND updated_at > %s
"""  # noqa: S608
_ENTRY_TIMES = """
SELECT created_at FROM orders WHERE account = %s AND created_at > %s AND leg = 'entry'
ORDER BY created_at DESC LIMIT %s
"""
_OF_BROKER = "SELECT * FROM orders WHERE account || '' = %s AND broker_id IN ({})"
_FILLS_OF_SIGNAL = """
SELECT fills.* FROM fills JOIN orders ON orders.id = fills.order_id
WHERE orders.signal_id = %s AND fills.refused = '' ORDER BY fills.time, fills.id
"""


ORDER_LEASE = timedelta(seconds=30)
"""Longer than any call to a broker: a worker that has an order for longer is taken for dead."""


class OpenEntry(NamedTuple):
    """An entry that may still fill; `price` is the price at which it was decided on.

    `is_counted`: the broker had confirmed it when it was asked for the account's money.
    """

    signal_pk: int
    symbol: str
    side: Side
    quantity: Decimal
    awaited: Decimal
    price: Decimal
    is_counted: bool


class OrderQuerySet(models.QuerySet["Order"]):
    """Queries of orders; they may change an order's state, but nothing else.

    The queries of every step are plain SQL: Django takes several times as long to build such a
    statement as the database takes to answer it, and a replay asks thousands of times. `account ||
    ''` and `id + 0` keep SQLite from using another index and reading all orders of the account.
    """

    def may_fill(self, account: str) -> "list[Order]":
        """Return the account's orders that may still fill, oldest first.

        The cost does not grow with the number of orders that are done.
        """
        return select(Order, _MAY_FILL, [account])

    def to_send(self, account: str, now: datetime) -> "list[Order]":
        """Return the account's orders that are due to be sent or looked up, oldest first.

        The exits of a bracket are left out, because they go with their entry; a stop that replaces
        another one goes alone. One that a clock which was ahead has put off is due.
        """
        ahead = limit(now, ORDER_LEASE)
        return select(Order, _TO_SEND, [account, _adapted(now), _adapted(ahead)])

    def of_signal(self, signal_pk: int, *, locked: bool = False) -> "list[Order]":
        """Return all orders of a signal, oldest first.

        `locked`: lock them until the caller's transaction ends.
        """
        return select(Order, _OF_SIGNAL + (for_update() if locked else ""), [signal_pk])

    def open_entries(self, account: str, asked_at: datetime) -> list[OpenEntry]:
        """Return the account's entries that may still fill, oldest first.

        `asked_at` is when the broker was asked for the account's money.
        """
        found = select_values(Order, _OPEN_ENTRIES, [_adapted(asked_at), account])
        return [
            OpenEntry(
                pk, symbol, Side(side), quantity, quantity - filled, level or ZERO, not is_new
            )
            for pk, symbol, side, quantity, filled, level, is_new in found
        ]

    def spent_after(self, account: str, asked_at: datetime, created_after: datetime) -> Decimal:
        """Return the value of the entries that ended after `asked_at`, at their decision prices.

        Only entries created after `created_after` are looked at.
        """
        values = [account, _adapted(created_after), _adapted(asked_at)]
        found = select_values(Order, _ENDED_ENTRIES, values)
        return sum((filled * (level or ZERO) for filled, level in found), ZERO)

    def entry_times(self, account: str, since: datetime, most: int) -> list[datetime]:
        """Return when the account's entries were created after `since`: the latest `most`."""
        found = select_values(Order, _ENTRY_TIMES, [account, _adapted(since), most])
        return [created_at for (created_at,) in found]

    def of_broker(self, account: str, broker_ids: Collection[str]) -> "list[Order]":
        """Return the account's orders with these ids of the broker."""
        if not broker_ids:
            return []
        slots = ", ".join(["%s"] * len(broker_ids))
        return select(Order, _OF_BROKER.format(slots), [account, *broker_ids])

    def update(self, **kwargs: Any) -> int:  # noqa: ANN401
        if fixed := kwargs.keys() - MUTABLE_FIELDS:
            raise Immutable(f"An order's terms cannot change: {', '.join(sorted(fixed))}.")
        return super().update(**kwargs)

    def delete(self) -> NoReturn:
        raise Immutable("Orders cannot be deleted.")


def _adapted(moment: datetime) -> Any:  # noqa: ANN401  # what the database's driver takes
    return connection.ops.adapt_datetimefield_value(moment)


class Order(models.Model):
    """One leg of a signal's trade; signal, leg and number together are unique.

    `number` counts the attempts to close, each made after the previous one failed. A bracket is
    three rows: the entry, and the stop and the target, whose `parent` is the entry. `level` is the
    price of a stop or a target; for an entry, it is the price at which the trade was decided.
    `due_at` is when to check the order at the broker; while a worker has the order, it is when the
    lease ends.
    """

    account = models.TextField()
    signal = models.ForeignKey(Signal, models.PROTECT, related_name="orders")
    leg = models.TextField(choices=[(leg.value, leg.value) for leg in Leg])
    number = models.IntegerField(default=1)
    client_order_id = models.TextField(unique=True)
    broker_id = models.TextField(db_default=Value(""))
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="legs")
    symbol = models.TextField()
    side = models.TextField()
    quantity = ExactDecimal()
    level = ExactDecimal(null=True)
    state = models.TextField(choices=[(state.value, state.value) for state in OrderState])
    filled = ExactDecimal(default=ZERO)
    average_price = ExactDecimal(null=True, help_text="The average price of its fills")
    reason = models.TextField(
        db_default=Value(""), help_text="Why it is denied, rejected, canceled or unknown"
    )
    claim = models.TextField(db_default=Value(""), help_text="The worker that handles it now")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    may_change: ClassVar = MUTABLE_FIELDS
    objects = OrderQuerySet.as_manager()

    class Meta:
        db_table = "orders"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["signal", "leg", "number"], name="orders_once"),
            known_values("orders", leg=Leg, side=Side, state=OrderState),
        ]
        indexes: ClassVar = [
            # execution.orders.router, execution.accounts.portfolio, execution.monitoring.reconcile:
            # orders that may still fill
            models.Index(
                fields=["account", "due_at"],
                condition=~Q(state__in=sorted(state.value for state in FINAL)),
                name="orders_open",
            ),
            # execution.positions.fills: the orders that the broker's fills name
            models.Index(fields=["broker_id"], name="orders_broker_id"),
            # execution.accounts.portfolio: the latest orders of an account
            models.Index(fields=["account", "created_at"], name="orders_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.leg} {self.side} {self.quantity} {self.symbol}: {self.state}"

    @property
    def awaited(self) -> Decimal:
        """Return the quantity that may still fill, as long as the order is not final."""
        return self.quantity - self.filled

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if not self._state.adding:
            raise Immutable("Use execution.orders.states.move to change an order's state.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise Immutable("Orders cannot be deleted.")


class FillQuerySet(models.QuerySet["Fill"]):
    """Reads fills; they never change."""

    def counted_of(self, signal_pk: int) -> "list[Fill]":
        """Return the fills of the signal's orders that count, oldest first."""
        return select(Fill, _FILLS_OF_SIGNAL, [signal_pk])

    def update(self, **kwargs: object) -> NoReturn:
        raise Immutable("Fills cannot change.")

    def delete(self) -> NoReturn:
        raise Immutable("Fills cannot be deleted.")


class Fill(models.Model):
    """A fill that the broker reported for one order, stored once even if it is reported again.

    A fill beyond the ordered quantity is stored with the reason in `refused`; it is not counted.
    """

    account = models.TextField()
    fill_id = models.TextField(help_text="The broker's id of the fill")
    order = models.ForeignKey(Order, models.PROTECT, related_name="fills")
    quantity = ExactDecimal()
    price = ExactDecimal()
    fee = ExactDecimal()
    time = models.DateTimeField()
    refused = models.TextField(db_default=Value(""))

    may_change: ClassVar = frozenset[str]()
    objects = FillQuerySet.as_manager()

    class Meta:
        db_table = "fills"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "fill_id"], name="fills_once")
        ]
        indexes: ClassVar = [
            # execution.positions.fills: the time of the newest fill
            models.Index(fields=["account", "time"], name="fills_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} at {self.price}"

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if not self._state.adding:
            raise Immutable("Fills cannot change.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise Immutable("Fills cannot be deleted.")
