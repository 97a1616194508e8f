"""Compares signals by the instant that their timestamps mean, whatever its spelling.

Argo's own timestamps sort by time, to the second. Those of imported signals may not: then the table
of instants has what they mean. It is empty unless such signals were imported.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Q, QuerySet

from signals.models import Signal, SignalInstant
from signals.timestamps import instant_text, range_end, range_start

_INSERT = (
    "INSERT INTO signal_instants (id, symbol, at) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING"
)
_EXISTS = "SELECT EXISTS (SELECT 1 FROM signal_instants)"


class Place(NamedTuple):
    """Where a signal stands in the order of time: the text of its instant, and its row."""

    at: str
    row: int


class Order(NamedTuple):
    """The order of a list by a column and the row: its prefix for Django, and the lookup of what
    follows."""

    prefix: str
    follows: str
    precedes: str

    def by(self, *columns: str) -> list[str]:
        """Return the columns as Django sorts by them."""
        return [f"{self.prefix}{column}" for column in columns]

    def after(self, column: str, key: str, place: tuple[object, int]) -> Q:
        """Select what follows `place` in this order."""
        same = Q(**{column: place[0], f"{key}__{self.precedes}e": place[1]})
        return Q(**{f"{column}__{self.follows}e": place[0]}) & ~same

    def upto(self, column: str, key: str, place: tuple[object, int]) -> Q:
        """Select what does not follow `place`."""
        same = Q(**{column: place[0], f"{key}__{self.follows}": place[1]})
        return Q(**{f"{column}__{self.precedes}e": place[0]}) & ~same


DOWN, UP = Order("-", "lt", "gt"), Order("", "gt", "lt")
"""Newest or largest first, and oldest or smallest first."""


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
    upto: Place | None = None,
    symbols: Sequence[str] = (),
    order: Order = DOWN,
) -> list[Place]:
    """Return the places of the first `count` signals in the range, newest first, or in `order`.

    `after` is where an earlier call has ended; nothing that follows `upto` is looked at. `symbols`
    are those that `signals` may have.
    """
    between = _between("instant__at", since, until)
    between &= _upto("instant__at", "instant__pk", upto, order)
    own = _first_own(signals, count, between, after, symbols, order)
    between = _between("timestamp", since, until) & _upto("timestamp", "pk", upto, order)
    plain = signals.filter(between, instant=None)
    if len(own) == count:  # nothing later in the order is wanted: do not walk past it
        plain = plain.filter(**{f"timestamp__{order.precedes}e": own[-1].at})
    by_text = newest_by_text(plain, count, after=after, symbols=symbols, order=order)
    found = [Place(*row) for row in by_text.values_list("timestamp", "pk")[:count]]
    return sorted([*own, *found], reverse=order is DOWN)[:count]


def newest_by_text(
    signals: QuerySet[Signal], count: int, *, after: Place | None, symbols: Sequence[str],
    order: Order = DOWN,
) -> QuerySet[Signal]:  # fmt: skip
    """Return the signals, newest first by their timestamps, or in `order`: at least the first
    `count` of them.

    With several symbols the first of each are found by the index; the database would sort them
    all.
    """
    if after is not None:
        signals = signals.filter(order.after("timestamp", "pk", after))
    ordered = signals.order_by(*order.by("timestamp", "id"))
    if len(symbols) < 2:
        return ordered
    first = (ordered.filter(symbol=each).values_list("pk", flat=True)[:count] for each in symbols)
    rows = [row for each in first for row in each]
    return Signal.objects.filter(pk__in=rows).order_by(*order.by("timestamp", "id"))


def place_after(
    count: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Place | None = None,
    symbols: Sequence[str] = (),
    order: Order = DOWN,
) -> Place | None:
    """Return a place such that at most about `count` signals lie between it and `after`.

    Both are in this order of time. It is found by the indexes alone. Return None if there are
    no more signals than that.
    """
    plain = Signal.objects.filter(_between("timestamp", since, until))
    own = SignalInstant.objects.filter(_between("at", since, until))
    if has_instants():
        plain = plain.filter(instant=None)
    if after is not None:
        plain = plain.filter(order.after("timestamp", "pk", after))
        own = own.filter(order.after("at", "pk", after))
    each = [{"symbol": symbol} for symbol in symbols] or [{}]
    found = [
        *(_nth(plain.filter(**only), "timestamp", count, order) for only in each),
        *(_nth(own.filter(**only), "at", count, order) for only in each),
    ]
    nearest = max if order is DOWN else min
    return nearest((place for place in found if place is not None), default=None)


def _nth(rows: QuerySet[Any], column: str, count: int, order: Order) -> Place | None:
    """Return the place of the row number `count` in this order; None if there are fewer."""
    ordered = rows.order_by(*order.by(column, "pk")).values_list(column, "pk")
    return next((Place(*row) for row in ordered[count - 1 : count]), None)


def _first_own(
    signals: QuerySet[Signal], count: int, between: Q, after: Place | None, symbols: Sequence[str],
    order: Order,
) -> list[Place]:  # fmt: skip
    """Return the first of those that have an instant."""
    rows = signals.filter(between, instant__isnull=False)
    if after is not None:
        rows = rows.filter(order.after("instant__at", "instant__pk", after))
    if symbols:
        rows = rows.filter(instant__symbol__in=symbols)
    ordered = rows.order_by(*order.by("instant__at", "instant__pk"))
    return list(map(Place._make, ordered.values_list("instant__at", "pk")[:count]))


def _between(column: str, since: datetime | None, until: datetime | None) -> Q:
    found = Q()
    if since is not None:
        found &= Q(**{f"{column}__gte": range_start(since)})
    if until is not None:
        found &= Q(**{f"{column}__lt": range_end(until)})
    return found


def _upto(column: str, key: str, place: Place | None, order: Order) -> Q:
    return Q() if place is None else order.upto(column, key, place)
