"""Folds the spellings of an instrument into one group.

The sums count each symbol as signals spell it, so that no insert has to look an instrument up. An
answer by symbol adds the spellings up.
"""

from signals.dialect import pairs
from signals.instruments import rules
from signals.ledger.spellings import stale_names
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.source import Source, columns


def folded(query: StatsQuery, source: Source, using: str) -> Source:
    """Return the rows with each symbol replaced by the one name of its instrument.

    A spelling that is not stored yet, or that means several instruments, keeps its own name.
    """
    if "symbol" not in query.keys:
        return source
    stale, listed = pairs(using, "%(stale_names)s", stale_names(using=using))
    read = ", ".join(
        "coalesce(named.name, found.symbol) AS symbol" if name == "symbol" else f"found.{name}"
        for name in columns(query)
    )
    rows = (
        f"SELECT {read} FROM ({source.rows}) AS found LEFT JOIN ("  # noqa: S608
        "SELECT spelling, min(instrument) AS name FROM ("
        "SELECT spelling, instrument FROM instrument_spellings WHERE rules = %(rules)s "
        f"UNION ALL {stale}) AS known GROUP BY spelling HAVING count(DISTINCT instrument) = 1"
        ") AS named ON named.spelling = found.symbol"
    )
    values = source.parameters | {"rules": rules(), "stale_names": listed}
    return source._replace(rows=rows, parameters=values)
