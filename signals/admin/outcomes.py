"""Shows outcomes on admin pages, and sets those of many signals after a preview of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from argo.errors import ArgoError, InvalidInput
from signals.admin.columns import gain, price
from signals.admin.common import who
from signals.admin.markup import outcome
from signals.clock import utc_now
from signals.config import journal
from signals.ledger.outcome_edits import Edit, Edited, Planned, edit_each, planned
from signals.ledger.outcome_history import RecordedOutcome, recorded
from signals.ledger.outcomes import OUTCOMES, derived_outcome
from signals.ledger.validation import LONGEST_WHY
from signals.models import OutcomeChange, Signal

Row = TypeVar("Row", bound=Model)
MOST = 200
"""Signals of one action: each has its row on the page."""


def with_changes(rows: QuerySet[Row], path: str = "changes") -> QuerySet[Row]:
    """Read the changes of all rows with one more query, as `outcome_tag` needs them."""
    return rows.prefetch_related(Prefetch(path, OutcomeChange.objects.order_by("pk")))


def outcome_tag(signal: Signal) -> SafeString:
    """Return the outcome, and if it was edited; select the signal by `with_changes`."""
    return outcome(signal.outcome, edited=recorded(signal, signal.changes.all()).edited)


def result_text(outcome: str | None, exit_price: float | None, percent: float | None) -> str:
    """Return an outcome with its exit price and its profit or loss, as far as there are any."""
    at = f" at {price(exit_price)}" if exit_price is not None else ""
    made = f", {gain(percent)} %" if percent is not None else ""
    return f"{outcome or 'open'}{at}{made}"


class OutcomesForm(forms.Form):
    """Takes the outcome, an exit price for all or for each, and the reason.

    A signal without a price keeps the one that it has.
    """

    outcome = forms.ChoiceField(
        choices=[("", "what follows from the exit price"), *((name, name) for name in OUTCOMES)],
        required=False,
    )
    exit_price = forms.FloatField(
        required=False, label="Exit price for all", help_text="A price in the table goes before it."
    )
    why = forms.CharField(
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 70}),
        help_text="Kept with your name and the time in the outcome changes of each signal.",
    )

    def __init__(self, signals: Sequence[Signal], data: Any = None) -> None:  # noqa: ANN401
        super().__init__(data)
        for signal in signals:
            self.fields[_own_price(signal)] = forms.FloatField(required=False, label="")
            self.fields[_seen(signal)] = forms.CharField(required=False, widget=forms.HiddenInput)

    def wanted(self, signal: Signal) -> dict[str, Any]:
        """Return the fields of the signal's edit. Raises InvalidInput if no outcome follows."""
        given = self.cleaned_data
        prices = (given[_own_price(signal)], given["exit_price"], signal.exit_price)
        exit_price = next((each for each in prices if each is not None), None)
        outcome = given["outcome"] or derived_outcome(signal, exit_price)
        return {"outcome": outcome, "exit_price": exit_price, "why": given["why"]}


@dataclass
class PreviewRow:
    """One signal on the page: how it ended so far, and what would be recorded or why not."""

    signal: Signal
    now: RecordedOutcome
    price_field: forms.BoundField
    plan: Planned | None = None
    faults: str = ""

    @property
    def tag_field(self) -> str:
        return _seen(self.signal)

    @property
    def now_text(self) -> str:
        edited = " (edited)" if self.now.edited else ""
        return f"{result_text(*self.now[1:4])}{edited}"

    @property
    def position_text(self) -> str:
        if self.now.position_decided is None:
            return ""
        if not self.now.edited:
            return "decided by its position"
        return f"its position decided {result_text(*self.now.position_decided[:3])}"

    @property
    def entry(self) -> str:
        return price(self.signal.entry_price)

    @property
    def exit(self) -> str:
        return price(self.plan.exit_price if self.plan else None)

    @property
    def profit(self) -> str:
        return gain(self.plan.profit_loss_pct if self.plan else None)


def set_outcomes(
    model_admin: admin.ModelAdmin[Signal], request: HttpRequest, chosen: QuerySet[Signal]
) -> TemplateResponse | None:
    """Ask for the outcomes, preview them, and record each that is confirmed and still as seen."""
    step = request.POST.get("step")
    signals = _chosen(request, chosen if step is None else with_changes(Signal.objects.all()))
    if len(signals) > MOST:
        messages.error(request, f"Choose at most {MOST} signals at a time.")
        return None
    form = OutcomesForm(signals, request.POST if step else None)
    if step in ("preview", "record") and form.is_valid():
        if step == "record":
            _record(model_admin, request, form, signals)
            return None
        return _page(model_admin, request, form, list(_previews(form, signals)), is_preview=True)
    rows = [PreviewRow(each, _now(each), form[_own_price(each)]) for each in signals]
    return _page(model_admin, request, form, rows, is_preview=False)


def _chosen(request: HttpRequest, signals: QuerySet[Signal]) -> list[Signal]:
    """Return the chosen signals, also those that the list's filter has left out meanwhile."""
    if request.POST.get("step"):
        signals = signals.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
    return list(signals.order_by("-timestamp", "-pk")[: MOST + 1])


def _previews(form: OutcomesForm, signals: Sequence[Signal]) -> Iterator[PreviewRow]:
    for signal in signals:
        row = PreviewRow(signal, _now(signal), form[_own_price(signal)])
        try:
            row.plan = planned(signal, form.wanted(signal))
        except InvalidInput as error:
            row.faults = str(error)
        yield row


def _page(
    model_admin: admin.ModelAdmin[Signal],
    request: HttpRequest,
    form: OutcomesForm,
    rows: Sequence[PreviewRow],
    *,
    is_preview: bool,
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Record these outcomes?" if is_preview else "Set the outcome",
        "form": form,
        "shared": [form[name] for name in ("outcome", "exit_price", "why")],
        "rows": rows,
        "is_preview": is_preview,
        "good": sum(row.plan is not None for row in rows),
    }
    return TemplateResponse(request, "admin/signals/outcomes.html", context)


def _record(
    model_admin: admin.ModelAdmin[Signal],
    request: HttpRequest,
    form: OutcomesForm,
    signals: Sequence[Signal],
) -> None:
    """Record each outcome by itself, and report every one that was refused."""
    edits = [_edit(form, signal) for signal in signals]
    results = edit_each(edits, who=who(request), now=utc_now(), journal=journal())
    for signal, result in zip(signals, results, strict=True):
        if isinstance(result, ArgoError):
            messages.error(request, f"{signal}: {result}")
        elif result.changed:
            text = result_text(*result.recorded[1:4])
            model_admin.log_change(request, signal, f"{text}: {form.cleaned_data['why']}")
    made = [each for each in results if isinstance(each, Edited)]
    changed = sum(each.changed for each in made)
    if made:
        text = f"Outcomes recorded: {changed}. Unchanged: {len(made) - changed}."
        messages.success(request, text)


def _edit(form: OutcomesForm, signal: Signal) -> Edit | InvalidInput:
    try:
        wanted = form.wanted(signal)
    except InvalidInput as error:
        return error
    return Edit(signal.signal_id, wanted, [form.cleaned_data[_seen(signal)]])


def _now(signal: Signal) -> RecordedOutcome:
    return recorded(signal, signal.changes.all())


def _own_price(signal: Signal) -> str:
    return f"exit_price_{signal.pk}"


def _seen(signal: Signal) -> str:
    """Name the field with the ETag that the preview showed."""
    return f"etag_{signal.pk}"
