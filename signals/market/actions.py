"""Corporate actions: splits, dividends and renames, and how to recognise one by its figures.

A market's bars are on the scale of its newest bar: a split, and with some vendors a dividend,
changes the history before it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Protocol, runtime_checkable

EXACT = 0.002
"""How far the factor of a changed history may be from a usual ratio, because vendors round."""
NEAR_WHOLE, NEAR_HALF = 0.06, 0.03
"""How far two prices of different days may be from a whole ratio, and from 3:2."""
MOST_DIVIDEND = 0.1
"""A history that fell by more than this share has not been changed by an ordinary dividend."""
LARGEST = 5
"""The largest part of an unusual ratio, such as 5:4."""
MOST_SHARES = 200
"""The largest number of shares for one, or of one for several, of a usual split."""
HALVES = (Fraction(3, 2), Fraction(2, 3))


class ActionKind(StrEnum):
    """The kind of a corporate action.

    A stock dividend is a split: 5% are 21 shares for 20. `rebasing`: the market changed its history
    for a reason that nobody knows; nothing but its old bars is on another scale. `none`: a person
    said that a jump of the price was real.
    """

    SPLIT = "split"
    DIVIDEND = "dividend"
    RENAME = "rename"
    REBASING = "rebasing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ListedAction:
    """A corporate action that a market reports.

    Prices from `ex_at` (UTC) on count it. Of a split, `old` shares become `new`; a dividend pays
    `cash` for each share, in the instrument's currency; a rename has the `new_symbol`. `rebased_by`
    is the factor by which the market's bars before it were multiplied; None if they were not.
    """

    kind: ActionKind
    ex_at: datetime
    new: Decimal = Decimal(1)
    old: Decimal = Decimal(1)
    cash: Decimal = Decimal(0)
    new_symbol: str = ""
    rebased_by: float | None = None


@runtime_checkable
class ListsActions(Protocol):
    """A market that reports corporate actions."""

    def actions(self, symbol: str, since: datetime, upto: datetime) -> Sequence[ListedAction]:
        """Return the actions with `since` < `ex_at` <= `upto`, oldest first.

        Raises the same errors as `MarketData.bars`.
        """


def split_of(factor: float) -> Fraction | None:
    """Return the shares for one old share that a history multiplied by `factor` means.

    None if it is no usual split; one by less than a tenth looks like a dividend. `factor` is the
    new price of the same bar over its old one.
    """
    if not (math.isfinite(factor) and factor > 0):
        return None
    shares = 1 / factor
    return next((each for each in _candidates(shares) if _is_near(each, shares, EXACT)), None)


def jump_of(before: float, after: float) -> Fraction | None:
    """Return the split that a jump between two prices looks like; None if it looks like none.

    It is one share for several, several for one, or 3 for 2: a price may also fall by a half or
    double, so this is a doubt and no proof.
    """
    shares = before / after
    whole = Fraction(round(shares)) if shares >= 1 else 1 / Fraction(max(1, round(1 / shares)))
    if whole != 1 and _is_near(whole, shares, NEAR_WHOLE):
        return whole
    return next((each for each in HALVES if _is_near(each, shares, NEAR_HALF)), None)


def is_dividend(factor: float) -> bool:
    """Return True if a history multiplied by `factor` looks like an ordinary cash dividend."""
    return 1 - MOST_DIVIDEND < factor < 1 - EXACT / 4


def _candidates(shares: float) -> Sequence[Fraction]:
    """Return the usual ratios near a number of shares, the simplest first."""
    if shares < 1:
        return [1 / each for each in _candidates(1 / shares)]
    if shares > MOST_SHARES:
        return []
    usual = (Fraction(shares).limit_denominator(most) for most in (1, 2, LARGEST))
    return [each for each in usual if each != 1]


def _is_near(ratio: Fraction, value: float, tolerance: float) -> bool:
    return abs(float(ratio) / value - 1) <= tolerance
