"""Carries positions over corporate actions: quantity, levels, name and dividends, each once."""

import logging
from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction

from execution.accounts.rows import lock
from execution.brokers.fill_model import rounded
from execution.brokers.protocol import FillReport
from execution.context import TradingContext
from execution.models import CorporateAction, Position, PositionChange
from execution.money import ZERO, exact_text, times
from execution.orders.bracket import Trade
from execution.positions.positions import update_position
from execution.types import Side
from signals.market.actions import ActionKind
from signals.rows import insert, update

logger = logging.getLogger(__name__)


def carry_over(context: TradingContext, position: Position) -> bool:
    """Carry an open position over every action that is known by now; return whether one was new.

    Each is stored as a row that says what was done.
    """
    if not _pending(context, position):
        return False
    with transaction.atomic():
        lock(context.account)
        now = Position.objects.of_signal(position.pk)
        return now is not None and _carry(context, now, _pending(context, now))


def carry_before(context: TradingContext, signal_pk: int, fill: FillReport) -> None:
    """Carry a position over what happened before a fill, in the caller's transaction and with the
    account locked."""
    if not context.is_watched:  # the bars of a replay are all on one scale
        return
    position = Position.objects.of_signal(signal_pk)
    if position is None or position.status == Position.Status.CLOSED:
        return
    pending = _pending(context, position)
    _carry(context, position, [x for x in pending if not x.comes_after(fill.time, fill.price)])


def _pending(context: TradingContext, position: Position) -> list[CorporateAction]:
    """Return the actions that happened since the position opened and that it lacks."""
    symbol = context.instrument(position.symbol).symbol
    known = CorporateAction.objects.of_symbol(context.account, symbol)
    later = [x for x in known if x.comes_after(position.opened_at, position.entry_price)]
    if not later:
        return []
    done = {each.pk for each in CorporateAction.objects.applied_to(position.pk)}
    return [each for each in later if each.pk not in done]


def _carry(context: TradingContext, position: Position, actions: Iterable[CorporateAction]) -> bool:
    done = [_carry_one(context, position.pk, action) for action in actions]
    return any(done)


def _carry_one(context: TradingContext, signal_pk: int, action: CorporateAction) -> bool:
    position = Position.objects.get(pk=signal_pk)  # the action before may have changed it
    text, cash, values = _effect(position, action)
    if not text:
        return False
    insert(PositionChange(
        position=position, action=action, text=text, cash=cash, made_at=context.clock()
    ))  # fmt: skip
    if values:
        update(Position, signal_pk, values)
    update_position(context, Trade.read(signal_pk))
    logger.warning("%s: %s", action, text, extra={"signal_id": position.signal.signal_id})
    return True


def _effect(position: Position, action: CorporateAction) -> tuple[str, Decimal, dict[str, object]]:
    """Return what an action does to a position: in words, in money, and in its columns."""
    left = position.left
    if action.kind == ActionKind.SPLIT:
        after = times(left, action.ratio)
        text = f"{exact_text(left)} shares became {exact_text(after)}"
        return text, ZERO, _on_new_scale(position, action)
    if action.kind == ActionKind.DIVIDEND:
        cash = (left if Side(position.side) is Side.BUY else -left) * action.cash
        word = "received" if cash > ZERO else "paid"
        return f"it {word} a dividend of {exact_text(abs(cash))}", cash, {}
    if action.kind == ActionKind.RENAME:
        values: dict[str, object] = {"symbol": action.new_symbol}
        return f"it was renamed: its symbol is now {action.new_symbol}", ZERO, values
    return "", ZERO, {}


def _on_new_scale(position: Position, split: CorporateAction) -> dict[str, object]:
    """Return the columns that no fill rewrites."""
    values: dict[str, object] = {
        name: rounded(times(getattr(position, name), 1 / split.ratio))
        for name in ("stop", "target")
    }
    return values | {"settled_quantity": times(position.settled_quantity, split.ratio)}
