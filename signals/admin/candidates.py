"""Candidates: each proposed trade, and why it became a signal or was rejected."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from signals.admin.columns import column, price
from signals.admin.common import Action, ReadOnly, votes_table
from signals.models import CandidateRecord


class ResultFilter(admin.SimpleListFilter):
    """Filters candidates by their result: a signal, or a reason to reject."""

    title = "result"
    parameter_name = "became"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        codes = (
            "confidence", "cooldown", "bar", "price", "session", "stale", "stop", "jump",
            "interrupted", "refused",
        )  # fmt: skip
        return [("signal", "a signal"), *((code, f"rejected for {code}") for code in codes)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CandidateRecord]
    ) -> QuerySet[CandidateRecord]:
        if not (result := self.value()):
            return queryset
        if result == "signal":
            return queryset.filter(rejected_for="")
        return queryset.filter(rejected_for__contains=result)


@admin.register(CandidateRecord)
class CandidateAdmin(ReadOnly, admin.ModelAdmin[CandidateRecord]):
    list_display = (
        "made_at", "symbol", "action", "entry", "rounded_confidence", "regime", "rejected_for",
        "signal_link",
    )  # fmt: skip
    list_filter = (ResultFilter, Action, "regime", "symbol")
    list_per_page = 50
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        ("symbol", "action", "confidence"),
        ("entry_price", "target_price", "stop_price"),
        ("strategy", "asset_type", "regime"),
        ("bar_time", "made_at", "agreement"),
        "why", "reasoning", "votes_table", "signal_link",
    )  # fmt: skip
    readonly_fields = ("why", "votes_table", "signal_link")

    entry = column("entry", "entry_price", price, sorts=True)
    rounded_confidence = column("confidence", "confidence", "{:.1f}".format, sorts=True)

    @admin.display(description="rejected for")
    def why(self, candidate: CandidateRecord) -> str:
        return "; ".join(reason["text"] for reason in candidate.reasons)

    @admin.display(description="votes")
    def votes_table(self, candidate: CandidateRecord) -> SafeString:
        return votes_table(candidate.votes)

    @admin.display(description="signal")
    def signal_link(self, candidate: CandidateRecord) -> SafeString | str:
        if candidate.signal_id is None:
            return ""
        url = f"{reverse('admin:signals_signal_changelist')}?q={candidate.signal_id}"
        return format_html('<a href="{}">{}</a>', url, candidate.signal_id)
