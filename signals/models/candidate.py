"""What the consensus proposed."""

from typing import ClassVar

from django.db import models

from signals.constraints import known_values


class CandidateRecord(models.Model):
    """A proposal of the consensus on one bar: it became a signal, or was rejected with reasons.

    One row for each strategy, symbol, side, bar and set of reasons: another look at the same bar
    adds no row.
    """

    candidate_id = models.TextField(unique=True)
    symbol = models.TextField()
    asset_type = models.TextField()
    strategy = models.TextField()
    action = models.TextField()
    bar_time = models.TextField(help_text="When the last bar that the sources saw closed, in UTC")
    made_at = models.TextField(help_text="UTC")
    entry_price = models.FloatField()
    target_price = models.FloatField()
    stop_price = models.FloatField()
    confidence = models.FloatField()
    raw_confidence = models.FloatField(
        null=True, help_text="The confidence before its calibration, if it was calibrated"
    )
    calibration_version = models.IntegerField(null=True)
    agreement = models.FloatField()
    regime = models.TextField()
    reasoning = models.TextField()
    votes = models.JSONField()
    rejected_for = models.TextField(help_text="The codes of the reasons; empty if it passed")
    reasons = models.JSONField()
    signal_id = models.TextField(null=True, help_text="The id of the signal that it became")
    kept_at = models.DateTimeField(help_text="By the wall clock")

    class Meta:
        db_table = "candidates"
        verbose_name = "candidate"
        constraints: ClassVar = [known_values("candidates", action=["BUY", "SELL"])]
        indexes: ClassVar = [
            # signals.generation.candidates.interrupted: passed but not logged; nearly always empty.
            models.Index(
                fields=["kept_at"],
                name="candidates_interrupted",
                condition=models.Q(rejected_for="", signal_id=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.symbol} {self.bar_time}"
