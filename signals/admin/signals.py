"""The admin page of signals: only the outcome can be changed, and each change is recorded."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from signals.admin import markup
from signals.admin.changelist import KeysetAdmin, KeysetChangeList, ListPage
from signals.admin.columns import column, gain, price
from signals.admin.common import ReadOnly, votes_table, who
from signals.admin.exports import EXPORTS
from signals.admin.filters import (
    Age,
    Confidence,
    OutcomeFilter,
    Regime,
    Side,
    Strategy,
    Symbol,
)
from signals.admin.outcome_form import OutcomeForm
from signals.admin.outcomes import outcome_tag, result_text, set_outcomes, with_changes
from signals.admin.period import Period
from signals.admin.signal_list import read_page
from signals.admin.verifying import verify
from signals.clock import utc_now
from signals.config import journal
from signals.keyset import by_index
from signals.ledger.outcome_edits import edit_outcome
from signals.ledger.outcome_history import recorded
from signals.ledger.queries import find_row
from signals.models import OutcomeChange, Signal, SignalContext


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
class SignalAdmin(KeysetAdmin[Signal]):
    form = OutcomeForm
    list_display = (
        "made", "instrument", "side", "ended", "profit", "entry", "target", "stop",
        "rounded_confidence", "strategy", "signal_id",
    )  # fmt: skip
    list_display_links = ("signal_id",)
    list_filter: ClassVar = [
        Symbol, Side, OutcomeFilter, Confidence, Strategy, Regime, Age, Period,
    ]  # fmt: skip
    search_fields = ("signal_id",)
    search_help_text = "A complete signal id, or a symbol in any spelling"
    actions = [  # noqa: RUF012  # execution and sync add theirs
        "set_outcomes", verify, *EXPORTS,
    ]  # fmt: skip
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

    entry = column("entry", "entry_price", price)
    target = column("target", "target_price", price)
    stop = column("stop", "stop_price", price)
    rounded_confidence = column("confidence", "confidence", "{:.1f}".format)
    profit = column("profit %", "profit_loss_pct", gain)

    @admin.display(description="time")
    def made(self, signal: Signal) -> SafeString:
        return markup.signal_link(signal.signal_id, markup.moment(signal.timestamp))

    @admin.display(description="symbol")
    def instrument(self, signal: Signal) -> SafeString:
        return markup.signal_link(signal.signal_id, signal.symbol)

    @admin.display(description="side")
    def side(self, signal: Signal) -> str:
        return markup.side(signal.action)

    @admin.display(description="outcome")
    def ended(self, signal: Signal) -> SafeString:
        return outcome_tag(signal)

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

    def read_page(self, changes: KeysetChangeList) -> ListPage:
        return read_page(changes, self.list_per_page)

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
        """Search complete ids; the page of any other term is that of a symbol."""
        row = find_row(search_term.strip())
        return (queryset if row is None else by_index(queryset.filter(pk=row))), False

    def save_model(
        self, request: HttpRequest, obj: Signal, form: OutcomeForm, change: bool
    ) -> None:
        edited = edit_outcome(
            obj.signal_id, form.edit, [form.cleaned_data["etag"]], who=who(request),
            now=utc_now(), journal=journal(),
        )  # fmt: skip
        if not edited.changed:
            messages.warning(request, "These values are already stored: nothing was changed.")
