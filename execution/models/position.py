"""What was traded, and what would have come of what was not."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q, Value

from execution.fields import ZERO, ExactDecimal
from signals.models import Signal


class Position(models.Model):
    """What one signal's entry bought or sold, until it is all closed again.

    `mae` and `mfe` are the maximum adverse and favorable excursion: how far the price went against
    and for the position while it was open, in percent of its entry (Sweeney, "Campaign Trading",
    1996). `profit` is in the account's currency, fees taken off: of what has a price, which a part
    that a person settled by the broker's word has only once its fills are told.
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
    quantity = ExactDecimal(help_text="Of all that the entry filled")
    closed_quantity = ExactDecimal(default=ZERO)
    settled_quantity = ExactDecimal(default=ZERO, help_text="Of it: gone when it was settled")
    settled_at = models.DateTimeField(null=True)
    entry_price = ExactDecimal(help_text="The average of the entry's fills")
    exit_price = ExactDecimal(null=True, help_text="The average of the exits' fills")
    stop = ExactDecimal()
    target = ExactDecimal()
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closing_for = models.TextField(db_default=Value(""), help_text="Why it is to be closed now")
    closed_at = models.DateTimeField(null=True)
    exit_reason = models.TextField(db_default=Value(""))
    fees = ExactDecimal(default=ZERO)
    profit = ExactDecimal(null=True)
    measure_at = models.DateTimeField(null=True, help_text="When to look for mae and mfe again")
    mae = models.FloatField(null=True)
    mfe = models.FloatField(null=True)

    class Meta:
        db_table = "positions"
        indexes: ClassVar = [
            # execution.portfolio, execution.monitor, execution.reconciling
            models.Index(fields=["account"], condition=Q(status="open"), name="positions_open"),
            # execution.portfolio: the last trades
            models.Index(
                fields=["account", "closed_at"],
                condition=Q(status="closed"),
                name="positions_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.symbol}: {self.status}"

    @property
    def duration(self) -> timedelta | None:
        """How long it was open; None while it is."""
        return self.closed_at - self.opened_at if self.closed_at else None


class Counterfactual(models.Model):
    """What would have come of a signal that was not traded, by the bars that followed.

    Entered at the signal's own price, without costs. `profit_loss_pct` is by the seed's formula.
    """

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="counterfactual"
    )
    entered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When to look next")
    outcome = models.TextField(null=True)
    exit_price = models.FloatField(null=True)
    exit_reason = models.TextField(db_default=Value(""))
    ended_at = models.DateTimeField(null=True)
    profit_loss_pct = models.FloatField(null=True)

    class Meta:
        db_table = "counterfactuals"
        indexes: ClassVar = [
            # execution.counterfactuals.follow
            models.Index(fields=["due_at"], condition=Q(outcome=None), name="counterfactuals_open"),
        ]

    def __str__(self) -> str:
        return f"{self.signal}: {self.outcome or 'open'}"
