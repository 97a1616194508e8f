"""Answers questions about many signals: counts, win rate and average profit or loss."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from signals.dialect import snapshot
from signals.ledger.sums.figures import FIGURES, Figures, figures_of
from signals.ledger.sums.folding import folded
from signals.ledger.sums.from_scan import from_scan
from signals.ledger.sums.from_sums import from_sums
from signals.ledger.sums.query import StatsQuery, plan
from signals.ledger.sums.source import Counted, Row, Source, select

_ALL = Counted()


class Stats(NamedTuple):
    """The figures of all signals that a query selects, and of groups of them.

    `groups` is how many groups there are; `items` has the largest ones, or the newest days: each
    group's values by key, and its figures.
    """

    by: tuple[str, ...]
    counted: Counted
    total: Figures
    groups: int = 0
    items: Sequence[tuple[dict[str, str], Figures]] = ()

    @property
    def exact(self) -> bool:
        """Return True if every selected signal is counted."""
        return self.counted == _ALL

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of the API."""
        return {
            "by": self.by,
            "exact": self.exact,
            "counted": self.counted._asdict(),
            "total": self.total.as_dict(),
            "groups": self.groups,
            "items": [group | figures.as_dict() for group, figures in self.items],
        }


def stats(query: StatsQuery, *, using: str = "default") -> Stats:
    """Count the signals that the query selects, in one state of the database.

    The sums answer if they have the query's dimensions; otherwise it is a scan of a bounded
    number of signals, and `exact` says if these were all.
    """
    with snapshot(using):
        return _added_up(query, _source(query, using), using)


def totals(*, using: str = "default") -> Stats:
    """Return the figures of all signals, quickly: `total` has the counts by outcome, the win rate
    and the average profit or loss.

    It reads a few sums, and at most 20,000 signals that are not summed yet; `counted.pending` is
    how many more there are.
    """
    return stats(StatsQuery(), using=using)


def _source(query: StatsQuery, using: str) -> Source:
    found = plan(query)
    source = (found and from_sums(found, using)) or from_scan(query, using)
    return folded(query, source, using)


def _added_up(query: StatsQuery, source: Source, using: str) -> Stats:
    if not query.keys:
        statement = f"SELECT {', '.join(FIGURES)} FROM ({source.rows}) AS found"  # noqa: S608
        (row,) = select(using, statement, source.parameters)
        return Stats((), source.counted, figures_of(row))
    rows = select(using, _ranked(query, source.rows), source.parameters)
    if not rows:
        return Stats(query.keys, source.counted, Figures())
    keys, figures = len(query.keys), len(query.keys) + len(FIGURES)
    groups, *total = rows[0][figures:]
    items = [(_group(query, row), figures_of(row[keys:figures])) for row in rows]
    return Stats(query.keys, source.counted, figures_of(total), groups, items)


def _group(query: StatsQuery, row: Row) -> dict[str, str]:
    return dict(zip(query.keys, row, strict=False))


def _ranked(query: StatsQuery, rows: str) -> str:
    """Return the statement for the groups: the newest days first, or the largest groups.

    After its figures, each row has the number of groups and the figures of all.
    """
    keys, figures = ", ".join(query.keys), ", ".join(FIGURES)
    total = ", ".join(f"sum({figure}) OVER ()" for figure in FIGURES)
    first = "day DESC, " if "day" in query.keys else ""
    return (
        f"SELECT {keys}, {figures}, count(*) OVER (), {total} "  # noqa: S608
        f"FROM ({rows}) AS found GROUP BY {keys} HAVING sum(n) > 0 "
        f"ORDER BY {first}sum(n) DESC, {keys} LIMIT {query.limit}"
    )
