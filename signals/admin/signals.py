"""The admin page of signals: only the outcome can be changed, and each change is recorded."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from argo.errors import InvalidInput
from signals.admin.columns import column, gain, price
from signals.admin.common import Action, ReadOnly, votes_table, who
from signals.admin.outcomes import outcome_text, result_text, set_outcomes, with_changes
from signals.clock import utc_now
from signals.config import journal
from signals.ledger.instants import within
from signals.ledger.outcome_history import recorded
from signals.ledger.outcomes import OUTCOMES, check, record_outcome
from signals.ledger.spellings import spellings_of
from signals.ledger.validation import LONGEST_WHY
from signals.models import OutcomeChange, Signal, SignalContext


class OutcomeForm(ModelForm[Signal]):
    """Takes outcome, exit price and the reason; profit or loss is computed from them."""

    outcome = forms.ChoiceField(
        choices=[("", "open"), *((name, name) for name in OUTCOMES)], required=False
    )
    exit_price = forms.FloatField(required=False)
    why = forms.CharField(
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with your name and the time in the signal's outcome changes.",
    )

    class Meta:
        model = Signal
        fields = ("outcome", "exit_price")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["outcome"] = cleaned.get("outcome") or None
        try:
            check(
                self.instance, cleaned["outcome"], cleaned.get("exit_price"), cleaned.get("why", "")
            )
        except InvalidInput as error:
            for fault in error.errors:
                if fault.field not in self.errors:
                    self.add_error(fault.field, fault.message)
        return cleaned


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
class SignalAdmin(admin.ModelAdmin[Signal]):
    form = OutcomeForm
    list_display = (
        "timestamp", "symbol", "action", "entry", "target", "stop", "confidence", "strategy",
        "ended", "profit", "signal_id",
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
            "outcome", "exit_price", "profit_loss_pct", "decided", "why",
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
        changed = record_outcome(
            obj.signal_id,
            outcome=form.cleaned_data["outcome"],
            exit_price=form.cleaned_data["exit_price"],
            who=who(request),
            why=form.cleaned_data["why"],
            now=utc_now(),
            journal=journal(),
        )
        if changed is None:
            messages.warning(request, "These values are already stored: nothing was changed.")
