"""The outcome that a signal would have had if it had been traded."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import connection, models
from django.db.models import Q, Value

from signals.constraints import known_values
from signals.ledger.outcomes import OUTCOMES
from signals.models import Signal
from signals.timestamps import parse_utc

_INSERT = (
    "INSERT INTO counterfactuals (id, entered_at, expires_at, due_at) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (id) DO NOTHING"
)


NO_PRICES = "no_prices"
"""The `exit_reason` of a signal whose outcome nobody will know: it has no bars."""


class CounterfactualQuerySet(models.QuerySet["Counterfactual"]):
    """Begins and ends the following of signals, inside the caller's transaction."""

    def begin(self, signals: Iterable[Signal], expiry: timedelta, now: datetime) -> None:
        """Follow these signals, each from its own time on; one that is followed already stays as
        it is."""
        adapt = connection.ops.adapt_datetimefield_value
        spans = [(signal.pk, *span) for signal in signals if (span := _span(signal, expiry))]
        rows = [(pk, adapt(entered_at), adapt(end), adapt(now)) for pk, entered_at, end in spans]
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, rows)

    def forget(self, signal_pk: int) -> None:
        """Stop following a signal, because it is traded."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM counterfactuals WHERE id = %s", [signal_pk])


def _span(signal: Signal, expiry: timedelta) -> tuple[datetime, datetime] | None:
    """Return the first and the last moment to follow.

    None for an imported signal without an offset, because no bar is surely after it, and for a
    signal whose end is beyond the calendar.
    """
    try:
        entered_at = parse_utc(signal.timestamp)
        return entered_at, entered_at + expiry
    except (ValueError, OverflowError):
        return None


class Counterfactual(models.Model):
    """The outcome that a signal would have had if it had been traded, by the bars that followed.

    It is entered at the signal's own price, without costs. `profit_loss_pct` follows the formula of
    `signals.ledger.outcomes.profit_loss_pct`.
    """

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="counterfactual"
    )
    entered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True,
        help_text="When to look next; NULL if it has no prices",
    )
    outcome = models.TextField(null=True)
    exit_price = models.FloatField(null=True)
    exit_reason = models.TextField(db_default=Value(""))
    ended_at = models.DateTimeField(null=True)
    profit_loss_pct = models.FloatField(null=True)

    objects = CounterfactualQuerySet.as_manager()

    class Meta:
        db_table = "counterfactuals"
        constraints: ClassVar = [known_values("counterfactuals", outcome=OUTCOMES)]
        indexes: ClassVar = [
            # execution.monitoring.counterfactuals.follow
            models.Index(fields=["due_at"], condition=Q(outcome=None), name="counterfactuals_open"),
        ]

    def __str__(self) -> str:
        return f"{self.signal}: {self.outcome or 'open'}"
