"""What several pages of the admin site share."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


class ReadOnly:
    """Nothing is added, changed or deleted here."""

    extra = 0  # of an inline: else a row that may be but is not there is an empty form

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class Action(admin.SimpleListFilter):
    """By side, of whatever has one."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [("BUY", "BUY"), ("SELL", "SELL")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


def votes_table(votes: object) -> SafeString:
    """What each source voted, with the figures it saw; any other JSON as it is."""
    return render_to_string("admin/signals/votes.html", {"votes": votes})


def short(price: float) -> str:
    """For a column; the signal's own page shows it whole."""
    return f"{price:.6g}"
