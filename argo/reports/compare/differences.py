"""The difference of a figure between two sets of signals, and how sure it is."""

import math
from typing import Any

from argo.reports.wording import SHARES
from signals.analysis.definitions import DEFINITIONS
from signals.analysis.intervals import FEWEST

Section = dict[str, Any]
METHOD = "from the intervals of both sides (Zou and Donner, 2008)"
TOO_FEW = f"fewer than {FEWEST} cases on a side"
NOT_COMPUTED = "none is computed for this figure"
LOWER_IS_BETTER = frozenset(
    ("max_drawdown_days", "longest_losing_streak", "volatility", "brier", "reliability", "log_loss",
     "ece")
)  # fmt: skip
NEITHER_IS_BETTER = frozenset(
    ("exposure", "uncertainty", "median_holding_days", "average_win_pct", "average_loss_pct",
     "best_pct", "worst_pct", "trials")
)  # fmt: skip
"""A larger value of these figures is neither better nor worse."""


def differences(a: Section, b: Section, no_interval: str | None) -> Section:
    """Return each figure that both sections have, with its difference.

    `no_interval` says why no difference of these sections can have an interval; None if it can.
    """
    return {
        name: {"a": a[name], "b": b[name], "difference": difference(name, a, b, no_interval)}
        for name in a
        if name in DEFINITIONS and name in b
    }


def difference(name: str, a: Section, b: Section, no_interval: str | None) -> Section:
    """Return the figure `name` of A less that of B, as a figure.

    `better` is the side that is better beyond luck, as far as one interval can say; None if the
    interval has 0 in it, or if neither is better by having more. `no_interval_because` says why
    there is no interval.
    """
    first, second = a[name], b[name]
    because = _why_null(first, second)
    value = None if because else first["value"] - second["value"]
    reason = because or no_interval or _why_no_interval(first, second)
    interval = None if reason else interval_of_difference(first, second)
    return {
        "value": value,
        "n": first["n"] + second["n"],
        "interval": interval,
        "definition": f"{DEFINITIONS[name].title} of A less that of B; {_unit(name)}.",
        "null_because": because,
        "no_interval_because": reason,
        "better": _better(name, interval),
    }


def interval_of_difference(a: Section, b: Section) -> Section:
    """Return the interval of A less B of two independent figures that have intervals of their own.

    Zou and Donner, Statistics in Medicine 27, 2008, equation 4: the distances from each value to
    the ends of its interval stand for its variance there, so that skewed intervals stay skewed. Of
    two shares with Wilson's intervals it is method 10 of Newcombe, 1998.
    """
    value = a["value"] - b["value"]
    below = math.hypot(a["value"] - a["interval"]["low"], b["interval"]["high"] - b["value"])
    above = math.hypot(a["interval"]["high"] - a["value"], b["value"] - b["interval"]["low"])
    level = a["interval"]["level"]
    return {"low": value - below, "high": value + above, "level": level, "method": METHOD}


def _why_null(a: Section, b: Section) -> str | None:
    sides = (("A", a), ("B", b))
    reasons = [f"{side}: {each['null_because']}" for side, each in sides if each["value"] is None]
    return "; ".join(reasons) or None


def _why_no_interval(a: Section, b: Section) -> str | None:
    if a["interval"] is not None and b["interval"] is not None:
        return None
    return TOO_FEW if min(a["n"], b["n"]) < FEWEST else NOT_COMPUTED


def _unit(name: str) -> str:
    if name in SHARES:
        return "difference of shares"
    return (
        "percentage points" if name.endswith("_pct") else f"in its unit: {DEFINITIONS[name].unit}"
    )


def _better(name: str, interval: Section | None) -> str | None:
    if interval is None or name in NEITHER_IS_BETTER or interval["low"] <= 0 <= interval["high"]:
        return None
    a_has_more = interval["low"] > 0
    return "a" if a_has_more != (name in LOWER_IS_BETTER) else "b"
