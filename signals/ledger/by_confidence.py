"""Pages of signals by confidence. No page reads more than a bounded number of rows."""

from django.db.models import F, QuerySet

from signals.ledger.instants import Order, place_after
from signals.ledger.marks import Rank
from signals.ledger.queries import SignalFilter
from signals.models import Signal

MOST = 4000
"""Signals that one page looks at, at most: they lie anywhere in the table."""
FEW = 10_000
"""Signals of a range of times that are sorted at once: they lie together."""
FIRST, GROWTH = 500, 4
"""Signals that are looked at first, and how many times as many then, until the page is full."""


def ranked(
    wanted: SignalFilter, count: int, after: Rank | None, order: Order
) -> tuple[list[Rank], Rank | None]:
    """Return the places of up to `count` signals that pass, by confidence, and where the search
    ended.

    That is None if there is nothing left to look at, or `count` signals were found. If the range of
    times or the symbol has few signals, these are sorted; else the index of confidence is walked.
    Call it inside `snapshot`.
    """
    if _selects_few(wanted):
        return _sorted(wanted.apply(Signal.objects.all()), count, after, order), None
    found: list[Rank] = []
    size, left = FIRST, MOST
    while left > 0:
        block = _block(min(size, left), after, order)
        places = list(block.values_list("confidence", "pk"))
        if not places:
            return found, None
        among = Signal.objects.filter(pk__in=block.values("pk"))
        found += _sorted(wanted.apply(among), count - len(found), None, order)
        if len(found) == count:
            return found, None
        after, left, size = Rank(*places[-1]), left - len(places), size * GROWTH
    return found, after


def _selects_few(wanted: SignalFilter) -> bool:
    names = wanted.spellings.names if wanted.spellings else ()
    if not (names or wanted.since or wanted.until):
        return False
    return place_after(FEW, since=wanted.since, until=wanted.until, symbols=names) is None


def _sorted(chosen: QuerySet[Signal], count: int, after: Rank | None, order: Order) -> list[Rank]:
    """Sort them by a computed value, so that no database walks the whole index for a few."""
    computed = chosen.alias(rank=F("confidence") + 0.0)
    if after is not None:
        computed = computed.filter(order.after("rank", "pk", after))
    places = computed.order_by(*order.by("rank", "pk")).values_list("confidence", "pk")
    return [Rank(*row) for row in places[:count]]


def _block(size: int, after: Rank | None, order: Order) -> QuerySet[Signal]:
    """Return the signals that follow: those of the same confidence alone, if there are any.

    Millions may have the same one: with both in one condition the database would walk all of them.
    """
    signals = Signal.objects.order_by(*order.by("confidence", "id"))
    if after is None:
        return signals[:size]
    beyond = {f"pk__{order.follows}": after.row}
    same = Signal.objects.filter(confidence=after.confidence, **beyond).order_by(*order.by("id"))
    if same.exists():
        return same[:size]
    return signals.filter(**{f"confidence__{order.follows}": after.confidence})[:size]
