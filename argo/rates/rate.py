"""The generic cell rate algorithm (GCRA; ITU-T I.371): a token bucket whose state is one time.

The state is the theoretical arrival time: when a caller who sends at exactly the rate would send
next. A caller may be ahead of it by one whole period, so that bursts of `limit` pass.
"""

import math
from typing import NamedTuple

ROUNDING = 1e-6
"""Seconds: sums of fractions differ by less."""


class Rate(NamedTuple):
    """Requests within a period."""

    limit: int
    seconds: float = 60.0

    @property
    def spacing(self) -> float:
        """Return the seconds between two requests at exactly this rate."""
        return self.seconds / self.limit


class Verdict(NamedTuple):
    """Whether a request passes, how many more would pass now, and in how many seconds all would.

    `wait` is the number of seconds after which the request would pass, and `arrival` the state to
    keep; it is as it was if the request does not pass.
    """

    passes: bool
    remaining: int
    reset: float
    wait: float
    arrival: float


def judge(rate: Rate, arrival: float, now: float) -> Verdict:
    """Return whether a request passes now. `arrival` is the state, 0 for a new caller.

    A state further ahead than a period comes from a clock that was ahead, and counts as now.
    """
    if not now < arrival <= now + rate.seconds + ROUNDING:
        arrival = now
    ahead = arrival + rate.spacing - now
    if ahead > rate.seconds + ROUNDING:
        return Verdict(False, 0, arrival - now, ahead - rate.seconds, arrival)
    remaining = math.floor((rate.seconds - ahead) / rate.spacing + ROUNDING)
    return Verdict(True, remaining, ahead, 0.0, now + ahead)
