"""What several pages of execution share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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
from execution.money import exact_text
from signals.admin.common import ReadOnly
from signals.models import Signal

Row = TypeVar("Row", bound=Model)


class Watched(ReadOnly):
    """Rows that nobody edits; their actions are for who may change them."""

    opts: Any  # a ModelAdmin's

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        # Of none by itself; on the list, of who may use the actions.
        return obj is None and request.user.has_perm(f"execution.change_{self.opts.model_name}")


class OfAccount(admin.SimpleListFilter):
    """By account; there are few."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        names = TradingAccount.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(account=self.value()) if self.value() else queryset


class SearchedBySignal(admin.ModelAdmin[Row]):
    """Searches a signal id, whole, or a symbol."""

    search_fields = ("signal__signal_id",)
    search_help_text = "A signal id or a symbol, whole"
    signal, symbol = "signal", "symbol"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """An id by its index; a symbol walks the rows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Signal.objects.filter(signal_id=term).values_list("pk", flat=True).first()
        if found is not None:
            return queryset.filter(**{self.signal: found}), False
        return queryset.filter(**{self.symbol: term.upper()}), False


class WhyForm(forms.Form):
    """The reason, without which nothing is done."""

    why = forms.CharField(
        label="Why",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 70, "autofocus": True}),
        help_text="Kept with your name and the time.",
    )


@dataclass(frozen=True)
class Question:
    """What is asked before something is done; `action` is the action's name, if it is one."""

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
    """The reason that was given, or the page that asks for it."""
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
    """Do it with each row and say what came of it; those with which it could be done."""
    done: list[Row] = []
    for row in rows:
        try:
            messages.success(request, act(row))
            done.append(row)
        except ArgoError as error:
            messages.error(request, str(error))
    return done


def who(request: HttpRequest) -> str:
    """As reasons and halts keep it."""
    return f"admin:{request.user.get_username()}"


def signal_link(signal: Signal) -> SafeString:
    """To the signal's page, which has everything about it."""
    url = reverse("admin:signals_signal_change", args=[signal.pk])
    return format_html('<a href="{}">{}</a>', url, signal.signal_id)


def time(moment: datetime | None) -> str:
    """For a column; the row's own page has the fraction too."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def price(value: Decimal | float | None) -> str:
    """For a column; the row's own page shows it whole."""
    return "" if value is None else f"{float(value):.6g}"


def money(value: Decimal | None) -> str:
    """To the cent."""
    return "" if value is None else f"{value:,.2f}"


def gain(value: Decimal | float | None) -> str:
    """With its sign."""
    return "" if value is None else f"{value:+,.2f}"


def amount(value: Decimal) -> str:
    """All digits, and no zeros after them."""
    return exact_text(value)
