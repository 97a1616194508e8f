"""Filters of orders, positions, and of signals by their decision."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import (
    BooleanField,
    DurationField,
    ExpressionWrapper,
    F,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat
from django.http import HttpRequest

from execution.models import Decision, Order, Position
from execution.models.order import MAY_FILL
from execution.money import ZERO
from execution.types import FINAL, ExitReason, OrderState, Reason
from signals.admin.choices import one_of
from signals.keyset import by_index, by_key
from signals.ledger.outcomes import OUTCOMES
from signals.models import Signal

Choices = list[tuple[str, str]]
SPACE = Value(" ", output_field=TextField())
DONE = {state.value for state in FINAL}
IS_OPEN = RawSQL("positions.status = 'open'", [], output_field=BooleanField())
"""The state is a literal: only then is the partial index `positions_open` used."""


Decided = one_of(
    "decision__status", Decision.Status.choices, title="decision", parameter="decision",
    none="not asked for",
)  # fmt: skip
"""Filters signals by the decision on them."""


class SkippedFor(admin.SimpleListFilter):
    """Filter signals by a reason for which they were skipped."""

    title = parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [(str(code), code.meaning) for code in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Signal]) -> QuerySet[Signal]:
        if not (code := self.value()):
            return queryset
        codes = Concat(SPACE, by_key(Signal, "decision__skipped_for"), SPACE)
        return queryset.alias(codes=codes).filter(codes__contains=f" {code} ")


class InState(admin.SimpleListFilter):
    """Filter by the state of an order, or by whether it may still fill."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [("open", "may still fill"), *((state.value, state.value) for state in OrderState)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not (state := self.value()):
            return queryset
        if state in DONE:
            return queryset.filter(state=state)
        may_fill = by_index(queryset.filter(MAY_FILL))
        return may_fill if state == "open" else may_fill.filter(state=state)


Ended = one_of("signal__outcome", OUTCOMES, parameter="outcome")
"""Filters positions by the outcome of their signal."""
ClosedBy = one_of("exit_reason", [reason.value for reason in ExitReason], parameter="exit")
Standing = one_of(
    "status",
    Position.Status.choices,
    parameter="status__exact",
    few={Position.Status.OPEN: IS_OPEN},
)


class Profit(admin.SimpleListFilter):
    """Filter by whether the position won or lost."""

    title = "profit"
    parameter_name = "profit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [("won", "won"), ("lost", "lost")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Position]) -> QuerySet[Position]:
        # SQLite stores them as text, which compares with 0 like numbers.
        if self.value() == "won":
            return queryset.filter(profit__gt=ZERO)
        return queryset.filter(profit__lt=ZERO) if self.value() == "lost" else queryset


class _Reached(admin.SimpleListFilter):
    """Filter by how far the price went, in percent of the entry."""

    LEVELS: ClassVar = ("1", "2", "5", "10")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [(level, f"{level}% or more") for level in self.LEVELS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Position]) -> QuerySet[Position]:
        if (level := self.value()) not in self.LEVELS:
            return queryset
        return queryset.filter(**{f"{self.parameter_name}__gte": float(level)})


class Mae(_Reached):
    title = "MAE"
    parameter_name = "mae"


class Mfe(_Reached):
    title = "MFE"
    parameter_name = "mfe"


class Duration(admin.SimpleListFilter):
    """Filter by how long a closed position was open."""

    title = "duration"
    parameter_name = "days"
    DAYS: ClassVar = {"0-1": "less than a day", "1-7": "1 to 7 days", "7-30": "7 to 30 days",
                      "30-": "30 days or more"}  # fmt: skip

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return list(self.DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Position]) -> QuerySet[Position]:
        if (value := self.value()) not in self.DAYS:
            return queryset
        least, _, most = str(value).partition("-")
        open_for = ExpressionWrapper(F("closed_at") - F("opened_at"), DurationField())
        closed = queryset.filter(closed_at__isnull=False).annotate(open_for=open_for)
        chosen = closed.filter(open_for__gte=timedelta(days=int(least)))
        return chosen.filter(open_for__lt=timedelta(days=int(most))) if most else chosen
