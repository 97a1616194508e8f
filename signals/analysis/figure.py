"""A figure: a number with what it counts, how sure it is, and what it means."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from signals.analysis.definitions import DEFINITIONS, Definition


class Interval(NamedTuple):
    """The range in which the true value probably lies; `level` is 0.95 for 95 percent."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True)
class Figure:
    """A figure of the name in `DEFINITIONS`.

    Attributes:
        value: the number, in the unit of its definition; None if it is undefined.
        n: how many cases it counts.
        interval: where the true value probably lies; None if that was not computed.
        null_because: why `value` is None.
    """

    name: str
    value: float | None
    n: int
    interval: Interval | None = None
    null_because: str | None = None

    @property
    def definition(self) -> Definition:
        """Return what the figure means."""
        return DEFINITIONS[self.name]

    def as_json(self) -> dict[str, Any]:
        """Return the figure as the API and the report give it."""
        interval = None if self.interval is None else self.interval._asdict()
        return {
            "value": self.value,
            "n": self.n,
            "interval": interval,
            "definition": self.definition.text,
            "null_because": self.null_because,
        }


def figure(
    name: str, value: float, n: int, *, interval: Interval | None = None, because: str | None = None
) -> Figure:
    """Return the figure; NaN means that it is undefined.

    The reason is `because`, or what the definition says. Raises ValueError if `value` is infinite:
    a formula has missed a case.
    """
    if math.isinf(value):
        raise ValueError(f"{name} is infinite")
    if math.isnan(value):
        return undefined(name, n, because)
    return Figure(name, float(value), n, interval)


def undefined(name: str, n: int, because: str | None = None) -> Figure:
    """Return a figure without a value."""
    return Figure(name, None, n, None, because or DEFINITIONS[name].undefined)
