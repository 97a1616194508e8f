"""Filters of orders and positions."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.http import HttpRequest

from execution.models import Order, Position
from execution.models.order import MAY_FILL
from execution.money import ZERO
from execution.types import OrderState
from signals.ledger.outcomes import OUTCOMES

Choices = list[tuple[str, str]]


class InState(admin.SimpleListFilter):
    """By an order's state, or whether it may still fill."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [("open", "may still fill"), *((state.value, state.value) for state in OrderState)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not (state := self.value()):
            return queryset
        return queryset.filter(MAY_FILL) if state == "open" else queryset.filter(state=state)


class Ended(admin.SimpleListFilter):
    """By the outcome of the position's signal."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [(name, name) for name in OUTCOMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Position]) -> QuerySet[Position]:
        return queryset.filter(signal__outcome=self.value()) if self.value() else queryset


class ExitReason(admin.SimpleListFilter):
    """By what closed a position: all that there may be, lest the table be walked for them."""

    title = "exit reason"
    parameter_name = "exit"
    REASONS: ClassVar = (
        "stop", "target", "expired", "breach", "flat", "unprotected", "manual", "settled",
    )  # fmt: skip

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [(name, name) for name in self.REASONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Position]) -> QuerySet[Position]:
        return queryset.filter(exit_reason=self.value()) if self.value() else queryset


class Profit(admin.SimpleListFilter):
    """Whether it won or lost."""

    title = "profit"
    parameter_name = "profit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [("won", "won"), ("lost", "lost")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Position]) -> QuerySet[Position]:
        # Texts in SQLite: against 0 they compare as the numbers do.
        if self.value() == "won":
            return queryset.filter(profit__gt=ZERO)
        return queryset.filter(profit__lt=ZERO) if self.value() == "lost" else queryset


class _Reached(admin.SimpleListFilter):
    """By how far the price went, in percent."""

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
    """By how long a closed position was open."""

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
