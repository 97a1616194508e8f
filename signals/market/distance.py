"""Distances from an entry price, as settings and mappings spell them: `3%` or `2ATR`."""

import re
from dataclasses import dataclass
from typing import Self

SPELLING = re.compile(r"(\d+(?:\.\d+)?)\s*(%|ATR)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SpelledDistance:
    """A percentage of the entry, or a multiple of its ATR: `unit` is `%` or `ATR`."""

    amount: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a distance such as `3%` or `2ATR`. Raises `ValueError` if `text` is neither."""
        found = SPELLING.fullmatch(text.strip())
        if not found or not float(found[1]) > 0:
            raise ValueError(f"{text!r} is not a distance: write it as 3% or 2ATR")
        return cls(float(found[1]), found[2].upper())

    def percent_of(self, entry: float) -> float | None:
        """Return the distance in the entry's currency; None if it is not a percentage."""
        return entry * self.amount / 100 if self.unit == "%" else None
