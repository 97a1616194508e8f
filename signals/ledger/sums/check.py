"""Compares the sums with the signals: a day's sums with its signals, longer ones with the days'."""

from collections.abc import Iterator

from signals.dialect import snapshot, tolerant_texts
from signals.ledger.sums.periods import Span
from signals.ledger.sums.source import Conditions, Row, select
from signals.ledger.sums.statements import (
    COUNTS,
    DIMENSIONS,
    KEYS,
    by_dimension,
    grouped,
    moves,
    stored,
)
from signals.ledger.sums.update import Position, summed_up_to

SLICE = 50_000
"""About how many signals one statement sums."""
MOST = 20
"""The most differences that a slice reports."""
_KEYS = ", ".join(KEYS)
_LONGER = {"month": ("day", "substr(period, 1, 7)"), "all": ("month", "''")}
"""The longer grains: each with the shorter grain that it sums, and its period."""


def differences(*, using: str = "default") -> list[str]:
    """Return a sentence for each sum that differs from the signals; at most 20 for each slice.

    Signals and outcome changes that are not summed yet do not matter.
    """
    with snapshot(using), tolerant_texts(using):
        return [_sentence(row) for row in _differing(summed_up_to(using), using)]


def _differing(summed: Position, using: str) -> Iterator[Row]:
    for days in _slices(using):
        yield from _differing_days(days, summed, using)
    for dimension in DIMENSIONS:
        for grain in _LONGER:
            yield from _differing_longer(dimension, grain, using)


def _slices(using: str) -> Iterator[Span]:
    """Yield ranges of days that cover all time, each with few signals."""
    start: str | None = None
    while True:
        conditions = Conditions()
        after = conditions.within("timestamp", Span(start, None))
        statement = (
            f"SELECT substr(timestamp, 1, 10) FROM signals WHERE TRUE{after} "  # noqa: S608
            f"ORDER BY timestamp LIMIT 1 OFFSET {SLICE}"
        )
        found = select(using, statement, conditions.values)
        end = found[0][0] if found else None
        if end is not None and end == start:
            end = _next_day(using, end)
        yield Span(start, end)
        if end is None:
            return
        start = end


def _next_day(using: str, day: str) -> str | None:
    """Return the first day after `day` that has a signal."""
    later = (
        "SELECT substr(timestamp, 1, 10) FROM signals WHERE timestamp > %s "
        "AND substr(timestamp, 1, 10) <> %s ORDER BY timestamp LIMIT 1"
    )
    found = select(using, later, [day, day])
    return found[0][0] if found else None


def _differing_days(days: Span, summed: Position, using: str) -> list[Row]:
    conditions = Conditions()
    late = f"c.id > {summed.change} AND c.signal_id <= {summed.signal}"
    base = grouped([
        part
        for times in conditions.at_times(days, using)
        for part in (stored(f"s.id <= {summed.signal}{times}"), moves(f"{late}{times}", -1))
    ])  # fmt: skip
    sums = f"grain = 'day'{conditions.within('period', days)}"
    compared = _compared(by_dimension("base", ["day"]), sums)
    return select(using, f"WITH base AS MATERIALIZED ({base}) {compared}", conditions.values)


def _differing_longer(dimension: str, grain: str, using: str) -> list[Row]:
    shorter, period = _LONGER[grain]
    same = f"dimension = '{dimension}'"
    expected = (
        f"SELECT dimension, '{grain}' AS grain, {period} AS period, value, other, outcome, "  # noqa: S608
        f"{', '.join(COUNTS)} FROM signal_sums WHERE {same} AND grain = '{shorter}'"
    )
    return select(using, _compared(expected, f"{same} AND grain = '{grain}'"))


def _compared(expected: str, sums: str) -> str:
    """Return a SELECT of what differs: the expected counts less those of the sums."""
    negative = ", ".join(f"-{name}" for name in COUNTS)
    differs = " OR ".join(f"sum({name}) <> 0" for name in COUNTS)
    totals = ", ".join(f"sum({name})" for name in COUNTS)
    return (
        f"SELECT {_KEYS}, {totals} FROM (SELECT {_KEYS}, {', '.join(COUNTS)} "  # noqa: S608
        f"FROM ({expected}) AS expected UNION ALL "
        f"SELECT {_KEYS}, {negative} FROM signal_sums WHERE {sums}) AS both_sides "
        f"GROUP BY {_KEYS} HAVING {differs} LIMIT {MOST}"
    )


def _sentence(row: Row) -> str:
    dimension, _, period, value, other, outcome, n, measured, _ = row
    values = " ".join(filter(None, (value, other)))
    return (
        f"the sum of {dimension} {values} in {period or 'all time'} with the outcome {outcome} "
        f"differs from its signals by {n} signals, {measured} of them with a profit or loss"
    )
