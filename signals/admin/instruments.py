"""Spellings: what Argo makes of each symbol that signals have, and why."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from signals.admin.changelist import KeysetAdmin
from signals.admin.common import ReadOnly
from signals.instruments import instrument
from signals.keyset import by_index
from signals.ledger.spellings import spellings_of
from signals.market.instruments import Instrument, spellings
from signals.models import InstrumentSpelling


@admin.register(InstrumentSpelling)
class SpellingAdmin(ReadOnly, KeysetAdmin[InstrumentSpelling]):
    list_display = ("spelling", "asset_type", "name", "kind", "hours", "why")
    search_fields = ("spelling",)
    search_help_text = "A symbol in any spelling"
    fields = ("spelling", "asset_type", "name", "kind", "hours", "elsewhere", "why")
    readonly_fields: ClassVar = ("name", "kind", "hours", "elsewhere", "why")

    @admin.display(description="instrument")
    def name(self, row: InstrumentSpelling) -> str:
        return _made_of(row).symbol

    @admin.display
    def kind(self, row: InstrumentSpelling) -> str:
        return str(_made_of(row).kind)

    @admin.display
    def hours(self, row: InstrumentSpelling) -> str:
        return _made_of(row).hours

    @admin.display(description="spelled at")
    def elsewhere(self, row: InstrumentSpelling) -> str:
        return ", ".join(f"{who}: {text}" for who, text in spellings(_made_of(row)).items())

    @admin.display
    def why(self, row: InstrumentSpelling) -> str:
        return "; ".join(_made_of(row).why)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[InstrumentSpelling], search_term: str
    ) -> tuple[QuerySet[InstrumentSpelling], bool]:
        """Find every spelling of the instrument that is searched."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return by_index(queryset.filter(spelling__in=spellings_of(term).names)), False


def _made_of(row: InstrumentSpelling) -> Instrument:
    return instrument(row.spelling, row.asset_type)
