"""A vote: one source's opinion on a symbol."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_FIGURES = 20
MAX_NAME_LENGTH = 40


class Direction(StrEnum):
    """The expected direction of a price; NEUTRAL is an opinion too, unlike an abstention."""

    BUY = "BUY"
    SELL = "SELL"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True, slots=True)
class Vote:
    """A source's direction, its confidence (0 to 100), and the figures behind it.

    Any kind of number is accepted and becomes a float. Raises `ValueError` or `TypeError` if the
    direction is not a `Direction`, the confidence is outside 0 to 100, a figure is not finite (NaN
    would pass every later limit), there are too many figures, or the name of a figure is not
    printable or too long.
    """

    direction: Direction
    confidence: float
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if type(self.direction) is not Direction:
            raise ValueError(f"direction {self.direction!r} is not a Direction")
        object.__setattr__(self, "confidence", float(self.confidence))
        if not 0 <= self.confidence <= 100:
            raise ValueError(f"confidence {self.confidence} is not within 0 to 100")
        object.__setattr__(self, "figures", _plain(self.figures))


def _plain(figures: Mapping[str, float]) -> dict[str, float]:
    if len(figures) > MAX_FIGURES:
        raise ValueError(f"{len(figures)} figures are more than {MAX_FIGURES}")
    plain = {name: float(value) for name, value in figures.items()}
    for name, value in plain.items():
        if not (isinstance(name, str) and name.isprintable() and len(name) <= MAX_NAME_LENGTH):
            raise ValueError(
                f"{name!r} is not a valid name of a figure: printable, at most {MAX_NAME_LENGTH} "
                "characters"
            )
        if not math.isfinite(value):
            raise ValueError(f"figure {name} is {value}, not a finite number")
    return plain


@dataclass(frozen=True, slots=True)
class SourceVote:
    """A source's name, its weight, and its vote; None if it abstained."""

    source: str
    weight: float
    vote: Vote | None

    def as_dict(self) -> dict[str, object]:
        """Return the vote as plain values, as a signal stores it.

        Direction and confidence are None if the source abstained.
        """
        vote = self.vote
        return {
            "source": self.source,
            "direction": str(vote.direction) if vote else None,
            "confidence": vote.confidence if vote else None,
            "weight": self.weight,
            "figures": dict(vote.figures) if vote else {},
        }

    def __str__(self) -> str:
        if self.vote is None:
            return f"{self.source} abstains"
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.vote.figures.items())
        return f"{self.source} {self.vote.direction} at {self.vote.confidence:.0f}% ({figures})"
