"""Answers from the sums of one dimension, and from what the sums do not have.

These are signals and outcome changes that are not summed yet, and the parts of days at the ends
of the range.
"""

from typing import NamedTuple

from signals.ledger.sums.periods import Piece, edges
from signals.ledger.sums.query import SumsPlan
from signals.ledger.sums.source import Conditions, Counted, Source, columns, needed, select
from signals.ledger.sums.statements import DIMENSIONS, INSTANT, grouped, moves, stored
from signals.ledger.sums.update import Position, summed_up_to

TAIL_LIMIT = 20_000
"""The most signals, and the most outcome changes, that are counted before they are summed. The
parts of days may have as many signals too."""
SUMS_LIMIT = 100_000
"""The most sums that one answer reads."""


class Late(NamedTuple):
    """What is stored but not summed: rows after `summed`. Those up to `upto` are counted.

    `pending` is about how many rows come after that.
    """

    summed: Position
    upto: Position
    pending: int


def from_sums(found: SumsPlan, using: str) -> Source | None:
    """Return the rows for an answer, or None if it would read too many of them."""
    late = _late(using)
    conditions = Conditions()
    sums = [_sums(found, piece, conditions) for piece in found.pieces]
    parts = _parts_of_days(found, late, conditions, using)
    signals = [f"FROM signals s {INSTANT} WHERE {part}" for part in parts]
    if _more_than(SUMS_LIMIT, sums, conditions, using):
        return None
    if parts and _more_than(TAIL_LIMIT, signals, conditions, using):
        return None
    names = {"day": "period", **_names(found)}
    wanted = columns(found.query)
    read = ", ".join(f"{names.get(name, name)} AS {name}" for name in wanted)
    added = _not_summed(found, late, parts, conditions, using)
    selected = conditions.selected(found.query, {})
    rows = [
        *(f"SELECT {read} {each}" for each in sums),
        f"SELECT {', '.join(wanted)} FROM ({added}) AS added WHERE TRUE{selected}",  # noqa: S608
    ]
    return Source(" UNION ALL ".join(rows), conditions.values, Counted(pending=late.pending))


def _late(using: str) -> Late:
    summed = summed_up_to(using)
    signal, more_signals = _tail(using, "signals", summed.signal)
    change, more_changes = _tail(using, "outcome_changes", summed.change)
    return Late(summed, Position(signal, change), more_signals + more_changes)


def _tail(using: str, table: str, after: int) -> tuple[int, int]:
    """Return the last id that is counted, and about how many rows come after it."""
    tail = f"SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT {TAIL_LIMIT}"  # noqa: S608
    statement = f"SELECT (SELECT max(id) FROM ({tail}) AS tail), (SELECT max(id) FROM {table})"  # noqa: S608
    ((counted, last),) = select(using, statement, [after])
    return (counted, last - counted) if counted else (after, 0)


def _names(found: SumsPlan) -> dict[str, str]:
    """Return which columns of the sums have the values of the dimension."""
    return dict(zip(DIMENSIONS[found.dimension], ("value", "other"), strict=False))


def _sums(found: SumsPlan, piece: Piece, conditions: Conditions) -> str:
    """Return the FROM and WHERE that select the sums of these periods."""
    periods = "" if piece.grain == "all" else conditions.within("period", piece.periods)
    return (
        f"FROM signal_sums WHERE dimension = '{found.dimension}' AND grain = '{piece.grain}'"
        f"{periods}{conditions.selected(found.query, _names(found))}"
    )


def _parts_of_days(found: SumsPlan, late: Late, conditions: Conditions, using: str) -> list[str]:
    """Return the conditions that select the summed signals in the parts of days."""
    return [
        f"s.id <= {late.summed.signal}{times}"
        for part in edges(found.query.span, found.days)
        for times in conditions.at_times(part, using)
    ]


def _not_summed(
    found: SumsPlan, late: Late, parts: list[str], conditions: Conditions, using: str
) -> str:
    """Return a SELECT that sums what the sums do not have."""
    (signal, change), upto, names = late.summed, late.upto, needed(found.query)
    late_signals = f"s.id > {signal} AND s.id <= {upto.signal}"
    late_changes = f"c.id > {change} AND c.id <= {upto.change} AND c.signal_id <= {signal}"
    tail = conditions.at_times(found.query.span, using)
    rows = [*(f"{late_signals}{times}" for times in tail), *parts]
    changes = [f"{late_changes}{times}" for times in conditions.at_times(found.days, using)]
    added = [stored(where, names=names) for where in rows]
    moved = [moves(where, names=names) for where in changes]
    return grouped([*added, *moved], names)


def _more_than(limit: int, sources: list[str], conditions: Conditions, using: str) -> bool:
    rows = " UNION ALL ".join(f"SELECT 1 AS one {each}" for each in sources)
    limited = f"SELECT one FROM ({rows}) AS found LIMIT {limit + 1}"  # noqa: S608
    statement = f"SELECT count(*) FROM ({limited}) AS limited"  # noqa: S608
    ((count,),) = select(using, statement, conditions.values)
    return bool(count > limit)
