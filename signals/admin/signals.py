"""The admin page of signals: only the outcome can be changed, and each change is recorded."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from signals.admin.columns import column, gain, price
from signals.admin.common import Action, PlainAddresses, ReadOnly, votes_table, who
from signals.admin.outcome_form import OutcomeForm
from signals.admin.outcomes import outcome_text, result_text, set_outcomes, with_changes
from signals.clock import utc_now
from signals.config import journal
from signals.ledger.instants import within
from signals.ledger.outcome_edits import edit_outcome
from signals.ledger.outcome_history import recorded
from signals.ledger.outcomes import OUTCOMES
from signals.ledger.spellings import spellings_of
from signals.models import OutcomeChange, Signal, SignalContext


class Age(admin.SimpleListFilter):
    """Filters by the signal's time."""

    title = "age"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [
            ("1", "last day"),
            ("7", "last 7 days"),
            ("30", "last 30 days"),
            ("365", "last year"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Signal]) -> QuerySet[Signal]:
        days = self.value()
        if days not in dict(self.lookup_choices):
            return queryset
        return within(queryset, utc_now() - timedelta(days=int(days)), None)


class OutcomeFilter(admin.SimpleListFilter):
    """Filters by outcome; a signal without one is open."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [("open", "open"), *((name, name) for name in OUTCOMES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Signal]) -> QuerySet[Signal]:
        if not (outcome := self.value()):
            return queryset
        return queryset.filter(outcome=None if outcome == "open" else outcome)


class ContextInline(ReadOnly, admin.StackedInline[SignalContext, Signal]):
    model = SignalContext
    verbose_name_plural = "context"
    exclude = ("votes",)
    readonly_fields = ("cast",)

    @admin.display(description="votes")
    def cast(self, context: SignalContext) -> SafeString:
        return votes_table(context.votes)


class ChangesInline(ReadOnly, admin.TabularInline[OutcomeChange, Signal]):
    model = OutcomeChange
    fields = ("at", "who", "why", "before", "after")
    verbose_name_plural = "outcome changes"


@admin.register(Signal)
class SignalAdmin(PlainAddresses, admin.ModelAdmin[Signal]):
    form = OutcomeForm
    list_display = (
        "timestamp", "symbol", "action", "ended", "profit", "entry", "target", "stop",
        "rounded_confidence", "strategy", "signal_id",
    )  # fmt: skip
    list_display_links = ("timestamp", "signal_id")
    list_filter = (Action, OutcomeFilter, Age, "symbol")
    list_per_page = 50
    ordering = ("-timestamp", "-id")
    search_fields = ("signal_id",)
    search_help_text = "A complete signal id, or a symbol in any spelling"
    show_full_result_count = False
    actions = ("set_outcomes",)
    inlines: ClassVar = [ContextInline, ChangesInline]
    fieldsets = (
        ("Signal", {"fields": (
            ("symbol", "action", "confidence"),
            ("entry_price", "target_price", "stop_price"),
            ("strategy", "asset_type", "data_source"),
            ("timestamp", "created_at"),
            ("signal_id", "order_id"),
            "sha256",
        )}),
        ("Outcome", {"fields": (
            "outcome", "exit_price", "profit_loss_pct", "decided", "why", "etag",
        )}),
    )  # fmt: skip
    readonly_fields = (
        "signal_id", "symbol", "action", "entry_price", "target_price", "stop_price",
        "confidence", "strategy", "asset_type", "data_source", "timestamp", "sha256",
        "order_id", "created_at", "profit_loss_pct", "decided",
    )  # fmt: skip

    entry = column("entry", "entry_price", price, sorts=True)
    target = column("target", "target_price", price, sorts=True)
    stop = column("stop", "stop_price", price, sorts=True)
    rounded_confidence = column("confidence", "confidence", "{:.1f}".format, sorts=True)
    profit = column("profit %", "profit_loss_pct", gain, sorts=True)

    @admin.display(description="outcome", ordering="outcome")
    def ended(self, signal: Signal) -> str:
        return outcome_text(signal)

    @admin.display(description="decided by its position")
    def decided(self, signal: Signal) -> str:
        found = recorded(signal, signal.changes.all())
        if found.position_decided is None:
            return ""
        edited = "; edited since" if found.edited else ""
        return f"{result_text(*found.position_decided[:3])}{edited}"

    @admin.action(description="Set the outcome…", permissions=["change"])
    def set_outcomes(
        self, request: HttpRequest, signals: QuerySet[Signal]
    ) -> TemplateResponse | None:
        return set_outcomes(self, request, signals)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signal]:
        return with_changes(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, obj: Signal | None = None) -> Any:  # noqa: ANN401
        """Leave out what only the form has for somebody who may only look."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        shown = [name for name in self.fieldsets[1][1]["fields"] if name not in ("why", "etag")]
        return (self.fieldsets[0], ("Outcome", {"fields": shown}))

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Signal], search_term: str
    ) -> tuple[QuerySet[Signal], bool]:
        """Search complete ids and symbols only: each has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_id = queryset.filter(signal_id=term)
        return (by_id if by_id.exists() else spellings_of(term).of(queryset)), False

    def save_model(
        self, request: HttpRequest, obj: Signal, form: OutcomeForm, change: bool
    ) -> None:
        edited = edit_outcome(
            obj.signal_id, form.edit, [form.cleaned_data["etag"]], who=who(request),
            now=utc_now(), journal=journal(),
        )  # fmt: skip
        if not edited.changed:
            messages.warning(request, "These values are already stored: nothing was changed.")
