"""The trials: what was replayed or backtested, and how well it did."""

from typing import ClassVar

from django.db import models

from signals.constraints import known_values


class Trial(models.Model):
    """A recipe with its parameters that was tried on some data; a repeat adds no row.

    Who tries many and keeps the best is likely to keep a lucky one: the deflated Sharpe ratio of a
    report takes away what so many trials would give by luck.
    """

    class Kind(models.TextChoices):
        REPLAY = "replay", "replay"
        BACKTEST = "backtest", "backtest"

    kind = models.TextField(choices=Kind.choices)
    parameters = models.JSONField()
    parameters_sha256 = models.TextField()
    data_sha256 = models.TextField(help_text="Of the bars, and of the signals of a backtest")
    symbols = models.JSONField(help_text="The instruments whose bars were used")
    first_bar = models.DateTimeField(help_text="The first moment of the data that was traded on")
    last_bar = models.DateTimeField(help_text="The last one")
    version = models.TextField(help_text="The version of Argo")
    tried_at = models.DateTimeField(help_text="By the wall clock, the first time")
    trades = models.BigIntegerField(help_text="Trades that have ended")
    sharpe = models.FloatField(
        null=True, help_text="The daily Sharpe ratio of the trades' results, not annualised"
    )

    class Meta:
        db_table = "trials"
        constraints: ClassVar = [
            known_values("trials", kind=["replay", "backtest"]),
            models.UniqueConstraint(
                fields=["kind", "parameters_sha256", "data_sha256"], name="trials_once"
            ),
        ]
        indexes: ClassVar = [
            # signals.backtests.trials.trials_on: those whose time overlaps a report's
            models.Index(fields=["last_bar"], name="trials_last_bar"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.parameters_sha256[:12]} on {self.data_sha256[:12]}"
