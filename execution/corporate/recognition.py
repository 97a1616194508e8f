"""Recognises a corporate action by the factor that a market's history was multiplied by."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from execution.models import CorporateAction, SeenPrices
from execution.money import ZERO, as_decimal
from signals.market.actions import ActionKind, ListedAction, is_dividend, jump_of, split_of
from signals.market.bars import Bars

REMEMBERED = 3
"""The number of bars that are remembered: one that changed alone was corrected."""
BEFORE = timedelta(days=14)
"""How far back bars are asked for if none is remembered: more than any row of holidays."""
SAME = 0.0005
"""Vendors correct a close by less than this part."""
AGREE = 0.002
"""How far the factors of the remembered bars may be apart."""
MOST_REBASING = 1 / 0.9
"""A history that rose by more than this factor has changed for a reason that somebody must know."""
Pair = tuple[datetime, float]
"""The time and the close of a bar."""


def remembered(seen: SeenPrices | None) -> list[Pair]:
    """Return the bars that are remembered, oldest first."""
    return [(datetime.fromisoformat(time), close) for time, close in seen.bars] if seen else []


def newest(bars: Bars) -> list[Pair]:
    """Return the bars to remember, oldest first."""
    rows = range(max(0, len(bars) - REMEMBERED), len(bars))
    return [(bars.time_at(row), float(bars.close[row])) for row in rows]


def factor_of(known: Sequence[Pair], bars: Bars) -> float | None:
    """Return the factor by which the remembered bars have changed; None if it is unclear.

    It is unclear if none of them is there, or if they changed by different factors.
    """
    found = []
    for time, close in known:
        row = bars.count_before(time)
        if row < len(bars) and bars.time_at(row) == time:
            found.append(float(bars.close[row]) / close)
    if not found or max(found) / min(found) - 1 > AGREE:
        return None
    return found[-1]


def distance(one: float, other: float) -> float:
    """Return how far apart two factors are, as a part of the second."""
    return abs(one / other - 1)


def may_be(action: CorporateAction, factor: float) -> bool:
    """Return whether the action explains this factor; a person may have accepted any."""
    if action.kind == ActionKind.SPLIT:
        return abs(factor * float(action.ratio) - 1) <= AGREE
    return action.kind == ActionKind.NONE or (
        action.kind == ActionKind.DIVIDEND and is_dividend(factor)
    )


def is_same(known: CorporateAction, listed: ListedAction) -> bool:
    """Return whether the market lists an action that is known already, perhaps by its history."""
    if known.kind != listed.kind:
        return False
    if known.source == "market":
        return known.ex_at == listed.ex_at
    day = timedelta(days=1)
    return known.after - day <= listed.ex_at <= known.ex_at + BEFORE


def jumps_at(bars: Bars, listed: ListedAction) -> bool:
    """Return whether the bars jump at a split: the market reports it before it changes them."""
    row = bars.count_before(listed.ex_at)
    if listed.kind != ActionKind.SPLIT or not 0 < row < len(bars):
        return False
    ratio = Fraction(listed.new) / Fraction(listed.old)
    return jump_of(float(bars.close[row - 1]), float(bars.open[row])) == ratio


def described(factor: float, price: float) -> dict[str, Any] | None:
    """Return the action that a factor of history means; `price` is the last one before it."""
    if is_dividend(factor):
        cash = round(as_decimal(price * (1 - factor)), 4)
        return {"kind": ActionKind.DIVIDEND, "cash": cash, "rebased_by": factor}
    if (ratio := split_of(factor)) is not None:
        new, old = Decimal(ratio.numerator), Decimal(ratio.denominator)
        return {"kind": ActionKind.SPLIT, "new": new, "old": old, "rebased_by": float(old / new)}
    if 1 < factor < MOST_REBASING:
        return {"kind": ActionKind.REBASING, "cash": ZERO, "rebased_by": factor}
    return None
