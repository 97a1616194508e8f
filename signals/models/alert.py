"""Senders of alerts, and what became of each alert."""

from typing import ClassVar

from django.db import models
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from signals.constraints import known_values


class Sender(models.Model):
    """Somebody who sends alerts to a hook. Only the SHA-256 of its token is stored."""

    name = models.TextField(unique=True)
    token_sha256 = models.TextField(unique=True)
    preset = models.TextField(help_text="The mapping that its own one adds to")
    mapping = models.JSONField(
        default=dict, blank=True, help_text="What differs from the preset, as the manual describes"
    )
    symbols = models.JSONField(
        default=dict, blank=True, help_text='Its symbols in your spelling: {"GOLD": "XAUUSD"}'
    )
    confidence = models.FloatField(
        default=75.0, help_text="0 to 100: of a signal whose alert brings no confidence"
    )
    dedup_window = models.FloatField(
        default=60.0,
        help_text="Seconds in which the same body is the same alert, if it has no time of a bar, "
        "no id and no order id",
    )
    max_lag = models.FloatField(
        null=True, blank=True, help_text="Seconds: an older alert is refused; empty: never"
    )
    expected_every = models.FloatField(
        null=True, blank=True, help_text="Seconds: silence for longer is a problem; empty: never"
    )
    in_market_hours = models.BooleanField(
        default=False, help_text="Count that time only while MARKET_EXCHANGE is open"
    )
    needs_certificate = models.BooleanField(
        default=False,
        help_text="Require TradingView's client certificate, as a trusted proxy reports it",
    )
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True, help_text="When its last alert came")
    late_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "senders"

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One alert: a signal, an exit, or one that could not be read.

    The body of an alert that became a signal is in the signal's journal line; that of any other
    one is here, and in `data/alerts.log`.
    """

    class Status(models.TextChoices):
        SIGNAL = "signal", "signal"  # the signal `signal_id` is its own
        WAITING = "waiting", "waiting"  # an exit, or one that needs the market: a task takes it
        DONE = "done", "done"  # an exit that was carried out; `result` says how
        UNREAD = "unread", "unread"  # `faults` says why; it can be read again
        RESOLVED = "resolved", "resolved"  # a person has closed it
        ENDED = "ended", "ended"  # a signal that is known to have an outcome

    alert_id = models.TextField(unique=True, help_text="The same for the same alert")
    sender = models.ForeignKey(Sender, models.PROTECT, related_name="alerts", db_index=False)
    received_at = models.DateTimeField()
    status = models.TextField(choices=Status.choices)
    symbol = models.TextField(help_text="The instrument's name in Argo; empty if it is not known")
    side = models.TextField(help_text="Of a signal; of an exit, the side that it ends")
    price = models.FloatField(null=True)
    signal_id = models.TextField(help_text="Empty if it is no signal")
    result = models.TextField()
    faults = models.JSONField(default=list)
    due_at = models.DateTimeField(null=True, help_text="When a waiting one is tried next")
    body = models.TextField(help_text="Without its secrets; bytes that are no text in base64")
    is_base64 = models.BooleanField(default=False)
    content_type = models.TextField()
    claim = models.TextField(
        default="", help_text="A waiting one is claimed by this first; see `signals.alerts.claims`"
    )

    class Meta:
        db_table = "alerts"
        constraints: ClassVar = [
            known_values(
                "alerts",
                status=["signal", "waiting", "done", "unread", "resolved", "ended"],
                side=["", "BUY", "SELL"],
            )
        ]
        indexes: ClassVar = [
            # signals.api.alerts and signals.admin.alerts: the alerts of one sender
            models.Index(fields=["sender", "id"], name="alerts_sender"),
            # signals.alerts.exits.open_signals
            models.Index(
                fields=["sender", "symbol"], condition=Q(status="signal"), name="alerts_open"
            ),
            # signals.alerts.waiting.due
            models.Index(fields=["due_at"], condition=Q(status="waiting"), name="alerts_waiting"),
            # signals.alerts.problems, and the page of what runs
            models.Index(fields=["sender"], condition=Q(status="unread"), name="alerts_unread"),
            # signals.alerts.rows: the alert of a signal
            models.Index(fields=["signal_id"], name="alerts_signal"),
        ]

    def __str__(self) -> str:
        return f"{self.status}: {self.sender} at {self.received_at}"


UNREAD_ALERTS = RawSQL("alerts.status = 'unread'", [], output_field=BooleanField())
"""Select by the partial index `alerts_unread`. The status is a literal, not a parameter: only then
is the index used; without it, every alert ever taken would be read."""
WAITING_ALERTS = RawSQL("alerts.status = 'waiting'", [], output_field=BooleanField())
"""Select by the partial index `alerts_waiting`, for the same reason."""


class AlertClaim(models.Model):
    """The alert that a text means now, of a sender whose alerts have no mark of their own."""

    key = models.CharField(primary_key=True, max_length=64)
    alert_id = models.TextField()
    at = models.DateTimeField(db_index=True, help_text="When that alert came")

    class Meta:
        db_table = "alert_claims"

    def __str__(self) -> str:
        return f"{self.key} is {self.alert_id}, since {self.at}"


class AlertCursor(models.Model):
    """How far the alerts of one machine's `data/alerts.log` are in the table."""

    journal = models.TextField(unique=True, help_text="The identity of the file, from alerts.id")
    segment = models.BigIntegerField(default=1)
    byte = models.BigIntegerField(default=0)
    fingerprint = models.TextField(default="")

    class Meta:
        db_table = "alert_cursors"

    def __str__(self) -> str:
        return f"{self.journal} at {self.segment}:{self.byte}"
