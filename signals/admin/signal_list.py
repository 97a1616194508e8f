"""One page of the list of signals: by index and kept sums, and else by a bounded scan."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.options import IncorrectLookupParameters
from pydantic import ValidationError

from argo.errors import InvalidInput
from signals.admin.changelist import KeysetChangeList, ListPage
from signals.admin.choices import NONE
from signals.ledger.pages import find_places
from signals.ledger.scan import MAX_LOOKED_AT
from signals.ledger.spellings import spellings_of
from signals.ledger.sums.answer import stats
from signals.ledger.sums.query import StatsQuery, plan
from signals.timestamps import utc_text

OWN_TABLES = ("regime", "decision", "reason", "delivery")
"""Filters by what other tables than that of signals have."""
NARROWER = {"since": max, "until": min}
"""Of two filters by time both must hold."""


def read_page(changes: KeysetChangeList, limit: int) -> ListPage:
    """Return the page; its rows are sorted by time, the newest first.

    Filters that `SignalFilter` has decide which days are looked at; conditions of other tables,
    which the list's queryset has, are checked row by row. Raises IncorrectLookupParameters.
    """
    if changes.is_indexed:
        return ListPage(list(changes.queryset[:limit]))
    try:
        wanted = StatsQuery(**(fields := _fields(changes)))
        among = changes.queryset if changes.is_narrowed else None
        places, following = find_places(wanted, limit, changes.after, among)
    except (InvalidInput, ValidationError) as error:
        raise IncorrectLookupParameters(str(error)) from error
    found = changes.root_queryset.in_bulk([place.row for place in places])
    is_short = following is not None and len(places) < limit
    total = "" if changes.is_narrowed or changes.after else _total(wanted)
    rows = [found[place.row] for place in places]
    looked_at = MAX_LOOKED_AT if is_short else None
    return ListPage(rows, following, looked_at, total, _export(changes, fields))


def _fields(changes: KeysetChangeList) -> dict[str, Any]:
    """Return the fields of `SignalFilter` that the filters and the search set."""
    fields: dict[str, Any] = {}
    for spec in changes.filter_specs:
        for name, value in getattr(spec, "selects", dict)().items():
            both = (fields.get(name, value), value)
            fields[name] = NARROWER.get(name, max)(both)
    if (symbol := changes.query.strip()) and fields.setdefault("symbol", symbol) != symbol:
        changes.queryset = spellings_of(symbol).of(changes.queryset)
    return fields


def _export(changes: KeysetChangeList, fields: dict[str, Any]) -> str | None:
    """Return the filters as the query of an export; None if one of them has no such parameter."""
    own = {name: value for name in OWN_TABLES if (value := changes.params.get(name))}
    has_both = changes.query.strip() not in ("", fields.get("symbol"))
    if has_both or NONE in own.values() or "delivery" in own:
        return None
    texts = {name: utc_text(fields[name]) for name in NARROWER if name in fields}
    return urlencode(fields | texts | own)


def _total(wanted: StatsQuery) -> str:
    """Return how many signals there are by the kept sums; nothing if they do not know."""
    if plan(wanted) is None:
        return ""
    answer = stats(wanted)
    about = "" if answer.exact else "about "
    return f"of {about}{answer.total.n:,} signals"
