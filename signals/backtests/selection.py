"""Selects the signals of a backtest: the stored ones, or those of a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.backtests.rows import SignalRow
from signals.instruments import name_of
from signals.retrieval.selection import Selection as Wanted
from signals.timestamps import instant_text, range_end, range_start

OF_STORE = {
    "as_of": "a file does not say what was known when",
    "decision": "a file has no decisions",
    "reason": "a file has no decisions",
    "account": "a file has no decisions",
}
"""Filters that only stored signals pass or fail, and why."""
SECONDS = 19
"""The length of a time down to the second."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects signals by any filter of `signals.retrieval`, or of what is built on it.

    They are those of `file`, or the stored ones without it. Raises `InvalidInput` if a file cannot
    answer a filter.
    """

    wanted: Wanted
    file: Path | None = None

    def __post_init__(self) -> None:
        if self.file is not None and (faults := list(self._unanswered())):
            raise InvalidInput(faults)

    def as_dict(self) -> dict[str, Any]:
        """Return what it is limited to, as plain values."""
        values = self.wanted.model_dump(mode="json", exclude_none=True)
        return values if self.file is None else values | {"file": str(self.file)}

    def takes(self, row: SignalRow, outcome: object) -> bool:
        """Return whether a signal of a file passes; `outcome` is what the file says of it."""
        return (
            self._takes_values(row._asdict())
            and self._takes_outcome(outcome)
            and self._takes_confidence(row.confidence)
            and (self.wanted.symbol is None or name_of(self.wanted.symbol) == row.instrument)
            and self._takes_second(_second(row.timestamp))
        )

    def _unanswered(self) -> Iterator[FieldError]:
        for name in self.wanted.model_dump(exclude_none=True):
            if name in OF_STORE:
                yield FieldError(f"--{name.replace('_', '-')}", f"{OF_STORE[name]}: omit --file")

    def _takes_values(self, row: Mapping[str, object]) -> bool:
        wanted = {name: getattr(self.wanted, name) for name in _EQUALITIES}
        return all(value in (None, row[name]) for name, value in wanted.items())

    def _takes_outcome(self, outcome: object) -> bool:
        wanted = self.wanted.outcome
        return wanted in (None, outcome) or (wanted == "open" and outcome is None)

    def _takes_confidence(self, confidence: float) -> bool:
        least, most = self.wanted.min_confidence, self.wanted.max_confidence
        return (least is None or confidence >= least) and (most is None or confidence <= most)

    def _takes_second(self, second: str) -> bool:
        since, until = self.wanted.since, self.wanted.until
        return (since is None or second >= range_start(since)) and (
            until is None or second < range_end(until)
        )


_EQUALITIES = ("action", "strategy", "origin", "regime")


def _second(timestamp: str) -> str:
    """Return the second of a time in UTC; empty if it is not a time."""
    meant = instant_text(timestamp)
    return (timestamp if meant is None else meant)[:SECONDS]
