"""The account that is traded on, its equity curve, its halts, and the failures of its tasks."""

from typing import ClassVar

from django.db import models
from django.db.models import Q, Value

from execution.fields import ExactDecimal


class TradingAccount(models.Model):
    """An account at a broker, as Argo knows it.

    Its row is locked while a decision is made on it. `start_equity` and `start_balance` are what
    the broker reported when Argo first saw the account; `peak_equity` is the highest equity so far.
    """

    name = models.TextField(unique=True)
    start_equity = ExactDecimal()
    start_balance = ExactDecimal()
    peak_equity = ExactDecimal()
    opened_at = models.DateTimeField()
    reconciled_at = models.DateTimeField(
        null=True, help_text="When it last matched the broker's records"
    )

    class Meta:
        db_table = "trading_accounts"

    def __str__(self) -> str:
        return self.name


class Failure(models.Model):
    """The last error of an execution task; deleted when the task succeeds again."""

    account = models.TextField()
    task = models.TextField()
    error = models.TextField()
    failed_at = models.DateTimeField()

    class Meta:
        db_table = "execution_failures"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "task"], name="execution_failures_once")
        ]

    def __str__(self) -> str:
        return f"{self.task} failed: {self.error}"


class Halt(models.Model):
    """A latched stop of all new trades on an account; only a person lifts it."""

    account = models.TextField()
    code = models.TextField()
    reason = models.TextField()
    figures = models.JSONField(default=dict)
    latched_at = models.DateTimeField()
    latched_by = models.TextField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.TextField(db_default=Value(""))
    lifted_why = models.TextField(db_default=Value(""))

    class Meta:
        db_table = "halts"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "code"], condition=Q(lifted_at=None), name="halts_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.code}{'' if self.lifted_at is None else ', lifted'}"


class EquityDay(models.Model):
    """An account's equity and balance on one of its trading days."""

    account = models.TextField()
    day = models.DateField()
    first_equity = ExactDecimal()
    first_balance = ExactDecimal()
    highest_equity = ExactDecimal()
    highest_balance = ExactDecimal()
    lowest_equity = ExactDecimal()
    last_equity = ExactDecimal()
    last_balance = ExactDecimal()
    trades = models.IntegerField(default=0, help_text="Number of positions opened")
    marked_at = models.DateTimeField()

    class Meta:
        db_table = "equity_days"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "day"], name="equity_days_once")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: {self.last_equity}"
