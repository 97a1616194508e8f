"""Decisions with every reason as a sentence, and the outcomes of signals that were not traded."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from execution.admin.common import OfAccount, proposed, signal_link
from execution.admin.executing import execute
from execution.models import Counterfactual, Decision
from execution.models.decision import EXECUTED, WAITING, skipped_for
from execution.status import status
from execution.status_text import as_text
from execution.types import ExitReason, Reason
from signals.admin import markup
from signals.admin.choices import one_of
from signals.admin.columns import column, gain, price, time
from signals.admin.common import ActedOn, ReadOnly
from signals.admin.exports import EXPORTS
from signals.admin.search import SearchedBySignal
from signals.clock import utc_now
from signals.ledger.outcomes import OUTCOMES
from signals.timestamps import parse_utc

STATUSES: dict[str, str] = {Decision.Status.EXECUTED: "good", Decision.Status.SKIPPED: "care"}


class WithReasons:
    """Shows why a signal was skipped, and earlier decisions on it."""

    @admin.display(description="reasons")
    def why(self, decision: Decision) -> SafeString:
        return _sentences(decision.reasons)

    @admin.display(description="earlier decisions")
    def before(self, decision: Decision) -> SafeString:
        rows = ((time(parse_utc(past["decided_at"])), past["asked_by"] or "nobody",
                 _sentences(past["reasons"])) for past in decision.earlier)  # fmt: skip
        return format_html_join("", "<div>{}, asked by {}: {}</div>", rows)


def _sentences(reasons: list[dict[str, str]]) -> SafeString:
    """Return one line for each reason."""
    return format_html_join("", "<div>{}</div>", ((each["text"],) for each in reasons))


class ForReason(admin.SimpleListFilter):
    """Filter by a reason. It lists all reasons, because finding those in use takes a scan."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [(str(code), str(code)) for code in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return skipped_for(queryset, code) if (code := self.value()) else queryset


@admin.register(Decision)
class DecisionAdmin(WithReasons, ActedOn, SearchedBySignal[Decision]):
    signal, symbol = "pk", "signal__symbol"
    list_display = (
        "queued", "what", "result", "why", "account", "asked_by", "signal__signal_id",
    )  # fmt: skip
    list_display_links = ("queued", "signal__signal_id")
    list_filter = (
        one_of(
            "status", Decision.Status.choices, parameter="status__exact",
            few={Decision.Status.PENDING: WAITING, Decision.Status.DECIDING: WAITING},
            walked={Decision.Status.EXECUTED: EXECUTED},
        ),
        OfAccount,
        ForReason,
    )  # fmt: skip
    list_select_related = ("signal",)
    actions = (execute, *EXPORTS)
    fields = (
        "its_signal", ("status", "account", "asked_by"), "why", "order_id",
        ("queued_at", "decided_at"), "before",
    )  # fmt: skip
    readonly_fields = ("its_signal", "why", "before")

    queued = column("queued", "queued_at", time)

    @admin.display(description="decision")
    def result(self, decision: Decision) -> str:
        return markup.tag(decision.status, STATUSES.get(decision.status, ""))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        standing = as_text(status(utc_now(), lately=False))
        return super().changelist_view(request, {**(extra_context or {}), "standing": standing})

    @admin.display(description="signal")
    def its_signal(self, decision: Decision) -> SafeString:
        return signal_link(decision.signal)

    @admin.display(description="signal")
    def what(self, decision: Decision) -> SafeString:
        return proposed(decision.signal)


@admin.register(Counterfactual)
class CounterfactualAdmin(ReadOnly, SearchedBySignal[Counterfactual]):
    """The outcomes that signals without a trade would have had, by the bars that followed."""

    signal, symbol = "pk", "signal__symbol"
    list_display = (
        "entered", "what", "ended_as", "exit_reason", "exit", "profit", "ended",
        "signal__signal_id",
    )  # fmt: skip
    list_display_links = ("entered", "signal__signal_id")
    list_filter = (
        one_of("outcome", OUTCOMES),
        one_of("exit_reason", [reason.value for reason in ExitReason]),
    )
    actions = EXPORTS
    list_select_related = ("signal",)

    entered = column("entered", "entered_at", time)
    ended = column("ended", "ended_at", time)
    exit = column("exit", "exit_price", price)
    profit = column("profit %", "profit_loss_pct", gain)

    @admin.display(description="outcome")
    def ended_as(self, row: Counterfactual) -> str:
        return markup.outcome(row.outcome)

    @admin.display(description="signal")
    def what(self, row: Counterfactual) -> SafeString:
        return proposed(row.signal)
