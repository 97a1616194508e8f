"""Completes a trading day whose end nobody watched, because the worker was down."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from execution.context import TradingContext
from execution.models import EquityDay, Position
from execution.money import ZERO

WATCH_GAP = timedelta(minutes=5)
"""The end of a day was watched if its last mark is no older than this."""


def complete(context: TradingContext, latest: EquityDay, today: date, equity: Decimal) -> bool:
    """Set the last figures of `latest`; return False if it goes on or its end was watched.

    `equity` is the first look after it. The trades that closed until the day's end give its
    balance. If nothing was held at its end, that is its equity too. Otherwise it is the higher of
    the last mark and the first look; if a trade has no known profit, of the day's highest, too. So
    a level that trails at the day's end is never too low. Fees are left out for the same reason.
    """
    if not context.is_watched or today <= latest.day or _was_watched(context, latest):
        return False
    closed = Position.objects.closed_since(context.account, latest.marked_at)
    within = [
        each for each in closed
        if each.closed_at and each.closed_at > latest.marked_at  # a mark counts what was before it
        and _day_closed(context, each) <= latest.day
    ]  # fmt: skip
    known = [each.profit + each.fees for each in within if each.profit is not None]
    latest.last_balance += sum(known, ZERO)
    if len(known) < len(within):
        latest.last_equity = max(latest.highest_equity, equity)
    elif _was_held(context, latest.day, closed):
        latest.last_equity = max(latest.last_equity, equity)
    elif within:
        latest.last_equity = latest.last_balance
    latest.highest_equity = max(latest.highest_equity, latest.last_equity)
    latest.highest_balance = max(latest.highest_balance, latest.last_balance)
    latest.lowest_equity = min(latest.lowest_equity, latest.last_equity)
    return True


def _was_watched(context: TradingContext, latest: EquityDay) -> bool:
    return context.day_of(latest.marked_at + WATCH_GAP) > latest.day


def _was_held(context: TradingContext, day: date, closed: Sequence[Position]) -> bool:
    """Return whether a position was open when the day ended."""
    later = [each for each in closed if _day_closed(context, each) > day]
    there = [*Position.objects.open_on(context.account), *later]
    return any(context.day_of(each.opened_at) <= day for each in there)


def _day_closed(context: TradingContext, position: Position) -> date:
    assert position.closed_at is not None  # noqa: S101  # it is closed
    return context.day_of(position.closed_at)
