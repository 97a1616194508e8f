"""Parts that several admin pages of execution share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from argo.errors import ArgoError
from execution.models import TradingAccount
from signals.ledger.queries import find_row
from signals.ledger.spellings import spellings_of
from signals.models import Signal

Row = TypeVar("Row", bound=Model)


class OfAccount(admin.SimpleListFilter):
    """Filter by account; there are few."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        names = TradingAccount.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(account=self.value()) if self.value() else queryset


class SearchedBySignal(admin.ModelAdmin[Row]):
    """Search for a complete signal id or symbol."""

    search_fields = ("signal__signal_id",)
    search_help_text = "A complete signal id, or a symbol in any spelling"
    signal, symbol = "signal", "symbol"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """Find an id by its index; a symbol scans the rows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = find_row(term)
        if found is not None:
            return queryset.filter(**{self.signal: found}), False
        return queryset.filter(**{f"{self.symbol}__in": spellings_of(term).names}), False


class WhyForm(forms.Form):
    """The reason, which is required."""

    why = forms.CharField(
        label="Why",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 70, "autofocus": True}),
        help_text="Kept with your name and the time.",
    )


@dataclass(frozen=True)
class Question:
    """A question before an act; `action` is the name of the admin action, if it is one."""

    title: str
    text: str
    button: str
    action: str = ""


def ask(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    question: Question,
    rows: Iterable[Model] = (),
) -> str | TemplateResponse:
    """Return the given reason, or the page that asks for it."""
    form = WhyForm(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        return str(form.cleaned_data["why"])
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": question.title,
        "question": question,
        "rows": rows,
        "form": form,
    }
    return TemplateResponse(request, "admin/execution/confirm.html", context)


def each(request: HttpRequest, rows: Iterable[Row], act: Callable[[Row], str]) -> list[Row]:
    """Act on each row and show a message for each; return the rows that worked."""
    done: list[Row] = []
    for row in rows:
        try:
            messages.success(request, act(row))
            done.append(row)
        except ArgoError as error:
            messages.error(request, str(error))
    return done


def signal_link(signal: Signal) -> SafeString:
    """Return a link to the signal's page."""
    url = reverse("admin:signals_signal_change", args=[signal.pk])
    return format_html('<a href="{}">{}</a>', url, signal.signal_id)
