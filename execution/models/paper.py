"""The paper broker's own books: what a real broker would keep, apart from Argo's orders."""

from typing import ClassVar

from django.db import models
from django.db.models import Q, Value

from execution.fields import ExactDecimal
from execution.money import ZERO
from execution.types import Leg, OrderState, Side
from signals.constraints import known_values


class PaperAccount(models.Model):
    """Money that is not real: `deposit` is what there was, `cash` what is left of it."""

    name = models.TextField(unique=True)
    deposit = ExactDecimal()
    cash = ExactDecimal()

    class Meta:
        db_table = "paper_accounts"

    def __str__(self) -> str:
        return f"{self.name}: {self.cash}"


class PaperOrder(models.Model):
    """An order as the paper broker has it: an entry with its exits, or a close."""

    account = models.ForeignKey(PaperAccount, models.PROTECT)
    client_order_id = models.TextField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="legs")
    leg = models.TextField()
    symbol = models.TextField()
    side = models.TextField()
    quantity = ExactDecimal()
    level = ExactDecimal(null=True)
    reference = ExactDecimal(help_text="Of an entry: the last price that was looked at")
    filled = ExactDecimal(default=ZERO)
    value = ExactDecimal(default=ZERO, help_text="Quantity times price of its fills")
    state = models.TextField()
    placed_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True, help_text="When it last was")
    seen_at = models.DateTimeField(help_text="Of an entry: prices up to then were looked at")
    bars_seen_at = models.DateTimeField(help_text="The same of bars, which may come late")
    is_open = models.BooleanField(help_text="Of an entry: something is held or may be filled")
    is_triggered = models.BooleanField(db_default=Value(False), help_text="A stop once reached")

    class Meta:
        db_table = "paper_orders"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="paper_orders_once"
            ),
            known_values("paper_orders", leg=Leg, side=Side, state=OrderState),
        ]
        indexes: ClassVar = [
            # execution.brokers.paper: what is held or may still fill
            models.Index(fields=["account"], condition=Q(is_open=True), name="paper_orders_open"),
        ]

    def __str__(self) -> str:
        return f"{self.leg} {self.side} {self.quantity} {self.symbol}: {self.state}"


class PaperFill(models.Model):
    """One fill of the paper broker's."""

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
