"""Answers by a scan of the newest signals in the range: for what the sums do not have."""

from signals.ledger.instants import has_instants
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.source import Conditions, Counted, Source, columns, needed, select
from signals.ledger.sums.statements import INSTANT, grouped, stored

SCAN_LIMIT = 50_000
"""The most signals that a scan reads, newest first."""


def from_scan(query: StatsQuery, using: str) -> Source:
    """Return the rows for an answer.

    The signals are found by an index: signals_time, or signals_symbol_time for one symbol.
    """
    conditions = Conditions()
    newest = _newest(query, conditions, using)
    last = select(
        using,
        f"SELECT moment FROM ({newest}) AS newest ORDER BY moment DESC LIMIT 2 "  # noqa: S608
        f"OFFSET {SCAN_LIMIT - 1}",
        conditions.values,
    )
    since = last[0][0] if len(last) == 2 else None
    confidences = conditions.compare("s.confidence", ">=", query.min_confidence)
    confidences += conditions.compare("s.confidence", "<=", query.max_confidence)
    names = needed(query)
    rows = f"(SELECT * FROM ({newest}) AS newest ORDER BY moment DESC, id DESC LIMIT {SCAN_LIMIT})"  # noqa: S608
    scanned = grouped([stored(f"TRUE{confidences}", rows, names)], names)
    selected = conditions.selected(query, {}, binned=False)
    return Source(
        f"SELECT {', '.join(columns(query))} FROM ({scanned}) AS scanned WHERE TRUE{selected}",  # noqa: S608
        conditions.values,
        Counted(since=since),
    )


def _newest(query: StatsQuery, conditions: Conditions, using: str) -> str:
    """Return a SELECT of at least the newest signals that a scan reads, each with its `moment`.

    Those with an instant are a part of their own: each part is found by its index.
    """
    among = conditions.among("s.symbol", query.equalities().get("symbol", ()))
    for other in query.spellings.others if query.spellings else ():
        among += conditions.unless(dict(zip(("s.symbol", "s.asset_type"), other, strict=True)))

    def part(moment: str, rows: str, where: str) -> str:
        within = conditions.within(moment, query.span)
        return (
            f"SELECT s.*, {moment} AS moment FROM {rows} WHERE {where}{among}{within} "  # noqa: S608
            f"ORDER BY {moment} DESC, s.id DESC LIMIT {SCAN_LIMIT + 1}"
        )

    if not has_instants(using):
        return part("s.timestamp", "signals s", "TRUE")
    parts = [
        part("s.timestamp", f"signals s {INSTANT}", "i.id IS NULL"),
        part("i.at", "signal_instants i JOIN signals s ON s.id = i.id", "TRUE"),
    ]
    return " UNION ALL ".join(f"SELECT * FROM ({each}) AS part" for each in parts)  # noqa: S608
