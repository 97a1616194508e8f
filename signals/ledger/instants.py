"""Compares signals by the instant that their timestamps mean, whatever its spelling.

Argo's own timestamps sort by time, to the second. Those of imported signals may not: then the table
of instants has what they mean. It is empty unless such signals were imported.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connections
from django.db.models import Q, QuerySet

from signals.models import Signal
from signals.timestamps import instant_text, range_end, range_start

_INSERT = (
    "INSERT INTO signal_instants (id, symbol, at) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING"
)
_EXISTS = "SELECT EXISTS (SELECT 1 FROM signal_instants)"


class Place(NamedTuple):
    """Where a signal stands in the order of time: the text of its instant, and its row."""

    at: str
    row: int


def insert_instants(using: str, rows: Iterable[tuple[int, str, str]]) -> None:
    """Store the instants of those signals that need one.

    A row is the primary key, the symbol and the timestamp.
    """
    needed = [
        (row, symbol, at)
        for row, symbol, timestamp in rows
        if (at := instant_text(timestamp)) is not None
    ]
    if needed:
        with connections[using].cursor() as cursor:
            cursor.executemany(_INSERT, needed)


def has_instants(using: str = "default") -> bool:
    """Return whether there are timestamps that do not sort by time."""
    with connections[using].cursor() as cursor:
        cursor.execute(_EXISTS)
        return bool(cursor.fetchone()[0])


def within(
    signals: QuerySet[Signal], since: datetime | None, until: datetime | None
) -> QuerySet[Signal]:
    """Return the signals from the second of `since` up to and including the second of `until`."""
    if since is None and until is None:
        return signals
    plain, own = _between("timestamp", since, until), _between("instant__at", since, until)
    if not has_instants():
        return signals.filter(plain)
    return signals.filter((Q(instant=None) & plain) | (Q(instant__isnull=False) & own))


def newest(
    signals: QuerySet[Signal],
    count: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Place | None = None,
    symbols: Sequence[str] = (),
) -> list[Place]:
    """Return the places of the newest `count` signals in the range, newest first.

    `after` is where an earlier call has ended. `symbols` are those that `signals` may have.
    """
    own = _newest_own(signals, count, _between("instant__at", since, until), after, symbols)
    plain = signals.filter(_between("timestamp", since, until), instant=None)
    if len(own) == count:  # nothing older is wanted: do not walk past it
        plain = plain.filter(timestamp__gte=own[-1].at)
    by_text = newest_by_text(plain, count, after=after, symbols=symbols)
    found = [Place(*row) for row in by_text.values_list("timestamp", "pk")[:count]]
    return sorted([*own, *found], reverse=True)[:count]


def newest_by_text(
    signals: QuerySet[Signal], count: int, *, after: Place | None, symbols: Sequence[str]
) -> QuerySet[Signal]:
    """Return the signals, newest first by their timestamps: at least the first `count` of them.

    With several symbols the newest of each are found by the index; the database would sort them
    all.
    """
    if after is not None:
        signals = signals.filter(_after("timestamp", "pk", after))
    ordered = signals.order_by("-timestamp", "-id")
    if len(symbols) < 2:
        return ordered
    newest = (ordered.filter(symbol=each).values_list("pk", flat=True)[:count] for each in symbols)
    rows = [row for each in newest for row in each]
    return Signal.objects.filter(pk__in=rows).order_by("-timestamp", "-id")


def _newest_own(
    signals: QuerySet[Signal], count: int, between: Q, after: Place | None, symbols: Sequence[str]
) -> list[Place]:
    """Return the newest of those that have an instant."""
    rows = signals.filter(between, instant__isnull=False)
    if after is not None:
        rows = rows.filter(_after("instant__at", "instant__pk", after))
    if symbols:
        rows = rows.filter(instant__symbol__in=symbols)
    ordered = rows.order_by("-instant__at", "-instant__pk").values_list("instant__at", "pk")
    return list(map(Place._make, ordered[:count]))


def _between(column: str, since: datetime | None, until: datetime | None) -> Q:
    found = Q()
    if since is not None:
        found &= Q(**{f"{column}__gte": range_start(since)})
    if until is not None:
        found &= Q(**{f"{column}__lt": range_end(until)})
    return found


def _after(column: str, key: str, place: Place) -> Q:
    same = Q(**{column: place.at, f"{key}__gte": place.row})
    return Q(**{f"{column}__lte": place.at}) & ~same
