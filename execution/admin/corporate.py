"""Corporate actions, and what each of them changed."""

from django.contrib import admin

from execution.admin.common import OfAccount
from execution.models import CorporateAction, Position, PositionChange, SeenPrices
from execution.models.action import SOURCES
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column, gain, time
from signals.admin.common import ReadOnly
from signals.market.actions import ActionKind


class ChangeInline(ReadOnly, admin.TabularInline[PositionChange, CorporateAction]):
    model = PositionChange
    fields = ("position", "text", "cash", "made_at")
    verbose_name_plural = "what it changed"


class PositionChangeInline(ReadOnly, admin.TabularInline[PositionChange, Position]):
    model = PositionChange
    fields = ("action", "text", "cash", "made_at")
    verbose_name_plural = "corporate actions"


@admin.register(CorporateAction)
class CorporateActionAdmin(ReadOnly, KeysetAdmin[CorporateAction]):
    list_display = ("at", "symbol", "kind", "__str__", "source", "why", "by", "account")
    list_filter = (
        one_of("kind", [kind.value for kind in ActionKind]),
        one_of("source", SOURCES),
        OfAccount,
    )
    search_fields = ("symbol", "new_symbol")
    inlines = (ChangeInline,)

    at = column("counts from", "ex_at", time)


@admin.register(PositionChange)
class PositionChangeAdmin(ReadOnly, KeysetAdmin[PositionChange]):
    list_display = ("made", "position", "action", "text", "paid")
    list_select_related = ("position", "action")

    made = column("made", "made_at", time)
    paid = column("dividend", "cash", gain)


@admin.register(SeenPrices)
class SeenPricesAdmin(ReadOnly, KeysetAdmin[SeenPrices]):
    list_display = ("symbol", "account", "looked", "doubt", "unexplained")
    list_filter = (OfAccount,)
    search_fields = ("symbol",)

    looked = column("compared", "looked_at", time)
