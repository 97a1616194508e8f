"""What a person asks for: a signal decided on now, an order canceled, a position closed.

The rules are those of every trade: there is no way round them.
"""

import logging

from argo.errors import Conflict
from execution.context import TradingContext
from execution.decisions.engine import execute_due
from execution.decisions.queue import ask_for, decision_of
from execution.models import Decision, Order, Position
from execution.monitoring import monitor
from execution.monitoring.reconcile import reconcile
from execution.types import AT_BROKER, Leg
from signals.ledger.queries import row_of

logger = logging.getLogger(__name__)

MANUAL = "manual"


def execute(context: TradingContext, signal_id: str, who: str) -> Decision:
    """Decide on the signal now, by the rules of every trade, and send its order.

    Our books are compared with the broker's before: where it does not answer nothing is asked for,
    and nothing will happen. The decision is still pending where another worker has it, or the
    broker fails meanwhile: then it is made soon. Raises `NotFound`, `Conflict` as `ask_for` does,
    and `BrokerError`.
    """
    row = row_of(signal_id)
    reconcile(context)
    ask_for(signal_id, who, context.clock())
    execute_due(context, row)
    return decision_of(signal_id)


def cancel(context: TradingContext, order: Order, *, who: str, why: str) -> Order:
    """Have the broker cancel an entry that may still fill; how the order stands then.

    What it has filled stays a position, with its exits. Raises `Conflict` for an order that is not
    at this context's broker, or is an exit, without which a position would be unprotected; and
    `BrokerError`.
    """
    if order.account != context.account:
        raise Conflict(f"{order} is on the account {order.account}, not on {context.account}.")
    if order.leg != Leg.ENTRY:
        raise Conflict(
            f"The {order.leg} of {order.symbol} goes with its entry, and protects what that has "
            "filled. Close the position instead."
        )
    if order.state not in AT_BROKER:
        raise Conflict(f"{order}: only what the broker has can be canceled.")
    logger.warning("%s cancels %s: %s", who, order.client_order_id, why)
    monitor.cancel(context, order, f"{who} cancels it: {why}")
    order.refresh_from_db()
    return order


def close(account: str, position: Position, *, who: str, why: str) -> None:
    """Have the monitor close the position at its next look. Raises `Conflict`."""
    if position.account != account:
        raise Conflict(f"{position} is on the account {position.account}, not on {account}.")
    if position.status != Position.Status.OPEN:
        raise Conflict(f"{position}: it is closed already.")
    if position.closing_for:
        raise Conflict(f"{position}: it is being closed already, for {position.closing_for}.")
    logger.warning("%s closes %s of %s: %s", who, position, position.pk, why)
    monitor.ask_to_close(position, MANUAL)
