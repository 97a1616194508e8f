"""Lists of millions of signals: the time of a page by any filter."""

from collections.abc import Iterator
from typing import Any

from signals.ledger.pages import PageQuery, page
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.rounds import seconds

ROUNDS = 5
FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "of one symbol": {"symbol": "AAPL"},
    "by outcome, which many have": {"outcome": "win"},
    "by outcome, which none has": {"outcome": "breakeven"},
    "by strategy, which none has": {"strategy": "none"},
    "by side, which none has": {"action": "SELL"},
    "by confidence, which few have": {"min_confidence": 99.5},
    "by symbol and outcome": {"symbol": "AAPL", "outcome": "expired"},
}


def figures(of: str) -> Iterator[Figure]:
    """Measure the first page of each filter; the one after it for filters that go on."""
    for what, asked in FILTERS.items():
        query = PageQuery.model_validate(asked)
        yield at_most(f"a page of signals {what}, {of}", _milliseconds(query), 100, " ms")
        _, following = page(query)
        if following is not None:
            later = query.model_copy(update={"after": following})
            yield at_most(f"- the page after it, {of}", _milliseconds(later), 100, " ms")


def _milliseconds(query: PageQuery) -> float:
    """Return the longest time of some calls: the first one meets what is not cached."""
    return max(seconds(lambda: page(query)) for _ in range(ROUNDS)) * 1000
