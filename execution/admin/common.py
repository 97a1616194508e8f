"""Parts that several admin pages of execution share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from argo.errors import ArgoError
from execution.models import TradingAccount
from execution.money import exact_text
from signals.admin import markup
from signals.models import Signal

Row = TypeVar("Row", bound=Model)


class OfAccount(admin.SimpleListFilter):
    """Filter by account; there are few.

    Comparing it as a computed text keeps SQLite from choosing an index whose rows it would scan.
    """

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        names = TradingAccount.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (account := self.value()):
            return queryset
        on = Concat("account", Value(""), output_field=TextField())
        of_account: QuerySet[Any] = queryset.alias(on=on).filter(on=account)
        return of_account


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
    return markup.signal_link(signal.signal_id, signal.signal_id)


def traded(side: str, quantity: Decimal, symbol: str, signal: Signal) -> SafeString:
    """Return what is bought or sold, and how much of it, with a link to its signal's page."""
    link = markup.signal_link(signal.signal_id, symbol)
    return format_html("{} {} {}", markup.side(side), exact_text(quantity), link)


def proposed(signal: Signal) -> SafeString:
    """Return what a signal proposes, with a link to its page."""
    link = markup.signal_link(signal.signal_id, signal.symbol)
    return format_html("{} {}", markup.side(signal.action), link)
