"""Sums of signals, and how far they reach."""

from typing import ClassVar

from django.db import models


class SignalSum(models.Model):
    """How many signals of one value there are in one period, by outcome; and their profit or loss.

    `signals.ledger.sums` makes these rows from `signals`, and can always make them again.
    """

    dimension = models.TextField(help_text="all, symbol, strategy, ..., or symbol,strategy")
    grain = models.TextField(help_text="The length of the period: day, month or all")
    period = models.TextField(help_text="2025-01-15, 2025-01, or empty for all time")
    value = models.TextField(help_text="A value of the dimension; empty for all signals")
    other = models.TextField(help_text="The second value, if the dimension is a pair")
    outcome = models.TextField(help_text="open if there is none")
    n = models.BigIntegerField(help_text="How many signals")
    measured = models.BigIntegerField(help_text="How many of them have a profit or loss")
    profit_loss = models.BigIntegerField(help_text="Its sum, in 1/100,000 percent")

    class Meta:
        db_table = "signal_sums"
        constraints: ClassVar = [
            # signals.ledger.sums.from_sums: all values in a range of periods
            models.UniqueConstraint(
                fields=["dimension", "grain", "period", "value", "other", "outcome"],
                name="signal_sums_once",
            )
        ]
        indexes: ClassVar = [
            # signals.ledger.sums.from_sums: one value in a range of periods
            models.Index(
                fields=["dimension", "grain", "value", "period"], name="signal_sums_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.value} {self.period} {self.outcome}: {self.n}"


class SumCursor(models.Model):
    """How far the signals are summed: one row, which moves in the transaction that sums them."""

    signal = models.BigIntegerField(default=0, help_text="The last signal that is summed")
    change = models.BigIntegerField(default=0, help_text="The last outcome change that is summed")

    class Meta:
        db_table = "signal_sum_cursors"

    def __str__(self) -> str:
        return f"up to signal {self.signal} and outcome change {self.change}"
