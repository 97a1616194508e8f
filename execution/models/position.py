"""Positions: what was traded for a signal."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, NamedTuple

from django.db import connection, models
from django.db.models import BooleanField, Q, Value
from django.db.models.expressions import RawSQL

from execution.fields import ExactDecimal
from execution.models.action import CorporateAction
from execution.money import ZERO
from execution.types import Side
from signals.constraints import known_values
from signals.models import Signal
from signals.rows import select, select_one, select_values

_OPEN = "SELECT * FROM positions WHERE account = %s AND status = 'open' ORDER BY id"
_HELD = """
SELECT id, symbol, side, quantity, closed_quantity, entry_price FROM positions
WHERE account = %s AND status = 'open' ORDER BY id
"""
_LATEST_CLOSED = """
SELECT * FROM positions WHERE account = %s AND status = 'closed' AND profit IS NOT NULL
ORDER BY closed_at DESC, id DESC LIMIT %s
"""
_CLOSED_SINCE = """
SELECT * FROM positions WHERE account = %s AND status = 'closed' AND closed_at >= %s
"""
_OF_SIGNAL = "SELECT * FROM positions WHERE id = %s"


class HeldPosition(NamedTuple):
    """The part of an open position that is still held."""

    signal_pk: int
    symbol: str
    side: Side
    left: Decimal
    entry_price: Decimal


class PositionQuerySet(models.QuerySet["Position"]):
    """The queries of every step are plain SQL, as for orders."""

    def open_on(self, account: str) -> "list[Position]":
        """Return the account's open positions, oldest first."""
        return select(Position, _OPEN, [account])

    def held_on(self, account: str) -> list[HeldPosition]:
        """Return what the account's open positions still hold, oldest first."""
        return [
            HeldPosition(pk, symbol, Side(side), quantity - closed, entry_price)
            for pk, symbol, side, quantity, closed, entry_price in select_values(
                Position, _HELD, [account]
            )
        ]

    def of_signal(self, signal_pk: int) -> "Position | None":
        """Return the signal's position; None if nothing was filled."""
        return select_one(Position, _OF_SIGNAL, [signal_pk])

    def closed_since(self, account: str, at: datetime) -> "list[Position]":
        """Return the account's positions that closed at `at` or later."""
        return select(
            Position, _CLOSED_SINCE, [account, connection.ops.adapt_datetimefield_value(at)]
        )

    def latest_closed(self, account: str, count: int) -> "list[Position]":
        """Return the account's positions that closed last, the latest first.

        A settled position without a known profit is left out.
        """
        return select(Position, _LATEST_CLOSED, [account, count])


class Position(models.Model):
    """The quantity that a signal's entry bought or sold, until all of it is closed again.

    `mae` and `mfe` are the maximum adverse and favorable excursion: how far the price moved against
    and for the position while it was open, in percent of its entry (Sweeney, "Campaign Trading",
    1996). `profit` is in the account's currency, after fees. It counts only what has a price: a
    part that a person settled by the broker's figures counts when its fills are reported.
    """

    class Status(models.TextChoices):
        OPEN = "open", "open"
        CLOSED = "closed", "closed"

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="position"
    )
    account = models.TextField()
    status = models.TextField(choices=Status.choices, db_default=Value(Status.OPEN.value))
    symbol = models.TextField()
    side = models.TextField()
    quantity = ExactDecimal(help_text="The total quantity that the entry filled")
    closed_quantity = ExactDecimal(default=ZERO)
    settled_quantity = ExactDecimal(default=ZERO, help_text="The part that a person settled")
    settled_at = models.DateTimeField(null=True)
    entry_price = ExactDecimal(help_text="The average price of the entry's fills")
    exit_price = ExactDecimal(null=True, help_text="The average price of the exits' fills")
    stop = ExactDecimal()
    target = ExactDecimal()
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closing_for = models.TextField(db_default=Value(""), help_text="Why it must be closed now")
    closed_at = models.DateTimeField(null=True)
    exit_reason = models.TextField(db_default=Value(""))
    fees = ExactDecimal(default=ZERO)
    profit = ExactDecimal(null=True)
    measure_at = models.DateTimeField(null=True, help_text="When to measure mae and mfe again")
    mae = models.FloatField(null=True)
    mfe = models.FloatField(null=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        db_table = "positions"
        constraints: ClassVar = [known_values("positions", status=["open", "closed"], side=Side)]
        indexes: ClassVar = [
            # execution.accounts.portfolio, execution.monitoring.monitor and .reconcile
            models.Index(fields=["account"], condition=Q(status="open"), name="positions_open"),
            # execution.accounts.portfolio: the last trades
            models.Index(
                fields=["account", "closed_at"],
                condition=Q(status="closed"),
                name="positions_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.symbol}: {self.status}"

    @property
    def left(self) -> Decimal:
        """Return the quantity that is still held."""
        return self.quantity - self.closed_quantity

    @property
    def duration(self) -> timedelta | None:
        """Return how long it was open; None while it is open."""
        return self.closed_at - self.opened_at if self.closed_at else None


OPEN_POSITIONS = RawSQL("positions.status = 'open'", [], output_field=BooleanField())
"""Select by the partial index `positions_open`. The state is a literal, not a parameter: only then
is the index used; without it, every position ever opened would be read."""


class PositionChange(models.Model):
    """What a corporate action did to a position: one row, which never changes.

    Fills before it count `new` shares for `old` ones, at the same total price. `cash` is what the
    position received, or paid if it was sold short.
    """

    position = models.ForeignKey(Position, models.PROTECT, related_name="changes")
    action = models.ForeignKey(CorporateAction, models.PROTECT, related_name="changes")
    text = models.TextField(help_text="What was done")
    cash = ExactDecimal(default=ZERO)
    made_at = models.DateTimeField()

    may_change: ClassVar = frozenset[str]()

    class Meta:
        db_table = "position_changes"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["position", "action"], name="position_changes_once")
        ]

    def __str__(self) -> str:
        return self.text
