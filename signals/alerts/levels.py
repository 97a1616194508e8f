"""Target and stop of an alert's signal: from the alert, or by the mapping's distance from entry."""

import math
from collections.abc import Mapping as Table
from typing import NamedTuple

from argo.errors import FieldError
from signals.alerts.mapping import Mapping
from signals.market.distance import SpelledDistance
from signals.market.instruments import Instrument


class Levels(NamedTuple):
    """The two prices; each may be a distance by the ATR, which only the market can tell."""

    target: float | SpelledDistance
    stop: float | SpelledDistance

    @property
    def prices(self) -> tuple[float, float] | None:
        """Return both prices; None if the market is needed for one."""
        if isinstance(self.target, SpelledDistance) or isinstance(self.stop, SpelledDistance):
            return None
        return self.target, self.stop


def levels_of(
    action: str,
    entry: float,
    given: Table[str, float | None],
    mapping: Mapping,
    instrument: Instrument,
) -> tuple[Levels | None, list[FieldError]]:
    """Return the levels, or the faults that make them impossible."""
    up = 1 if action == "BUY" else -1
    rules = (("target", mapping.target, up), ("stop", mapping.stop, -up))
    found: list[float | SpelledDistance] = []
    faults = []
    for name, rule, sign in rules:
        percent = given[f"{name}_percent"]
        distance = rule if percent is None else SpelledDistance(percent, "%")
        level = given[name] if given[name] is not None else distance
        if isinstance(level, SpelledDistance):
            level = by_percent(level, entry, sign, instrument)
        if level is None:
            faults.append(FieldError(name, "is missing, and the mapping has no rule for it"))
        else:
            found.append(level)
    return (None, faults) if faults else (Levels(*found), [])


def by_percent(
    distance: SpelledDistance, entry: float, sign: int, instrument: Instrument
) -> float | SpelledDistance:
    """Return the price at a distance in percent; another distance is returned as it is."""
    if (away := distance.percent_of(entry)) is None:
        return distance
    level = entry + sign * away
    return instrument.rounded(level) if math.isfinite(level) else level  # refused as a price
