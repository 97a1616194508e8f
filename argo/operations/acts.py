"""The page of acts: who changed what, when and why, with filters."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, QueryDict

from signals import acts
from signals.clock import utc_now

PER_PAGE = 100
LARGEST_KEY = 2**63 - 1
ALL = [("", "all"), *((kind.value, kind.value) for kind in acts.Kind)]


QUICK = (("Today", 0, 0), ("Yesterday", 1, 1), ("Last 7 days", 6, 0))
"""Spans of days: their names, and how many days ago they begin and end."""


class Quick(NamedTuple):
    """A span of days, the query that chooses it, and whether it is chosen."""

    title: str
    query: str
    is_chosen: bool


class ActsForm(forms.Form):
    """The filters; days are those of UTC."""

    kind = forms.ChoiceField(choices=ALL, required=False)
    who = forms.CharField(
        required=False, max_length=200, help_text="The whole name, such as admin:anna or api:bot"
    )
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))
    after = forms.IntegerField(
        required=False, min_value=1, max_value=LARGEST_KEY, widget=forms.HiddenInput
    )


def content(request: HttpRequest) -> dict[str, Any]:
    """Return the form and a page of acts, the newest first; none if a filter is invalid."""
    form = ActsForm(request.GET)
    quick = _quick(request.GET, utc_now().date())
    if not form.is_valid():
        return {"form": form, "rows": [], "more": None, "is_filtered": True, "quick": quick}
    wanted = form.cleaned_data
    found = acts.page(
        PER_PAGE,
        after=wanted["after"],
        kind=wanted["kind"],
        who=wanted["who"],
        since=_begin(wanted["since"]),
        until=_begin(wanted["until"] and wanted["until"] + timedelta(days=1)),
    )
    filters = {name: str(value) for name, value in wanted.items() if value and name != "after"}
    more = urlencode(filters | {"after": found.following}) if found.following else None
    shown = {"form": form, "rows": found.rows, "more": more}
    return shown | {"is_filtered": bool(filters), "quick": quick}


def _quick(given: QueryDict, today: date) -> list[Quick]:
    """Return the spans of days that one click chooses; the other filters stay."""
    kept = {name: given[name] for name in ("kind", "who") if given.get(name)}
    spans = {
        title: {"since": f"{today - timedelta(begin)}", "until": f"{today - timedelta(end)}"}
        for title, begin, end in QUICK
    }
    return [
        Quick(title, urlencode(kept | span), span.items() <= given.dict().items())
        for title, span in spans.items()
    ]


def _begin(day: Any) -> datetime | None:  # noqa: ANN401  # a date, or nothing
    return datetime.combine(day, time(), UTC) if day else None
