"""Alpaca's corporate actions as Argo's."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from alpaca.data.enums import CorporateActionsType
from alpaca.data.models.corporate_actions import (
    CashDividend,
    ForwardSplit,
    NameChange,
    ReverseSplit,
    StockDividend,
)

from signals.market.actions import ActionKind, ListedAction
from signals.market.bars import Bars
from signals.market.hours import TradingHours

TYPES = [
    CorporateActionsType.FORWARD_SPLIT,
    CorporateActionsType.REVERSE_SPLIT,
    CorporateActionsType.STOCK_DIVIDEND,
    CorporateActionsType.CASH_DIVIDEND,
    CorporateActionsType.NAME_CHANGE,
]
"""The types that Argo carries over; mergers and spin-offs stay differences at the broker."""
Splits = (ForwardSplit, ReverseSplit)


def listed(
    name: str, rows: Iterable[Any], hours: TradingHours, bars: Callable[[], Bars]
) -> Iterator[ListedAction]:
    """Yield the actions of Alpaca's rows on the symbol `name`, in Alpaca's spelling.

    A day without a session is left out, and so is a rename to this name.

    `bars` returns the bars before and after a dividend, which are adjusted for it. Raises
    `ValueError` for a rate that is not above 0.
    """
    for row in rows:
        is_rename = isinstance(row, NameChange)
        ex_at = _began(row.process_date if is_rename else row.ex_date, hours)
        if ex_at is not None and not (is_rename and row.old_symbol != name):
            yield _action(row, ex_at, bars)


def _action(row: Any, ex_at: datetime, bars: Callable[[], Bars]) -> ListedAction:  # noqa: ANN401
    if isinstance(row, NameChange):
        return ListedAction(ActionKind.RENAME, ex_at, new_symbol=row.new_symbol)
    if isinstance(row, CashDividend):
        cash = _above_zero(row.rate)
        return ListedAction(ActionKind.DIVIDEND, ex_at, cash=cash,
                            rebased_by=_factor(bars(), ex_at, row.rate))  # fmt: skip
    if isinstance(row, StockDividend):
        new, old = 1 + _above_zero(row.rate), Decimal(1)
    else:
        new, old = _above_zero(row.new_rate), _above_zero(row.old_rate)
    return ListedAction(ActionKind.SPLIT, ex_at, new, old, rebased_by=float(old / new))


def _factor(bars: Bars, ex_at: datetime, cash: float) -> float | None:
    """Return the factor of a dividend on the bars before it; None if there is none of them."""
    row = bars.count_before(ex_at)
    if not row:
        return None
    before = float(bars.close[row - 1])
    return before / (before + cash)


def _above_zero(rate: float) -> Decimal:
    found = Decimal(repr(float(rate)))
    if not (found.is_finite() and found > 0):
        raise ValueError(f"a rate of {rate} is not valid")
    return found


def _began(day: date, hours: TradingHours) -> datetime | None:
    closed_at = hours.close_of(day)
    return None if closed_at is None else hours.began(closed_at)
