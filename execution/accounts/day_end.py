"""Completes the trading days that nobody watched to their end, because the worker was down."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from execution.context import TradingContext
from execution.models import EquityDay, Position, TradingAccount
from execution.money import ZERO
from execution.prop_firm.days import Day, record

WATCH_GAP = timedelta(minutes=5)
"""The end of a day was watched if its last mark is no older than this."""


def opened_on(
    context: TradingContext, row: TradingAccount, day: date, trades: Iterable[Position]
) -> int:
    """Return how many of these positions were opened on this day.

    On the day on which a stage begins, what was opened before belongs to the stage before.
    """
    began = row.base_at if row.counted_from else None
    on_day = (each.opened_at for each in trades if context.day_of(each.opened_at) == day)
    return sum(began is None or at >= began for at in on_day)


def completed(
    context: TradingContext, row: TradingAccount, latest: EquityDay, today: date, equity: Decimal
) -> list[EquityDay]:
    """Return the days before `today` that the trades change or add, oldest first; not written.

    These are `latest`, and each day after it on which a trade was opened or closed, which no look
    has seen. `equity` is the first look after them.
    """
    if not context.is_watched or today <= latest.day:
        return []
    changed = _complete(context, latest, equity)
    trades = _trades_since(context, latest)
    opened = opened_on(context, row, latest.day, trades)
    changed |= opened > latest.trades
    latest.trades = max(latest.trades, opened)
    return [*([latest] if changed else []), *_missed(context, latest, trades, today, equity)]


def _trades_since(context: TradingContext, latest: EquityDay) -> list[Position]:
    """Return the positions that were open on the day `latest` or later."""
    closed = Position.objects.closed_since(context.account, latest.began_at or latest.marked_at)
    return [*Position.objects.open_on(context.account), *closed]


def _missed(
    context: TradingContext,
    latest: EquityDay,
    trades: Sequence[Position],
    today: date,
    equity: Decimal,
) -> list[EquityDay]:
    """Return a row for each day between `latest` and `today` on which something was traded."""
    moments: dict[date, list[datetime]] = {}
    for moment in (at for each in trades for at in (each.opened_at, each.closed_at) if at):
        moments.setdefault(context.day_of(moment), []).append(moment)
    before, rows = as_day(latest), []
    for day in sorted(day for day in moments if latest.day < day < today):
        before = _missed_day(context, before, day, trades, equity)
        rows.append(EquityDay(
            account=latest.account, began_at=min(moments[day]), marked_at=max(moments[day]),
            **before._asdict(),
        ))  # fmt: skip
    return rows


def _missed_day(
    context: TradingContext, before: Day, day: date, trades: Sequence[Position], equity: Decimal
) -> Day:
    """Return the figures of a day that no look has seen, by the rules of `_complete`."""
    closed = [each for each in trades if each.closed_at and _day_closed(context, each) == day]
    known = [each.profit + each.fees for each in closed if each.profit is not None]
    balance = before.last_balance + sum(known, ZERO)
    is_sure = len(known) == len(closed) and not _was_held(context, day, trades)
    last = balance if is_sure else max(before.last_equity, equity)
    opened = sum(context.day_of(each.opened_at) == day for each in trades)
    return record([before], day, last, balance, opened)


def as_day(row: EquityDay) -> Day:
    """Return the row as the firm's rules use it."""
    return Day(*(getattr(row, name) for name in Day._fields))


def _complete(context: TradingContext, latest: EquityDay, equity: Decimal) -> bool:
    """Set the last figures of `latest`; return False if its end was watched.

    `equity` is the first look after it. The trades that closed until the day's end give its
    balance. If nothing was held at its end, that is its equity too. Otherwise it is the higher of
    the last mark and the first look; if a trade has no known profit, of the day's highest, too. So
    a level that trails at the day's end is never too low. Fees are left out for the same reason.
    """
    if _was_watched(context, latest):
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
    """Return whether a position was open when the day ended; `closed` are those that may have
    closed later."""
    later = [each for each in closed if each.closed_at and _day_closed(context, each) > day]
    there = [*Position.objects.open_on(context.account), *later]
    return any(context.day_of(each.opened_at) <= day for each in there)


def _day_closed(context: TradingContext, position: Position) -> date:
    assert position.closed_at is not None  # noqa: S101  # it is closed
    return context.day_of(position.closed_at)
