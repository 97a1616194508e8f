"""Corporate actions as an account's market showed them, and what each of them changed."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import log
from typing import ClassVar

from django.db import models
from django.db.models import Value

from execution.fields import ExactDecimal
from execution.money import ONE, ZERO
from signals.constraints import known_values
from signals.market.actions import ActionKind
from signals.rows import select

SOURCES = ("market", "history", "broker", "person")


_APPLIED = """
SELECT corporate_actions.* FROM corporate_actions
JOIN position_changes ON position_changes.action_id = corporate_actions.id
WHERE position_changes.position_id = %s ORDER BY corporate_actions.ex_at, corporate_actions.id
"""
_OF_SYMBOL = """
SELECT * FROM corporate_actions WHERE account = %s AND (symbol = %s OR new_symbol = %s)
ORDER BY ex_at, id
"""


class CorporateActionQuerySet(models.QuerySet["CorporateAction"]):
    """The queries of every trade are plain SQL, as for orders."""

    def of_symbol(self, account: str, symbol: str) -> "list[CorporateAction]":
        """Return the known actions of this instrument, also under earlier names, oldest first."""
        found: dict[int, CorporateAction] = {}
        names, asked = {symbol}, set[str]()
        while waiting := names - asked:  # a symbol may get its earlier name back
            name = waiting.pop()
            asked.add(name)
            for each in select(CorporateAction, _OF_SYMBOL, [account, name, name]):
                found[each.pk] = each
                if each.new_symbol == name:
                    names.add(each.symbol)
        return sorted(found.values(), key=lambda each: (each.ex_at, each.pk))

    def applied_to(self, signal_pk: int) -> "list[CorporateAction]":
        """Return the actions that the signal's position was carried over, oldest first."""
        return select(CorporateAction, _APPLIED, [signal_pk])


class CorporateAction(models.Model):
    """A split, a dividend or a rename of an instrument, on the market of one account.

    Of a split, `old` shares became `new`; a dividend paid `cash` for each share. `rebased_by` is
    the factor by which the market's bars up to `after` were multiplied; NULL if they were not. What
    is from `after` or before is on the old scale, what is from `ex_at` or later on the new one. In
    between, nobody knows when it happened: there the nearer price decides, and `price` is one on
    the old scale.
    """

    account = models.TextField()
    symbol = models.TextField(help_text="Argo's name before it")
    kind = models.TextField()
    after = models.DateTimeField(help_text="Up to then, prices are surely on the old scale")
    ex_at = models.DateTimeField(help_text="From then on, prices are surely on the new scale")
    price = models.FloatField(null=True, help_text="A price on the old scale")
    new = ExactDecimal(default=ONE, help_text="New shares for the old ones")
    old = ExactDecimal(default=ONE)
    cash = ExactDecimal(default=ZERO, help_text="Money for each share")
    new_symbol = models.TextField(db_default=Value(""))
    rebased_by = models.FloatField(null=True)
    source = models.TextField(help_text="Who showed it")
    why = models.TextField(help_text="How it was recognised")
    by = models.TextField(db_default=Value(""), help_text="The person who stated it")
    made_at = models.DateTimeField()

    may_change: ClassVar = frozenset({"rebased_by"})
    objects = CorporateActionQuerySet.as_manager()

    class Meta:
        db_table = "corporate_actions"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "symbol", "kind", "ex_at"], name="corporate_actions_once"
            ),
            known_values("corporate_actions", kind=ActionKind, source=SOURCES),
        ]

    def __str__(self) -> str:
        words = {
            ActionKind.SPLIT: f"{self.new:g} new for {self.old:g} old shares",
            ActionKind.DIVIDEND: f"{self.cash:g} for each share",
            ActionKind.RENAME: f"the new name {self.new_symbol}",
        }
        kind = ActionKind(self.kind)
        about = f" ({words[kind]})" if kind in words else ""
        return f"{kind} of {self.symbol}{about}"

    @property
    def ratio(self) -> Fraction:
        """Return the shares now for one share before."""
        return Fraction(self.new) / Fraction(self.old)

    def comes_after(self, moment: datetime, price: Decimal | float) -> bool:
        """Return whether something of this moment and price is on the scale before the action."""
        if moment <= self.after or moment >= self.ex_at:
            return moment <= self.after
        if self.price is None or self.ratio == 1:
            return True
        distance = abs(log(float(price) / self.price))
        return distance <= abs(log(float(price) / (self.price / float(self.ratio))))


class SeenPrices(models.Model):
    """The newest bars that Argo has seen of an instrument on one account's market.

    If one of them changes later, the market has put its history on another scale. While a price
    jumped by a ratio that nobody explains (`doubt`, since `doubt_at`), or the history changed by
    one (`unexplained`), no price of it is used.
    """

    account = models.TextField()
    symbol = models.TextField()
    bars = models.JSONField(default=list, help_text="Pairs of time and close, oldest first")
    looked_at = models.DateTimeField(help_text="When the history was last compared")
    listed_at = models.DateTimeField(help_text="Up to then, the market was asked for its actions")
    doubt = models.TextField(default="")
    doubt_at = models.DateTimeField(null=True)
    unexplained = models.TextField(default="")

    class Meta:
        db_table = "seen_prices"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "symbol"], name="seen_prices_once")
        ]

    def __str__(self) -> str:
        return f"{self.symbol} on {self.account}"
