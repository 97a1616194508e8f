"""Decisions, with every reason as a sentence; and what would have come of what was not traded."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from execution.admin.common import OfAccount, SearchedBySignal, gain, price, signal_link, time
from execution.models import Counterfactual, Decision
from execution.models.decision import skipped_for
from execution.status import as_text, status
from execution.types import Reason
from signals.admin.common import ReadOnly
from signals.clock import utc_now
from signals.timestamps import parse_utc


class WithReasons:
    """Shows why a signal was skipped, and why before it was asked for again."""

    @admin.display(description="why not")
    def why(self, decision: Decision) -> SafeString:
        return _sentences(decision.reasons)

    @admin.display(description="before it was asked for again")
    def before(self, decision: Decision) -> SafeString:
        rows = ((time(parse_utc(past["decided_at"])), past["asked_by"] or "nobody",
                 _sentences(past["reasons"])) for past in decision.earlier)  # fmt: skip
        return format_html_join("", "<div>{}, asked by {}: {}</div>", rows)


def _sentences(reasons: list[dict[str, str]]) -> SafeString:
    """A line for each."""
    return format_html_join("", "<div>{}</div>", ((each["text"],) for each in reasons))


class ForReason(admin.SimpleListFilter):
    """By one of the reasons why a signal was skipped. All that there may be: to look for those
    that occur takes a scan."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [(str(code), str(code)) for code in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return skipped_for(queryset, code) if (code := self.value()) else queryset


@admin.register(Decision)
class DecisionAdmin(WithReasons, ReadOnly, SearchedBySignal[Decision]):
    signal, symbol = "pk", "signal__symbol"
    list_display = (
        "queued", "what", "status", "why", "account", "asked_by", "signal__signal_id",
    )  # fmt: skip
    list_display_links = ("queued", "signal__signal_id")
    list_filter = ("status", OfAccount, ForReason)
    list_select_related = ("signal",)
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        "its_signal", ("status", "account", "asked_by"), "why", "order_id",
        ("queued_at", "decided_at"), "before",
    )  # fmt: skip
    readonly_fields = ("its_signal", "why", "before")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        standing = as_text(status(utc_now()))
        return super().changelist_view(request, {**(extra_context or {}), "standing": standing})

    @admin.display(description="signal")
    def its_signal(self, decision: Decision) -> SafeString:
        return signal_link(decision.signal)

    @admin.display(description="queued", ordering="queued_at")
    def queued(self, decision: Decision) -> str:
        return time(decision.queued_at)

    @admin.display(description="signal")
    def what(self, decision: Decision) -> str:
        return f"{decision.signal.action} {decision.signal.symbol}"


@admin.register(Counterfactual)
class CounterfactualAdmin(ReadOnly, SearchedBySignal[Counterfactual]):
    """How signals that were not traded would have ended, by the bars that followed."""

    signal, symbol = "pk", "signal__symbol"
    list_display = (
        "entered", "what", "outcome", "exit_reason", "exit", "profit", "ended",
        "signal__signal_id",
    )  # fmt: skip
    list_display_links = ("entered", "signal__signal_id")
    list_filter = ("outcome", "exit_reason")
    list_select_related = ("signal",)
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description="entered", ordering="entered_at")
    def entered(self, row: Counterfactual) -> str:
        return time(row.entered_at)

    @admin.display(description="signal")
    def what(self, row: Counterfactual) -> str:
        return f"{row.signal.action} {row.signal.symbol}"

    @admin.display(description="ended", ordering="ended_at")
    def ended(self, row: Counterfactual) -> str:
        return time(row.ended_at)

    @admin.display(description="exit", ordering="exit_price")
    def exit(self, row: Counterfactual) -> str:
        return price(row.exit_price)

    @admin.display(description="profit %", ordering="profit_loss_pct")
    def profit(self, row: Counterfactual) -> str:
        return gain(row.profit_loss_pct)
