"""Signals, with the seed's columns exactly, their contexts, and the changes of their outcomes."""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Value
from django.db.models.functions import Now

from signals.models.journal import JournalCursor
from signals.rows import Immutable

CHANGEABLE = ("outcome", "exit_price", "profit_loss_pct", "order_id")
"""The columns of a signal that change: `signals.ledger.outcomes` records how it ended."""


class AppendOnly(Immutable):
    """Signals are never edited or deleted; `signals.ledger.outcomes` records their outcomes."""


class SignalQuerySet(models.QuerySet["Signal"]):
    """Reads signals; raises AppendOnly for every call that would change them."""

    def update(self, **kwargs: Any) -> NoReturn:  # noqa: ANN401
        raise AppendOnly("Signals are not edited. Record an outcome with signals.ledger.outcomes.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Signals are not deleted.")

    def bulk_create(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Signals are stored through SignalTracker.")


class Signal(models.Model):
    """A trading signal: the seed's columns, in the seed's order and types.

    `timestamp` and `created_at` are texts in UTC. Only the flush inserts rows.
    """

    id = models.AutoField(primary_key=True)
    signal_id = models.TextField(unique=True)
    symbol = models.TextField()
    action = models.TextField()
    entry_price = models.FloatField()
    target_price = models.FloatField()
    stop_price = models.FloatField()
    confidence = models.FloatField()
    strategy = models.TextField()
    asset_type = models.TextField()
    data_source = models.TextField(null=True, db_default=Value("weighted_consensus"))
    timestamp = models.TextField()
    outcome = models.TextField(null=True, db_default=Value(None))
    exit_price = models.FloatField(null=True, db_default=Value(None))
    profit_loss_pct = models.FloatField(null=True, db_default=Value(None))
    sha256 = models.TextField()
    order_id = models.TextField(null=True, db_default=Value(None))
    created_at = models.TextField(null=True, db_default=Now())

    may_change: ClassVar = frozenset(CHANGEABLE)
    insert_refused: ClassVar = "Signals are stored through SignalTracker."
    objects = SignalQuerySet.as_manager()

    class Meta:
        db_table = "signals"
        indexes: ClassVar = [
            # signals.ledger.queries.page: newest first and time ranges, for all symbols or one.
            # Every other filter scans one of these indexes.
            models.Index(fields=["timestamp", "id"], name="signals_time"),
            models.Index(fields=["symbol", "timestamp", "id"], name="signals_symbol_time"),
            # signals.ledger.by_confidence: highest and lowest first
            models.Index(fields=["confidence", "id"], name="signals_confidence"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.symbol} {self.timestamp} ({self.signal_id})"

    def save(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Signals are stored through SignalTracker, never saved.")

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise AppendOnly("Signals are not deleted.")


class SignalContext(models.Model):
    """The fields that the seed's table has no column for, one to one with a signal."""

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="context"
    )
    # The flush sets it to the cursor that it moves in the same transaction. A check of each row
    # would cost a fifth of what the server does for it.
    journal = models.ForeignKey(JournalCursor, models.PROTECT, db_index=False, db_constraint=False)
    segment = models.IntegerField(help_text="The journal segment that contains its line")
    byte = models.BigIntegerField(help_text="The byte in the segment where its line begins")
    origin = models.TextField()
    received_at = models.TextField()
    stored_at = models.TextField(
        null=True, help_text="When the row was inserted, by the wall clock; empty after a rebuild"
    )
    regime = models.TextField(null=True)
    reasoning = models.TextField(null=True)
    sources = models.IntegerField(null=True)
    agreement = models.FloatField(null=True)
    votes = models.JSONField(null=True)
    symbol_as_sent = models.TextField(
        null=True, help_text="The symbol as the sender spelled it, if that was not in capitals"
    )
    raw_confidence = models.FloatField(
        null=True, help_text="The confidence before its calibration, if it was calibrated"
    )
    calibration_version = models.IntegerField(
        null=True, help_text="The calibration that made the confidence of the raw one"
    )
    extra = models.JSONField(null=True, help_text="Fields that have no column")

    class Meta:
        db_table = "signal_contexts"

    def __str__(self) -> str:
        return f"{self.origin} {self.received_at}"


class OutcomeChange(models.Model):
    """One change of a signal's outcome, exit price, profit or loss, or order: who, when, why."""

    change_id = models.TextField(unique=True)
    signal = models.ForeignKey(Signal, models.PROTECT, related_name="changes")
    journal = models.ForeignKey(JournalCursor, models.PROTECT, db_index=False)
    who = models.TextField()
    at = models.TextField(help_text="UTC")
    why = models.TextField()
    before = models.JSONField()
    after = models.JSONField()

    may_change: ClassVar = frozenset[str]()

    class Meta:
        db_table = "outcome_changes"

    def __str__(self) -> str:
        return f"{self.who} at {self.at}: {self.before} -> {self.after}"
