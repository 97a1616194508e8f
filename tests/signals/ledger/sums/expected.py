"""The figures that a scan of all rows gives, computed without any SQL of the sums."""

from typing import Any

from signals.ledger.sums.answer import Stats, stats
from signals.ledger.sums.figures import KINDS, Figures, figures_of
from signals.ledger.sums.query import StatsQuery
from signals.models import Signal

Row = dict[str, Any]
QUERIES: list[dict[str, Any]] = [
    {},
    {"by": "symbol"},
    {"by": "strategy"},
    {"by": "action"},
    {"by": "outcome"},
    {"by": "origin"},
    {"by": "confidence"},
    {"by": "day"},
    {"by": "symbol,strategy"},
    {"by": "confidence,outcome"},
    {"by": "day,symbol"},
    {"by": "strategy", "symbol": "MSFT"},
    {"by": "symbol", "strategy": "trend"},
    {"by": "symbol", "outcome": "win"},
    {"by": "outcome", "min_confidence": 75.0},
    {"by": "day", "outcome": "open", "origin": "import"},
    {"symbol": "AAPL", "strategy": "trend", "outcome": "loss"},
    {"by": "symbol", "since": "2025-01-16T00:00:00Z", "until": "2025-03-09T23:59:59Z"},
    {"by": "day", "since": "2025-01-15T12:00:00Z", "until": "2025-03-10T09:30:00Z"},
    {"by": "symbol,strategy", "until": "2025-02-28T17:00:00Z"},
    {"by": "action", "origin": "import"},
    {"by": "strategy", "max_confidence": 80.0, "min_confidence": 61.5},
]
"""Questions that the sums answer, with and without parts of days, and two that they cannot."""


def row_values(signal: Row) -> Row:
    """Return the values by which a signal is grouped."""
    low = min(max(int(signal["confidence"] // 5) * 5, 0), 95)
    return {
        **{name: signal[name] for name in ("symbol", "strategy", "action")},
        "day": signal["timestamp"][:10],
        "outcome": signal["outcome"] or "open",
        "origin": signal["context__origin"] or "adopted",
        "confidence": f"{low:02d}-{low + 5:02d}",
    }


def figures(rows: list[Row]) -> Figures:
    kinds = [row["outcome"] or "open" for row in rows]
    percents = [row["profit_loss_pct"] for row in rows if row["profit_loss_pct"] is not None]
    units = sum(round(max(min(percent, 1e6), -1e6) * 100_000) for percent in percents)
    return figures_of([len(rows), *map(kinds.count, KINDS), len(percents), units])


def assert_equals_a_scan(asked: dict[str, Any], using: str) -> Stats:
    """Compare every figure of the answer with those of a scan; return the answer."""
    query = StatsQuery.model_validate(asked)
    rows = _selected(query, using)
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row_values(row)[name] for name in query.keys)
        groups.setdefault(key, []).append(row)
    answer = stats(query, using=using)
    assert answer.exact
    _assert_alike(answer.total, figures(rows))
    if query.keys:
        found = {tuple(group.values()): each for group, each in answer.items}
        assert found.keys() == groups.keys()
        assert answer.groups == len(groups)
        for key, each in found.items():
            _assert_alike(each, figures(groups[key]))
    return answer


def _selected(query: StatsQuery, using: str) -> list[Row]:
    names = ("symbol", "strategy", "action", "confidence", "timestamp", "outcome")
    found = query.apply(Signal.objects.using(using)).values(
        *names, "profit_loss_pct", "context__origin"
    )
    return [row for row in found if query.origin in (None, row_values(row)["origin"])]


def _assert_alike(found: Figures, wanted: Figures) -> None:
    """Compare; SQL rounds halves of the smallest unit in another way than Python."""
    assert found._replace(profit_loss=0) == wanted._replace(profit_loss=0)
    assert abs(found.profit_loss - wanted.profit_loss) <= wanted.measured
