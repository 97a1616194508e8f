"""Scans the signals of a filter that has no index, in order of time, a bounded number at a time."""

from typing import Any

from django.db.models import QuerySet

from signals.ledger.instants import DOWN, Order, Place, newest, place_after
from signals.ledger.queries import SignalFilter
from signals.ledger.sums.days import BACK, LAST_DAY, ON, next_day
from signals.models import Signal

STRETCH = 10_000
"""Signals that are looked at before the sums are asked again which days can be skipped."""
STRETCHES = 2
MAX_LOOKED_AT = STRETCH * STRETCHES
"""Signals that one scan looks at, at most."""
END_OF_DAY = "T99"
"""Sorts after every time of the day whose text it follows."""
LAST_ROW = 2**63 - 1
FIRST_DAY = ""
"""Sorts before every day, as the day alone sorts before its times."""


def scan(
    wanted: SignalFilter,
    count: int,
    after: Place | None = None,
    among: QuerySet[Signal] | None = None,
    order: Order = DOWN,
) -> tuple[list[Place], Place | None]:
    """Return the places of up to `count` signals that pass, and where the scan ended.

    That is None if there is nothing left to look at, or `count` signals were found. Days without a
    signal that passes are skipped, as far as the sums know them. If `among` is given, only
    signals of it pass. Call it inside `snapshot`.
    """
    signals = wanted.selected(Signal.objects.all() if among is None else among)
    range_: dict[str, Any] = {"since": wanted.since, "until": wanted.until, "order": order}
    range_["symbols"] = wanted.spellings.names if wanted.spellings else ()
    found: list[Place] = []
    place: Place | None = after
    for _ in range(STRETCHES):
        day = next_day(wanted, _day_of(place, order), BACK if order is DOWN else ON)
        if day is None:
            return found, None
        place = _skipped(place, day, order)
        last = place_after(STRETCH, after=place, **range_)
        found += newest(signals, count - len(found), after=place, upto=last, **range_)
        if last is None or len(found) == count:
            return found, None
        place = last
    return found, place


def _day_of(place: Place | None, order: Order) -> str:
    if place is not None:
        return place.at[:10]
    return LAST_DAY if order is DOWN else FIRST_DAY


def _skipped(place: Place | None, day: str, order: Order) -> Place | None:
    """Return where to go on: at the beginning of the day, in this order, if it comes later."""
    if day == _day_of(place, order):
        return place
    if order is DOWN:
        return Place(f"{day}{END_OF_DAY}" if day else day, LAST_ROW)
    return Place(day, 0)
