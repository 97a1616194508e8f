"""A vote: one source's opinion on a symbol."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Where a price is thought to go; NEUTRAL is an opinion too, unlike an abstention."""

    BUY = "BUY"
    SELL = "SELL"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True, slots=True)
class Vote:
    """What `source` thinks, how sure it is (0 to 100), and the figures that it saw.

    Raises `ValueError` for a confidence outside 0 to 100 and for a figure that is not finite: NaN
    would pass every limit further on.
    """

    source: str
    direction: Direction
    confidence: float
    figures: Mapping[str, float]

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 100:
            raise ValueError(f"{self.source}: confidence {self.confidence} is not within 0 to 100")
        for name, value in self.figures.items():
            if not math.isfinite(value):
                raise ValueError(f"{self.source}: figure {name} is {value}, not a finite number")

    def as_dict(self) -> dict[str, object]:
        """The vote in plain values, as a signal carries it."""
        return {
            "source": self.source,
            "direction": str(self.direction),
            "confidence": self.confidence,
            "figures": dict(self.figures),
        }

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.figures.items())
        return f"{self.source} votes {self.direction} at {self.confidence:.1f}% ({figures})"
