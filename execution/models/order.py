"""Orders and their fills: written once, and from then on only their state changes."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NoReturn

from django.db import connection, models
from django.db.models import BooleanField, Q, Value
from django.db.models.expressions import RawSQL

from execution.fields import ExactDecimal
from execution.money import ZERO
from execution.types import FINAL, Leg, OrderState, Side
from signals.constraints import known_values
from signals.dialect import for_update
from signals.models import Signal
from signals.rows import Immutable, select

CHANGING = frozenset(
    {"state", "filled", "average_price", "broker_id", "reason", "submitted_at", "updated_at",
     "claim", "due_at"}
)  # fmt: skip
"""What tells how an order stands; all else says what was ordered, and stays."""


_DONE = ", ".join(f"'{state}'" for state in sorted(state.value for state in FINAL))
MAY_FILL = RawSQL(f"NOT (orders.state IN ({_DONE}))", [], output_field=BooleanField())  # noqa: S611
"""The states stand in the text, not in parameters: only so the partial index `orders_open` serves,
without which what may still fill would be looked for among all that was ever ordered."""
_MAY_FILL = f"""
SELECT * FROM orders WHERE NOT (state IN ({_DONE})) AND account || '' = %s ORDER BY id + 0
"""  # noqa: S608
_OF_SIGNAL = "SELECT * FROM orders WHERE signal_id = %s ORDER BY id"
_ENTRIES_SINCE = "SELECT * FROM orders WHERE account = %s AND leg = 'entry' AND created_at > %s"
_OF_BROKER = "SELECT * FROM orders WHERE account || '' = %s AND broker_id IN ({})"
_FILLS_OF_SIGNAL = """
SELECT fills.* FROM fills JOIN orders ON orders.id = fills.order_id
WHERE orders.signal_id = %s AND fills.refused = '' ORDER BY fills.time, fills.id
"""


class OrderQuerySet(models.QuerySet["Order"]):
    """Changes the state of orders, and nothing else.

    What is asked at every step is in plain SQL: Django takes several times as long to write such a
    statement as the database to answer it, and a replay asks thousands of times. Where account or
    key are compared by what is made of them, SQLite would take an index that has them, and walk all
    the account's orders.
    """

    def may_fill(self, account: str) -> "list[Order]":
        """The account's that may still fill, oldest first; as cheap however many there were."""
        return select(Order, _MAY_FILL, [account])

    def of_signal(self, signal_pk: int, *, locked: bool = False) -> "list[Order]":
        """All that was ordered for a signal, oldest first.

        `locked`: nobody else's until the caller's transaction ends.
        """
        return select(Order, _OF_SIGNAL + (for_update() if locked else ""), [signal_pk])

    def entries_since(self, account: str, at: datetime) -> "list[Order]":
        """The account's entries that were made after this."""
        moment = connection.ops.adapt_datetimefield_value(at)
        return select(Order, _ENTRIES_SINCE, [account, moment])

    def of_broker(self, account: str, broker_ids: Collection[str]) -> "list[Order]":
        """The account's that the broker gave these ids."""
        if not broker_ids:
            return []
        slots = ", ".join(["%s"] * len(broker_ids))
        return select(Order, _OF_BROKER.format(slots), [account, *broker_ids])

    def update(self, **kwargs: Any) -> int:  # noqa: ANN401
        if fixed := kwargs.keys() - CHANGING:
            raise Immutable(f"What was ordered stays as it is: {', '.join(sorted(fixed))}.")
        return super().update(**kwargs)

    def delete(self) -> NoReturn:
        raise Immutable("Orders are not deleted.")


class Order(models.Model):
    """One leg of a signal's trade. There is never another of the same signal, leg and number.

    `number` counts the attempts to close, each after the one before it came to nothing. A bracket
    is three rows: the entry, and the stop and the target, whose `parent` it is. `level` is the
    price of those two, and of an entry the price at which it was decided on. `due_at` is when to
    look at the broker for it; of one that a worker has, when the lease ends.
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
    average_price = ExactDecimal(null=True, help_text="Of what was filled")
    reason = models.TextField(
        db_default=Value(""), help_text="Why it is denied, rejected, canceled, unknown"
    )
    claim = models.TextField(db_default=Value(""), help_text="Which worker is at it")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    may_change: ClassVar = CHANGING
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
            # execution.positions.fills: by the id that the broker's fills name
            models.Index(fields=["broker_id"], name="orders_broker_id"),
            # execution.accounts.portfolio: the latest orders of an account
            models.Index(fields=["account", "created_at"], name="orders_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.leg} {self.side} {self.quantity} {self.symbol}: {self.state}"

    @property
    def awaited(self) -> Decimal:
        """What may still be filled of it, until it is final."""
        return self.quantity - self.filled

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if not self._state.adding:
            raise Immutable("An order's state changes by execution.orders.states.move.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise Immutable("Orders are not deleted.")


class FillQuerySet(models.QuerySet["Fill"]):
    """Reads."""

    def counted_of(self, signal_pk: int) -> "list[Fill]":
        """Those of the signal's orders that count, in the order of their times."""
        return select(Fill, _FILLS_OF_SIGNAL, [signal_pk])

    def update(self, **kwargs: object) -> NoReturn:
        raise Immutable("Fills do not change.")

    def delete(self) -> NoReturn:
        raise Immutable("Fills are not deleted.")


class Fill(models.Model):
    """What the broker bought or sold for one order, once, however often it told us.

    One that is more than was ordered is kept with why it is `refused`; it counts for nothing.
    """

    account = models.TextField()
    fill_id = models.TextField(help_text="The broker's")
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
            # execution.positions.fills: when the newest was
            models.Index(fields=["account", "time"], name="fills_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} at {self.price}"

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if not self._state.adding:
            raise Immutable("Fills do not change.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise Immutable("Fills are not deleted.")
