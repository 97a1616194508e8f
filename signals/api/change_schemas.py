"""The list of changes of outcomes: its items, and what it may be asked for."""

from typing import Any, ClassVar, Literal

from django.db.models import FloatField, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, NullIf
from ninja import Schema
from pydantic import Field
from typing_extensions import override

from signals.api.schemas import OutcomeValues
from signals.ledger.queries import Moment
from signals.ledger.validation import Label, SignalName
from signals.models import OutcomeChange
from signals.retrieval.lists import Condition, ListItem, Number, PagedQuery, Symbol
from signals.timestamps import range_end, range_start


class ChangeItem(ListItem):
    """One change of a signal's outcome or order: with `fields` it has these alone."""

    id: int
    change_id: str
    signal_id: str = Field(alias="signal.signal_id")
    symbol: str = Field(alias="signal.symbol")
    strategy: str = Field(alias="signal.strategy")
    who: str
    at: str
    why: str
    before: OutcomeValues
    after: OutcomeValues


class ChangePage(Schema):
    """One page; send `next` as `after` to get the next page. It is null on the last page."""

    items: list[ChangeItem]
    next: int | None


class ChangeQuery(PagedQuery):
    """Filters of changes; `outcome`, `exit_price` and the like are those after the change."""

    item: ClassVar = ChangeItem
    paths: ClassVar = {"symbol": "signal__symbol", "strategy": "signal__strategy"}
    handled: ClassVar = frozenset(
        {"signal_id", "outcome", "order_id", "min_exit_price", "max_exit_price",
         "min_profit_loss_pct", "max_profit_loss_pct"}
    )  # fmt: skip
    contained: ClassVar = frozenset({"why"})

    signal_id: SignalName | None = None
    change_id: Label | None = None
    symbol: Symbol | None = None
    strategy: Label | None = None
    who: Label | None = Field(None, description="The whole name: `admin:anna`, `api:bot`")
    why: Label | None = Field(None, description="A text that the reason contains")
    outcome: Literal["win", "loss", "breakeven", "expired", "open"] | None = None
    order_id: Label | None = None
    min_exit_price: Number | None = None
    max_exit_price: Number | None = None
    min_profit_loss_pct: Number | None = None
    max_profit_loss_pct: Number | None = None
    at_since: Moment | None = Field(
        None, description="A time with an offset; this second and later"
    )
    at_until: Moment | None = None

    @override
    def _condition(self, name: str, value: Any) -> Condition:
        if name == "at_since":  # a text
            return "at", "gte", range_start(value)
        if name == "at_until":
            return "at", "lt", range_end(value)
        return super()._condition(name, value)

    def chosen(self, changes: QuerySet[OutcomeChange]) -> QuerySet[OutcomeChange]:
        """Return the changes whose values after them meet the query."""
        if self.outcome is not None:
            outcome = None if self.outcome == "open" else self.outcome
            changes = changes.filter(after__outcome=outcome)
        if self.order_id is not None:
            changes = changes.filter(after__order_id=self.order_id)
        for name in ("exit_price", "profit_loss_pct"):
            value = NullIf(KT(f"after__{name}"), Value("null"))  # SQLite's text of null
            changes = changes.alias(**{f"new_{name}": Cast(value, FloatField())})
            for end, how in (("min", "gte"), ("max", "lte")):
                if (bound := getattr(self, f"{end}_{name}")) is not None:
                    changes = changes.filter(**{f"new_{name}__{how}": bound})
        return changes
