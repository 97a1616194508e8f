"""Builds positions from fills, and records the outcome of a signal whose position has closed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import prod

from django.db import transaction
from django.db.models import Q, QuerySet

from execution.context import TradingContext
from execution.corporate.scale import on_scale_at
from execution.models import Position, PositionChange
from execution.money import ZERO, times
from execution.orders.bracket import CountedFill, Trade
from execution.positions.announcing import announce_closed, announce_opened
from execution.positions.excursions import excursions
from execution.types import ExitReason, Leg, Side
from signals.ledger.outcomes import (
    BY_POSITION,
    AlreadyEnded,
    outcome_of,
    profit_loss_pct,
    record_outcome,
)
from signals.market.actions import ActionKind
from signals.rows import insert, update

logger = logging.getLogger(__name__)

BATCH_SIZE = 50
MEASURE_RETRY = timedelta(hours=1)
"""When to try again if the feed had no bars for a closed position."""
FILL_COLUMNS = (
    "status", "quantity", "closed_quantity", "entry_price", "exit_price", "opened_at",
    "expires_at", "closed_at", "exit_reason", "fees", "profit",
)  # fmt: skip
"""The columns that each fill rewrites; another process may change the others at the same time."""


@dataclass(frozen=True)
class Traded:
    """The sums of the fills in one direction: quantity, value, fees, first and last time (UTC)."""

    quantity: Decimal
    value: Decimal
    fees: Decimal
    first: datetime | None
    last: datetime | None

    @classmethod
    def of(cls, fills: Sequence[CountedFill]) -> "Traded":
        """Return the sums of these fills."""
        times = [fill.time for fill in fills]
        return cls(
            sum((fill.quantity for fill in fills), ZERO),
            sum((fill.value for fill in fills), ZERO),
            sum((fill.fee for fill in fills), ZERO),
            min(times, default=None),
            max(times, default=None),
        )

    @property
    def price(self) -> Decimal:
        """Return the average price."""
        return self.value / self.quantity


def update_position(context: TradingContext, trade: Trade) -> None:
    """Rebuild the position from its signal's fills, inside the caller's transaction.

    When the whole position is closed, the signal gets its outcome. The signal of a
    settled position gets it later, when fills give a price for everything that was settled.
    """
    entries = {entry.pk for entry in trade.entries}
    fills = trade.fills
    entered = Traded.of([fill for fill in fills if fill.order_id in entries])
    exits = [fill for fill in fills if fill.order_id not in entries]
    position = _position(context, trade, entered)
    closed = Traded.of(exits)
    unpriced = _unpriced(position, exits)
    _add_exits(position, closed, entered, unpriced)
    is_done = trade.is_entered and position.closed_quantity == position.quantity
    is_priced = position.settled_at is not None and (not unpriced or position.profit is not None)
    is_ending = bool(exits and is_done and (is_priced or position.status == Position.Status.OPEN))
    if is_ending:
        _end(position, trade, Leg(trade.order(exits[-1].order_id).leg), closed, entered)
        _record_outcome(context, position, trade)
        transaction.on_commit(partial(_log_closed, context, position, trade))
    was_open = not position._state.adding
    if was_open:
        update(Position, position.pk, {name: getattr(position, name) for name in FILL_COLUMNS})
    else:
        insert(position)
    _announce(position, was_open=was_open, is_ending=is_ending)


def _announce(position: Position, *, was_open: bool, is_ending: bool) -> None:
    if not was_open:
        announce_opened(position)
    if is_ending:
        announce_closed(position)


def _position(context: TradingContext, trade: Trade, entered: Traded) -> Position:
    """Return the position that the entry's fills make; `closing_for` is kept."""
    entry = trade.entry
    position = Position.objects.of_signal(entry.signal_id) or Position(
        signal_id=entry.signal_id, account=context.account, symbol=entry.symbol, side=entry.side,
        stop=trade.leg(Leg.STOP).level or ZERO, target=trade.leg(Leg.TARGET).level or ZERO,
        status=Position.Status.OPEN, closing_for="", exit_reason="",
    )  # fmt: skip
    position.opened_at = entered.first or context.clock()
    position.expires_at = position.opened_at + context.expiry
    position.quantity, position.entry_price = entered.quantity, entered.price
    return position


def settle_position(position: Position, quantity: Decimal, now: datetime) -> None:
    """Take `quantity` off the position without a price, because the broker no longer holds it.

    Runs inside the caller's transaction. If nothing is left, the position closes without an
    outcome.
    """
    position.closed_quantity += quantity
    position.settled_quantity, position.settled_at = position.closed_quantity, now
    if position.closed_quantity == position.quantity:
        position.status = Position.Status.CLOSED
        position.closed_at, position.exit_reason = now, ExitReason.SETTLED
    position.save(update_fields=[*FILL_COLUMNS, "settled_quantity", "settled_at"])
    if position.status == Position.Status.CLOSED:
        announce_closed(position)


def _unpriced(position: Position, exits: Sequence[CountedFill]) -> Decimal:
    """Return the settled quantity that has no fill with a price yet."""
    if position.settled_at is None:
        return ZERO
    before = sum((fill.quantity for fill in exits if fill.time <= position.settled_at), ZERO)
    left = position.quantity - sum((fill.quantity for fill in exits), ZERO)
    return max(ZERO, min(position.settled_quantity - before, left))


def _add_exits(position: Position, closed: Traded, entered: Traded, unpriced: Decimal) -> None:
    position.closed_quantity = closed.quantity + unpriced
    position.fees = entered.fees + closed.fees
    if closed.quantity:
        position.exit_price = closed.price


def _end(position: Position, trade: Trade, last: Leg, closed: Traded, entered: Traded) -> None:
    """Close the position; its profit counts only the quantity that has a price, and dividends.

    Such a part pays its share of the entry's fee.
    """
    is_whole = closed.quantity == entered.quantity
    paid = entered.value if is_whole else entered.price * closed.quantity
    gain = closed.value - paid
    if Side(position.side) is Side.SELL:
        gain = -gain
    entry_fee = entered.fees if is_whole else entered.fees * closed.quantity / entered.quantity
    position.status = Position.Status.CLOSED
    position.profit = gain - entry_fee - closed.fees + _dividends(position, trade)
    position.closed_at = closed.last
    position.exit_reason = position.closing_for if last is Leg.CLOSE else ExitReason(last)


def _dividends(position: Position, trade: Trade) -> Decimal:
    if not any(each.kind == ActionKind.DIVIDEND for each in trade.actions):
        return ZERO
    changes = PositionChange.objects.filter(position=position.pk)
    return sum(changes.values_list("cash", flat=True), ZERO)


def _log_closed(context: TradingContext, position: Position, trade: Trade) -> None:
    if logger.isEnabledFor(context.log_level):
        logger.log(context.log_level, "Closed %s for %s, with a profit of %s", position,
                   position.exit_reason, position.profit,
                   extra={"signal_id": trade.signal.signal_id})  # fmt: skip


def _record_outcome(context: TradingContext, position: Position, trade: Trade) -> None:
    """Record the outcome, unless the signal has one already: what a person recorded stays.

    Its exit price is on the scale of the signal's own prices, before any split.
    """
    ratio = prod((each.ratio for each in trade.actions), start=Fraction(1))
    signal, exit_price = trade.signal, float(times(position.exit_price or ZERO, ratio))
    percent = profit_loss_pct(signal.action, signal.entry_price, exit_price) or 0.0
    outcome = outcome_of(percent, expired=position.exit_reason == ExitReason.EXPIRED)
    try:
        with transaction.atomic():
            record_outcome(
                signal.signal_id, outcome=outcome, exit_price=exit_price, who=BY_POSITION,
                why=f"position closed: {position.exit_reason}", now=context.clock(),
                journal=context.journal, only_if_open=True,
            )  # fmt: skip
    except AlreadyEnded as error:
        name = signal.signal_id
        logger.warning("The position of %s has closed, but its outcome stays: %s", name, error,
                       extra={"signal_id": name})  # fmt: skip


def measure_excursions(context: TradingContext) -> int:
    """Store the excursions of closed positions; return how many positions were measured.

    A position that cannot be measured is tried again later, so that it does not block the others.
    """
    now, count = context.clock(), 0
    for position in _unmeasured(context, now).order_by("-closed_at", "-pk")[:BATCH_SIZE]:
        try:
            count += _measure(context, position)
        except Exception as error:  # noqa: BLE001  # one symbol's feed must not block others
            logger.warning("The excursions of %s cannot be measured yet: %s", position, error)
            later = now + MEASURE_RETRY
            Position.objects.filter(pk=position.pk).update(measure_at=later)
    return count


def _unmeasured(context: TradingContext, now: datetime) -> QuerySet[Position]:
    closed = Position.objects.filter(
        account=context.account, status=Position.Status.CLOSED, mae=None, closed_at__isnull=False
    )
    due = Q(measure_at=None) | Q(measure_at__lte=now)
    return closed.filter(due, profit__isnull=False)


def _measure(context: TradingContext, position: Position) -> int:
    closed_at, exit_price = position.closed_at, position.exit_price
    assert closed_at is not None  # noqa: S101  # closed positions have both
    assert exit_price is not None  # noqa: S101
    history = context.history
    actions = history.actions(position.symbol)
    traded = history.bars(position.symbol, position.opened_at)
    bars = on_scale_at(traded, actions, closed_at, exit_price).between(None, closed_at)
    found = excursions(
        Side(position.side), position.entry_price, exit_price, position.opened_at, closed_at, bars
    )
    rows = Position.objects.filter(pk=position.pk, mae=None)
    return rows.update(mae=found.adverse, mfe=found.favorable)
