"""Acts that a person asks for: decide on a signal now, cancel an order, close a position.

The same rules apply as to every trade.
"""

import logging
from datetime import datetime

from django.db import transaction

from argo.errors import Conflict
from execution.context import TradingContext
from execution.decisions.engine import execute_due
from execution.decisions.queue import ask_for, decision_of
from execution.models import Decision, Order, Position
from execution.money import exact_text
from execution.monitoring import monitor
from execution.monitoring.reconcile import reconcile
from execution.types import AT_BROKER, ExitReason, Leg
from signals import acts
from signals.clock import utc_now
from signals.ledger.queries import row_of

logger = logging.getLogger(__name__)


def execute(context: TradingContext, signal_id: str, who: str, why: str = "") -> Decision:
    """Decide on the signal now, by the rules of every trade, and send its order.

    The log of acts keeps the reason.

    First our records are compared with the broker's: if it does not answer, nothing is queued. The
    returned decision is still pending if another worker has it, or if the broker fails meanwhile;
    then it is made soon. Raises `NotFound` and `Conflict` as `ask_for` does, and `BrokerError`.
    """
    row, request = row_of(signal_id), acts.current_request()
    if request is not None and request.has_acted(acts.Kind.EXECUTE):
        return decision_of(signal_id)  # it comes again: a killed process has asked for it
    reconcile(context)
    ask_for(signal_id, who, context.clock(), why)
    execute_due(context, row).check()
    return decision_of(signal_id)


def cancel(context: TradingContext, order: Order, *, who: str, why: str) -> Order:
    """Have the broker cancel an entry that may still fill; return the order as it is then.

    A part that is filled stays a position, with its exits. Raises `Conflict` if the order is not at
    this account's broker, or is an exit, which protects a position; and `BrokerError`.
    """
    if order.account != context.account:
        raise Conflict(f"{order} is on the account {order.account}, not on {context.account}.")
    if order.leg != Leg.ENTRY:
        raise Conflict(
            f"The {order.leg} of {order.symbol} protects what its entry has filled. Close the "
            "position instead."
        )
    if order.state not in AT_BROKER:
        raise Conflict(f"{order}: only an order that is at the broker can be canceled.")
    logger.info("%s cancels %s: %s", who, order.client_order_id, why,
                extra={"signal_id": order.signal.signal_id})  # fmt: skip
    before = str(order.state)
    monitor.cancel(context, order, f"{who} cancels it: {why}")
    order.refresh_from_db()
    _record(acts.Kind.CANCEL, order, before, str(order.state), who, why, context.clock())
    return order


def close(account: str, position: Position, *, who: str, why: str) -> None:
    """Have the monitor close the position at its next look.

    Raises `Conflict` if it is on another account, is closed, or is being closed.
    """
    if position.account != account:
        raise Conflict(f"{position} is on the account {position.account}, not on {account}.")
    if position.status != Position.Status.OPEN:
        raise Conflict(f"{position}: it is already closed.")
    if position.closing_for:
        raise Conflict(f"{position}: it is already being closed: {position.closing_for}.")
    logger.info("%s closes %s: %s", who, position, why,
                extra={"signal_id": position.signal.signal_id})  # fmt: skip
    with transaction.atomic():
        monitor.ask_to_close(position, ExitReason.MANUAL)
        _record(acts.Kind.CLOSE, position, "open", "to be closed", who, why, utc_now())


def _record(
    kind: acts.Kind,
    row: Order | Position,
    before: str,
    after: str,
    who: str,
    why: str,
    at: datetime,
) -> None:
    about = f"{row.side} {exact_text(row.quantity)} {row.symbol} on {row.account}"
    acts.record(kind, about, who=who, at=at, signal_id=row.signal.signal_id,
                before=before, after=after, why=why)  # fmt: skip
