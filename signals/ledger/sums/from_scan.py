"""Answers by a scan of the newest signals in the range: for what the sums do not have."""

from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.source import Conditions, Counted, Source, columns, needed, select
from signals.ledger.sums.statements import grouped, stored

SCAN_LIMIT = 50_000
"""The most signals that a scan reads, newest first."""


def from_scan(query: StatsQuery, using: str) -> Source:
    """Return the rows for an answer.

    The signals are found by an index: signals_time, or signals_symbol_time for one symbol.
    """
    conditions = Conditions()
    where = conditions.within("s.timestamp", query.span)
    where += conditions.among("s.symbol", query.equalities().get("symbol", ()))
    for other in query.spellings.others if query.spellings else ():
        where += conditions.unless(dict(zip(("s.symbol", "s.asset_type"), other, strict=True)))
    newest = f"FROM signals s WHERE TRUE{where} ORDER BY s.timestamp DESC, s.id DESC"
    last = select(
        using,
        f"SELECT s.timestamp {newest} LIMIT 2 OFFSET {SCAN_LIMIT - 1}",
        conditions.values,
    )
    since = last[0][0] if len(last) == 2 else None
    confidences = conditions.compare("s.confidence", ">=", query.min_confidence)
    confidences += conditions.compare("s.confidence", "<=", query.max_confidence)
    names = needed(query)
    rows = f"(SELECT s.* {newest} LIMIT {SCAN_LIMIT})"
    scanned = grouped([stored(f"TRUE{confidences}", rows, names)], names)
    selected = conditions.selected(query, {}, binned=False)
    return Source(
        f"SELECT {', '.join(columns(query))} FROM ({scanned}) AS scanned WHERE TRUE{selected}",  # noqa: S608
        conditions.values,
        Counted(since=since),
    )
