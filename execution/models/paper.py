"""The paper broker's own ledger: what a real broker would keep, separate from Argo's orders."""

from typing import ClassVar

from django.db import models
from django.db.models import Q, Value

from execution.fields import ExactDecimal
from execution.models.action import CorporateAction
from execution.money import ZERO
from execution.types import Leg, OrderState, Side
from signals.constraints import known_values


class PaperAccount(models.Model):
    """An account with play money: `deposit` is the amount at the start, `cash` the amount now.

    `value`, `cost` and `bound` are the totals of `execution.brokers.paper.bracket`, so that no
    bracket must be read to know the money; NULL if they must be summed up.
    """

    name = models.TextField(unique=True)
    deposit = ExactDecimal()
    cash = ExactDecimal()
    value = ExactDecimal(null=True, help_text="What is held, at the last price")
    cost = ExactDecimal(null=True, help_text="What is held, at its entry prices")
    bound = ExactDecimal(null=True, help_text="What is held or ordered, at the last price")

    class Meta:
        db_table = "paper_accounts"

    def __str__(self) -> str:
        return f"{self.name}: {self.cash}"


class PaperOrder(models.Model):
    """An order at the paper broker: an entry, one of its exits, or a closing order."""

    account = models.ForeignKey(PaperAccount, models.PROTECT)
    client_order_id = models.TextField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="legs")
    leg = models.TextField()
    symbol = models.TextField()
    side = models.TextField()
    quantity = ExactDecimal()
    level = ExactDecimal(null=True)
    reference = ExactDecimal(help_text="For an entry: the last price that was seen")
    filled = ExactDecimal(default=ZERO)
    value = ExactDecimal(default=ZERO, help_text="The sum of quantity times price of its fills")
    state = models.TextField()
    placed_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True, help_text="The time of its last fill")
    seen_at = models.DateTimeField(help_text="For an entry: prices up to this time were seen")
    # bars may come late, after newer quotes
    bars_seen_at = models.DateTimeField(help_text="For an entry: bars up to this time were seen")
    is_open = models.BooleanField(help_text="For an entry: something is held or may still fill")
    is_triggered = models.BooleanField(
        db_default=Value(False), help_text="For a stop: its price was reached"
    )
    new_shares = ExactDecimal(null=True, help_text="What splits made of `old_shares` of its fills")
    old_shares = ExactDecimal(null=True)

    class Meta:
        db_table = "paper_orders"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="paper_orders_once"
            ),
            known_values("paper_orders", leg=Leg, side=Side, state=OrderState),
        ]
        indexes: ClassVar = [
            # execution.brokers.paper: brackets that hold something or may still fill
            models.Index(fields=["account"], condition=Q(is_open=True), name="paper_orders_open"),
        ]

    def __str__(self) -> str:
        return f"{self.leg} {self.side} {self.quantity} {self.symbol}: {self.state}"


class PaperFill(models.Model):
    """One fill at the paper broker."""

    order = models.ForeignKey(PaperOrder, models.PROTECT, related_name="fills")
    fill_id = models.TextField(unique=True)
    quantity = ExactDecimal()
    price = ExactDecimal()
    fee = ExactDecimal()
    time = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "paper_fills"

    def __str__(self) -> str:
        return f"{self.quantity} at {self.price}"


class PaperChange(models.Model):
    """What a corporate action did to a bracket at the paper broker: one row, which never changes.

    `cash` is the dividend that was paid in, or out of the account for what was sold short.
    """

    order = models.ForeignKey(PaperOrder, models.PROTECT, related_name="changes")
    action = models.ForeignKey(CorporateAction, models.PROTECT, related_name="+")
    cash = ExactDecimal(default=ZERO)
    text = models.TextField(help_text="What was done")
    time = models.DateTimeField(db_index=True)

    may_change: ClassVar = frozenset[str]()

    class Meta:
        db_table = "paper_changes"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "action"], name="paper_changes_once")
        ]

    def __str__(self) -> str:
        return self.text
