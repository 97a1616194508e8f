"""Corporate actions, and what each of them changed."""

from django.contrib import admin

from execution.admin.common import OfAccount
from execution.models import CorporateAction, Position, PositionChange, SeenPrices
from signals.admin.columns import column, gain, time
from signals.admin.common import ReadOnly


class ChangeInline(ReadOnly, admin.TabularInline[PositionChange, CorporateAction]):
    model = PositionChange
    fields = ("position", "text", "cash", "made_at")
    verbose_name_plural = "what it changed"


class PositionChangeInline(ReadOnly, admin.TabularInline[PositionChange, Position]):
    model = PositionChange
    fields = ("action", "text", "cash", "made_at")
    verbose_name_plural = "corporate actions"


@admin.register(CorporateAction)
class CorporateActionAdmin(ReadOnly, admin.ModelAdmin[CorporateAction]):
    list_display = ("at", "symbol", "kind", "__str__", "source", "why", "by", "account")
    list_filter = ("kind", "source", OfAccount)
    search_fields = ("symbol", "new_symbol")
    ordering = ("-ex_at", "-pk")
    inlines = (ChangeInline,)

    at = column("counts from", "ex_at", time, sorts=True)


@admin.register(PositionChange)
class PositionChangeAdmin(ReadOnly, admin.ModelAdmin[PositionChange]):
    list_display = ("made", "position", "action", "text", "paid")
    list_select_related = ("position", "action")
    ordering = ("-pk",)

    made = column("made", "made_at", time, sorts=True)
    paid = column("dividend", "cash", gain)


@admin.register(SeenPrices)
class SeenPricesAdmin(ReadOnly, admin.ModelAdmin[SeenPrices]):
    list_display = ("symbol", "account", "looked", "doubt", "unexplained")
    list_filter = (OfAccount,)
    search_fields = ("symbol",)
    ordering = ("symbol", "account")

    looked = column("compared", "looked_at", time, sorts=True)
