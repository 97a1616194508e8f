"""Filters of the list of signals. Their choices come from kept sums, never from a scan."""

import math
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from signals.admin.choices import SIDES, one_of
from signals.clock import utc_now
from signals.ledger.outcomes import OUTCOMES
from signals.ledger.sums.answer import stats
from signals.ledger.sums.query import StatsQuery

Choices = list[tuple[str, str]]
MOST = 100
"""Choices of one filter; the search finds every symbol."""


class Selecting(admin.SimpleListFilter):
    """Filters signals by what the sums and the index of time know.

    The list takes `selects`, fields of `SignalFilter`, to skip the days without such a signal.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    def selects(self) -> dict[str, Any]:
        """Return the fields of `SignalFilter` that the filter sets."""
        return {str(self.parameter_name): self.value()} if self.value() else {}


class Age(Selecting):
    """Filters by the signal's time."""

    title = "age"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [
            ("1", "last day"),
            ("7", "last 7 days"),
            ("30", "last 30 days"),
            ("365", "last year"),
        ]

    def selects(self) -> dict[str, Any]:
        days = self.value()
        if days not in dict(self.lookup_choices):
            return {}
        return {"since": utc_now() - timedelta(days=int(days))}


class Side(Selecting):
    """Filters by side."""

    title = "side"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [(side, side) for side in SIDES]


class OutcomeFilter(Selecting):
    """Filters by outcome; a signal without one is open."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [("open", "open"), *((name, name) for name in OUTCOMES)]


class _Summed(Selecting):
    """Filters by a value that the sums are kept by; the most frequent ones are offered."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        key = str(self.parameter_name)
        names = sorted(group[key] for group, _ in stats(StatsQuery(by=key, limit=MOST)).items)
        chosen = [name for name in request.GET.getlist(key) if name not in names]
        return [(name, name) for name in (*chosen, *names)]


class Symbol(_Summed):
    """Filters by instrument, in any spelling."""

    title = parameter_name = "symbol"


class Strategy(_Summed):
    """Filters by strategy."""

    title = parameter_name = "strategy"


class Confidence(Selecting):
    """Filters by the least confidence."""

    title = parameter_name = "confidence"
    LEVELS: ClassVar = ("95", "90", "85", "80", "75", "50")
    LOW = math.nextafter(50, 0)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
        return [*((level, f"{level} or more") for level in self.LEVELS), ("low", "less than 50")]

    def selects(self) -> dict[str, Any]:
        level = self.value()
        if level == "low":
            return {"max_confidence": self.LOW}
        return {"min_confidence": float(level)} if level in self.LEVELS else {}


Regime = one_of("context__regime", settings.REGIMES, title="regime", parameter="regime")
