"""Says of each figure if it is verified, and what it rests on."""

from typing import Any

LINES = (
    "Each line that it counts is in the signed log, its digest fits, and its result follows from "
    "its prices by the formula. Each line that is not shown counts as a loss."
)
SHOWN_LINES = (
    "Each line that it counts is in the signed log, and its digest fits. Lines that are not shown "
    "are left out: nobody knows their confidence."
)
REFUSED = "The bundle has faults, so nothing in it is proved."
RESTS_ON = {
    "record_win_rate": LINES,
    "record_mean_pct": LINES,
    "record_equity_pct": LINES,
    "record_drawdown_pct": LINES,
    "brier_skill": SHOWN_LINES,
    "ece": SHOWN_LINES,
}


def basis_of(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return if a figure is verified, and the sentence on what it rests on."""
    if not found["ok"]:
        return {"verified": False, "basis": REFUSED}
    return {"verified": True, "basis": RESTS_ON[name]}
