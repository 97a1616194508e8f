"""Candidates: each proposed trade, and why it became a signal or was rejected."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import SIDES, one_of
from signals.admin.columns import column, price
from signals.admin.common import ReadOnly, votes_table
from signals.admin.filters import Symbol
from signals.ledger.spellings import spellings_of
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


class CandidateSymbol(Symbol):
    """Filters candidates by instrument, in any spelling."""

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CandidateRecord]
    ) -> QuerySet[CandidateRecord]:
        return spellings_of(symbol).of(queryset) if (symbol := self.value()) else queryset


@admin.register(CandidateRecord)
class CandidateAdmin(ReadOnly, KeysetAdmin[CandidateRecord]):
    list_display = (
        "made", "symbol", "side", "entry", "rounded_confidence", "regime", "rejected_for",
        "signal_link",
    )  # fmt: skip
    list_filter = (
        ResultFilter,
        one_of("action", SIDES, title="side"),
        one_of("regime", settings.REGIMES),
        CandidateSymbol,
    )
    fields = (
        ("symbol", "action", "confidence"),
        ("entry_price", "target_price", "stop_price"),
        ("strategy", "asset_type", "regime"),
        ("bar_time", "made_at", "agreement"),
        ("raw_confidence", "calibration_version"),
        "why", "reasoning", "votes_table", "signal_link",
    )  # fmt: skip
    readonly_fields = ("why", "votes_table", "signal_link")

    made = column("time", "made_at", markup.moment)
    side = column("side", "action", markup.side)
    entry = column("entry", "entry_price", price)
    rounded_confidence = column("confidence", "confidence", "{:.1f}".format)

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
        return markup.signal_link(candidate.signal_id, candidate.signal_id)
