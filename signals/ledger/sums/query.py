"""A question about many signals, and how the sums or a scan can answer it."""

from dataclasses import dataclass
from functools import cached_property

from pydantic import Field, field_validator

from signals.ledger.queries import SignalFilter
from signals.ledger.sums.periods import Piece, Span, pieces, span_of, whole_days
from signals.ledger.sums.statements import BIN, BINS, DIMENSIONS
from signals.ledger.validation import Label

BY = ("symbol", "strategy", "action", "outcome", "origin", "confidence", "day")
MOST_KEYS = 2


class StatsQuery(SignalFilter):
    """Selects signals and what to group them by."""

    origin: Label | None = None
    by: str = Field("", description=f"One or two of {', '.join(BY)}, separated by a comma")
    limit: int = Field(100, ge=1, le=1000, description="The most groups in the answer")

    @field_validator("by")
    @classmethod
    def _known(cls, by: str) -> str:
        keys = by.split(",") if by else []
        if set(keys) - set(BY) or len(set(keys)) < len(keys) or len(keys) > MOST_KEYS:
            raise ValueError(f"takes one or two of {', '.join(BY)}, separated by a comma")
        return by

    @property
    def keys(self) -> tuple[str, ...]:
        """Return what to group by."""
        return tuple(self.by.split(",")) if self.by else ()

    @property
    def span(self) -> Span:
        """Return the timestamps of the range."""
        return span_of(self.since, self.until)

    def equalities(self) -> dict[str, tuple[str, ...]]:
        """Return the values that each of these columns must have."""
        wanted = {
            "strategy": self.strategy,
            "action": self.action,
            "origin": self.origin,
            "outcome": self.outcome,
        }
        given = {name: (value,) for name, value in wanted.items() if value is not None}
        return ({"symbol": self.spellings.names} if self.spellings else {}) | given


@dataclass(frozen=True)
class SumsPlan:
    """Answers `query` from the sums of one dimension."""

    query: StatsQuery
    dimension: str

    @cached_property
    def days(self) -> Span:
        """Return the days that the sums count; the rest of the range is scanned."""
        return whole_days(self.query.span)

    @property
    def pieces(self) -> list[Piece]:
        """Return the periods to read; single days if the answer is by day."""
        return [Piece("day", self.days)] if "day" in self.query.keys else pieces(self.days)


def plan(query: StatsQuery) -> SumsPlan | None:
    """Return how the sums answer the query, or None if they cannot."""
    if query.spellings and query.spellings.others:
        return None  # the sums do not tell the instruments of one spelling apart
    if query.max_confidence is not None or not _is_bin_edge(query.min_confidence):
        return None
    filtered = {*query.equalities(), *(["confidence"] if query.min_confidence else [])}
    needed = (filtered | set(query.keys)) - {"outcome", "day"}
    for dimension, columns in DIMENSIONS.items():
        if set(columns) == needed:
            found = SumsPlan(query, dimension)
            return None if found.days.is_empty else found
    return None


def _is_bin_edge(confidence: float | None) -> bool:
    return confidence is None or confidence in BINS


def bin_at(confidence: float) -> str:
    """Return the name of the bin that begins at this confidence."""
    return BINS[int(confidence) // BIN * BIN]
