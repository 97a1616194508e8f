"""The comparison of one signal's worlds, in its story."""

from datetime import datetime
from typing import Any

from argo.reports.divergence.comparing import OwnSignal, compare
from argo.reports.divergence.section import compared_row
from argo.reports.explain.prices import is_price
from execution.types import Side
from signals.market.instruments import Instrument
from signals.models import Signal

Fields = dict[str, Any]


def divergence_story(
    signal: Signal, about: Instrument | None, made_at: datetime | None, seconds: float
) -> Fields:
    """Return the signal side by side with its trade and its backtest; `problem` says why it cannot
    be compared. The market's data takes `seconds` at most."""
    prices = (signal.entry_price, signal.stop_price, signal.target_price)
    if about is None or made_at is None or not all(map(is_price, prices)):
        return {"problem": "its time, its prices or its instrument are not valid"}
    side = Side(signal.action)
    own = OwnSignal(signal.signal_id, about.symbol, made_at, side, *map(float, prices))
    found = compare([own], seconds=seconds)
    if found.rows:
        return compared_row(found.rows[0]) | {"problem": None}
    return {"problem": next(iter(found.others), found.problem)}
