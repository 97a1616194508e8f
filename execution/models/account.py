"""The account that is traded on, its equity curve, its halts, and the failures of its tasks."""

from datetime import datetime
from typing import ClassVar, NoReturn

from django.db import connection, models
from django.db.models import Q, Value

from execution.fields import ExactDecimal
from execution.money import ZERO
from signals.constraints import known_values
from signals.rows import Immutable

_NEWEST = "SELECT max(id) FROM account_changes WHERE account = %s"


class TradingAccount(models.Model):
    """An account at a broker, as Argo knows it, and the base that its limits are counted from.

    Its row is locked while a decision is made on it. `start_equity` and `start_balance` are the
    base: what the broker reported when Argo first saw the account, or what a person stated.
    `peak_equity` is the highest equity since. A transfer moves all three. Days before
    `counted_from` belong to an earlier stage; `days_done` are days of this stage that were traded
    before Argo saw it.
    """

    class Base(models.TextChoices):
        FIRST_BALANCE = "first_balance", "its first balance"  # before Argo asked for a statement
        FIRST_SEEN = "first_seen", "its balance when Argo first saw it"
        STATED = "stated", "stated by a person or a setting"
        STAGE = "stage", "the beginning of a stage"
        RESTART = "restart", "a restart of the count"

    name = models.TextField(unique=True)
    broker_id = models.TextField(
        db_default=Value(""), help_text="The broker's own id of the account; empty until it is read"
    )
    start_equity = ExactDecimal()
    start_balance = ExactDecimal()
    peak_equity = ExactDecimal()
    opened_at = models.DateTimeField()
    base = models.TextField(
        choices=Base.choices, db_default=Value(Base.FIRST_BALANCE.value),
        help_text="Where the starting balance comes from",
    )  # fmt: skip
    base_at = models.DateTimeField(null=True, help_text="Since when it counts")
    peak_at = models.DateTimeField(null=True, help_text="When the highest equity was reached")
    counted_from = models.DateField(null=True, help_text="The first trading day that counts")
    days_done = models.IntegerField(
        db_default=Value(0), help_text="Days of the stage that were done before Argo saw it"
    )
    moves_read_at = models.DateTimeField(
        null=True, help_text="When the broker's deposits and withdrawals were first read"
    )
    reconciled_at = models.DateTimeField(
        null=True, help_text="When it last matched the broker's records"
    )

    class Meta:
        db_table = "trading_accounts"
        constraints: ClassVar = [
            known_values(
                "trading_accounts",
                base=["first_balance", "first_seen", "stated", "stage", "restart"],
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def counts_since(self) -> datetime:
        """Return since when the starting balance counts."""
        return self.base_at or self.opened_at


class AccountChangeQuerySet(models.QuerySet["AccountChange"]):
    """Reads the changes of an account; they never change."""

    def newest(self, account: str) -> int | None:
        """Return the primary key of the account's newest change; None if it has none."""
        with connection.cursor() as cursor:
            cursor.execute(_NEWEST, [account])
            found: int | None = cursor.fetchone()[0]
        return found

    def update(self, **kwargs: object) -> NoReturn:
        raise Immutable("Changes of an account cannot change.")

    def delete(self) -> NoReturn:
        raise Immutable("Changes of an account cannot be deleted.")


class AccountChange(models.Model):
    """A change of the base that an account's limits are counted from: why, by whom, and by how
    much.

    `moved` is how much starting balance, peak and day were moved: 0 for income and fees, which are
    profit and loss, and for a transfer that was part of the first balance. `broker_ref` is the
    broker's id of a movement of money. `before` and `after` are the figures of the account.
    """

    class Kind(models.TextChoices):
        TRANSFER = "transfer", "transfer"
        INCOME = "income", "income"  # a dividend or interest
        FEE = "fee", "fee"
        STARTING_BALANCE = "starting_balance", "starting balance"
        STAGE = "stage", "stage"
        RESTART = "restart", "restart"

    account = models.TextField()
    kind = models.TextField(choices=Kind.choices)
    amount = ExactDecimal(help_text="The money that came in, or the new starting balance")
    moved = ExactDecimal(default=ZERO)
    at = models.DateTimeField(help_text="When it happened")
    made_at = models.DateTimeField(help_text="When Argo stored it")
    by = models.TextField()
    why = models.TextField()
    broker_ref = models.TextField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    may_change: ClassVar = frozenset[str]()
    objects = AccountChangeQuerySet.as_manager()

    class Meta:
        db_table = "account_changes"
        constraints: ClassVar = [
            known_values(
                "account_changes",
                kind=["transfer", "income", "fee", "starting_balance", "stage", "restart"],
            ),
            models.UniqueConstraint(fields=["account", "broker_ref"], name="account_changes_once"),
        ]
        indexes: ClassVar = [
            # execution.accounts.money: the newest change of an account
            models.Index(fields=["account", "id"], name="account_changes_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.kind} of {self.amount}"


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
    transferred = ExactDecimal(
        default=ZERO, db_default=Value("0"),
        help_text="Deposits minus withdrawals of the day; all figures are as if made before it",
    )  # fmt: skip
    began_at = models.DateTimeField(null=True, help_text="The time of its first mark")
    marked_at = models.DateTimeField()

    class Meta:
        db_table = "equity_days"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "day"], name="equity_days_once")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: {self.last_equity}"


UNSTATED = (TradingAccount.Base.FIRST_BALANCE, TradingAccount.Base.FIRST_SEEN)
"""The bases that nobody has stated or confirmed."""
