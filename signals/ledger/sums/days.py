"""Finds by the sums which days may have signals that a filter selects, so that a scan skips the
others."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from signals.ledger.queries import SignalFilter
from signals.ledger.sums.query import bin_at
from signals.ledger.sums.source import select
from signals.ledger.sums.statements import BINS, INSTANT, LONGEST, VALUES
from signals.ledger.sums.update import Position, summed_up_to

MAX_STEPS = 20
"""How often the days of all conditions are compared; the day found then is still no day too low."""
MAX_PENDING = 20_000
"""Signals, or outcome changes, that may wait to be summed; with more of them no day is skipped."""
LAST_DAY = "9999-99"
"""Sorts after every day."""


class Condition(NamedTuple):
    """One dimension of the sums. A selected signal has one of the values."""

    dimension: str
    values: tuple[str, ...]


class Way(NamedTuple):
    """A direction in time: how days are compared with where it goes on, and the first of some."""

    compare: str
    sort: str
    first: str

    def first_of(self, days: Iterable[str | None]) -> str | None:
        """Return the day that comes first on this way; None without any."""
        known = (day for day in days if day is not None)
        return (max if self is BACK else min)(known, default=None)


BACK, ON = Way("<=", "DESC", "max"), Way(">=", "ASC", "min")
"""Back from the newest day, and on from the oldest one."""


def next_day(
    wanted: SignalFilter, start: str, way: Way = BACK, *, using: str = "default"
) -> str | None:
    """Return a day, `start` or one that follows it, before which no signal from `start` on passes.

    A day is the first 10 characters of a time. Return None if no signal from `start` on passes.
    Call it inside `snapshot`: it compares the sums with the signals that are not summed yet.
    """
    pending = _Pending(summed_up_to(using), using, way)
    conditions = list(_conditions(wanted))
    if not conditions or pending.are_many(by_outcome=wanted.outcome is not None):
        return start
    found = _next_summed(conditions, wanted.outcome, start, way, using)
    late = pending.next_day(start, by_outcome=wanted.outcome is not None)
    return way.first_of((found, late))


def _conditions(wanted: SignalFilter) -> Iterator[Condition]:
    """Yield what the sums can compare."""
    if wanted.spellings is not None:
        yield Condition("symbol", tuple(name[:LONGEST] for name in wanted.spellings.names))
    if wanted.strategy is not None:
        yield Condition("strategy", (wanted.strategy[:LONGEST],))
    if wanted.action is not None:
        yield Condition("action", (wanted.action,))
    if origin := getattr(wanted, "origin", None):
        yield Condition("origin", (origin[:LONGEST],))
    if wanted.min_confidence is not None or wanted.max_confidence is not None:
        yield Condition("confidence", _bins(wanted.min_confidence, wanted.max_confidence))
    if wanted.outcome is not None:
        yield Condition("all", ("",))


def _bins(least: float | None, most: float | None) -> tuple[str, ...]:
    first = bin_at(0 if least is None else min(least, 99))
    last = bin_at(99 if most is None else min(most, 99))
    return tuple(name for name in BINS.values() if first <= name <= last)


def _next_summed(
    conditions: list[Condition], outcome: str | None, start: str, way: Way, using: str
) -> str | None:
    """Return the next day that every condition has, or one before it; None without such a day."""
    day = start
    for _ in range(MAX_STEPS):
        before = day
        for each in conditions:
            found = _next_of(each, outcome, day, way, using)
            if found is None:
                return None
            day = found
        if day == before:
            break
    return day


def _next_of(
    condition: Condition, outcome: str | None, start: str, way: Way, using: str
) -> str | None:
    only = "" if outcome is None else "AND outcome = %s"
    first = (
        "SELECT * FROM (SELECT period FROM signal_sums WHERE dimension = %s AND grain = 'day' "  # noqa: S608
        f"AND value = %s AND period {way.compare} %s AND n > 0 {only} "
        f"ORDER BY period {way.sort} LIMIT 1) AS found"
    )
    given = [] if outcome is None else [outcome]
    parameters = [
        each for value in condition.values for each in (condition.dimension, value, start, *given)
    ]
    days = select(using, " UNION ALL ".join([first] * len(condition.values)), parameters)
    return way.first_of(day for (day,) in days)


class _Pending(NamedTuple):
    """The signals and outcome changes that are not summed yet."""

    summed: Position
    using: str
    way: Way

    def are_many(self, *, by_outcome: bool) -> bool:
        """Return whether they are too many to look at."""
        tables = {"signals": self.summed.signal}
        if by_outcome:
            tables["outcome_changes"] = self.summed.change
        return any(self._more(table, last) for table, last in tables.items())

    def next_day(self, start: str, *, by_outcome: bool) -> str | None:
        """Return the first day on the way from `start` of one of them; None without such a day."""
        days = [self._next("signals s", "s.id > %s", self.summed.signal, start)]
        if by_outcome:
            changed = "outcome_changes c JOIN signals s ON s.id = c.signal_id"
            days.append(self._next(changed, "c.id > %s", self.summed.change, start))
        return self.way.first_of(days)

    def _more(self, table: str, last: int) -> bool:
        rows = f"SELECT 1 FROM {table} WHERE id > %s ORDER BY id LIMIT 1 OFFSET {MAX_PENDING}"  # noqa: S608
        return bool(select(self.using, rows, [last]))

    def _next(self, rows: str, where: str, last: int, start: str) -> str | None:
        day, way = VALUES["day"], self.way
        statement = (
            f"SELECT {way.first}({day}) FROM {rows} {INSTANT} "  # noqa: S608
            f"WHERE {where} AND {day} {way.compare} %s"
        )
        ((found,),) = select(self.using, statement, [last, start])
        return None if found is None else str(found)
