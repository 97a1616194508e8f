"""Positions, made of fills; and the outcome of a signal whose position has closed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet

from execution.context import TradingContext
from execution.models import Fill, Position
from execution.money import ZERO
from execution.orders.bracket import Trade
from execution.positions.excursions import excursions
from execution.types import Leg, OrderState, Side
from signals.ledger.outcomes import AlreadyEnded, outcome_of, profit_loss_pct, record_outcome
from signals.models import Signal
from signals.rows import insert, update

logger = logging.getLogger(__name__)

BY = "monitor"
EXPIRED = "expired"
SETTLED = "settled"
AT_ONCE = 50
MEASURE_EVERY = timedelta(hours=1)
"""Where a feed had no bars for it."""
MADE_OF_FILLS = (
    "status", "quantity", "closed_quantity", "entry_price", "exit_price", "opened_at",
    "expires_at", "closed_at", "exit_reason", "fees", "profit",
)  # fmt: skip
"""Columns that are written anew with each fill; others may be changed by others meanwhile."""


@dataclass(frozen=True)
class Traded:
    """Fills of one direction: how much, at which average price, for which fees, and when."""

    quantity: Decimal
    value: Decimal
    fees: Decimal
    first: datetime | None
    last: datetime | None

    @classmethod
    def of(cls, fills: Sequence[Fill]) -> "Traded":
        """Their sums."""
        times = [fill.time for fill in fills]
        return cls(
            sum((fill.quantity for fill in fills), ZERO),
            sum((fill.quantity * fill.price for fill in fills), ZERO),
            sum((fill.fee for fill in fills), ZERO),
            min(times, default=None),
            max(times, default=None),
        )

    @property
    def price(self) -> Decimal:
        """The average."""
        return self.value / self.quantity


def update_position(context: TradingContext, trade: Trade) -> None:
    """Make the position anew from its signal's fills, inside the caller's transaction.

    Where all of it is closed again, the signal gets its outcome; also where it was settled, once
    fills tell how all of that ended after all.
    """
    entry = trade.entry
    fills = Fill.objects.counted_of(entry.signal_id)
    entered = Traded.of([fill for fill in fills if fill.order_id == entry.pk])
    exits = [fill for fill in fills if fill.order_id != entry.pk]
    position = _position(context, trade, entered)
    closed = Traded.of(exits)
    unpriced = _unpriced(position, exits)
    _close_by(position, closed, entered, unpriced)
    is_done = OrderState(entry.state).is_final and position.closed_quantity == position.quantity
    is_told = position.settled_at is not None and not unpriced
    if exits and is_done and (is_told or position.status == Position.Status.OPEN):
        _end(position, Leg(trade.order(exits[-1].order_id).leg), closed, entered)
        _record_outcome(context, position, trade.signal)
    if position._state.adding:
        insert(position)
    else:
        update(Position, position.pk, {name: getattr(position, name) for name in MADE_OF_FILLS})


def _position(context: TradingContext, trade: Trade, entered: Traded) -> Position:
    """As the entry's fills make it; what is to be closed stays so."""
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


def settle(position: Position, quantity: Decimal, now: datetime) -> None:
    """So much more of it is gone by the broker's word: without a price, and without an outcome
    where it was all that was left; inside the caller's transaction."""
    position.closed_quantity += quantity
    position.settled_quantity, position.settled_at = position.closed_quantity, now
    if position.closed_quantity == position.quantity:
        position.status = Position.Status.CLOSED
        position.closed_at, position.exit_reason = now, SETTLED
    position.save(update_fields=[*MADE_OF_FILLS, "settled_quantity", "settled_at"])


def _unpriced(position: Position, exits: Sequence[Fill]) -> Decimal:
    """What was gone when it was settled, and has no fill yet that tells at which price."""
    if position.settled_at is None:
        return ZERO
    then = sum((fill.quantity for fill in exits if fill.time <= position.settled_at), ZERO)
    left = position.quantity - sum((fill.quantity for fill in exits), ZERO)
    return max(ZERO, min(position.settled_quantity - then, left))


def _close_by(position: Position, closed: Traded, entered: Traded, unpriced: Decimal) -> None:
    position.closed_quantity = closed.quantity + unpriced
    position.fees = entered.fees + closed.fees
    if closed.quantity:
        position.exit_price = closed.price


def _end(position: Position, last: Leg, closed: Traded, entered: Traded) -> None:
    """The profit is that of what has a price."""
    is_whole = closed.quantity == entered.quantity
    paid = entered.value if is_whole else entered.price * closed.quantity
    gain = closed.value - paid
    if Side(position.side) is Side.SELL:
        gain = -gain
    position.status = Position.Status.CLOSED
    position.profit = gain - position.fees
    position.closed_at = closed.last
    position.exit_reason = position.closing_for if last is Leg.CLOSE else last.value


def _record_outcome(context: TradingContext, position: Position, signal: Signal) -> None:
    """Only where there is none yet: what a person recorded stays."""
    exit_price = float(position.exit_price or ZERO)
    percent = profit_loss_pct(signal.action, signal.entry_price, exit_price) or 0.0
    outcome = EXPIRED if position.exit_reason == EXPIRED else outcome_of(percent)
    try:
        with transaction.atomic():
            record_outcome(
                signal.signal_id, outcome=outcome, exit_price=exit_price, who=BY,
                why=f"position closed: {position.exit_reason}", now=context.clock(),
                journal=context.journal, only_if_open=True,
            )  # fmt: skip
    except AlreadyEnded as error:
        logger.warning("The position of %s has closed, but: %s", signal.signal_id, error)


def measure_excursions(context: TradingContext) -> int:
    """Fill in how far the price went, for positions that have closed; for how many it could.

    One for which it cannot waits, so that it is in no other's way.
    """
    now, count = context.clock(), 0
    for position in _unmeasured(context, now).order_by("-closed_at", "-pk")[:AT_ONCE]:
        try:
            count += _measure(context, position)
        except Exception as error:  # noqa: BLE001  # one symbol's feed holds up no other
            logger.warning("No excursions of %s yet: %s", position, error)
            later = now + MEASURE_EVERY
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
    bars = context.market.bars(position.symbol, closed_at, position.opened_at)
    found = excursions(
        Side(position.side), position.entry_price, exit_price, position.opened_at, closed_at, bars
    )
    rows = Position.objects.filter(pk=position.pk, mae=None)
    return rows.update(mae=found.adverse, mfe=found.favorable)
