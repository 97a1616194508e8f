"""Takes back refusals: an order may appear at the broker after its last look-up."""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction

from execution.accounts.failures import Guard, unguarded
from execution.accounts.rows import lock
from execution.brokers.protocol import OrderReport
from execution.context import TradingContext
from execution.models import Counterfactual, Order
from execution.orders.adoption import adopt
from execution.types import Leg, OrderState
from signals import rows
from signals.log_context import about_signal

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=1)
"""An order that was sent longer ago than this does not appear at the broker any more."""
REFUSED = (OrderState.REJECTED, OrderState.DENIED)


def revive_refused(
    context: TradingContext, guard: Guard = unguarded, symbols: Collection[str] | None = None
) -> None:
    """Ask the broker for the orders that it seemed to refuse, and adopt those that it has.

    Call it if the broker has something that our rows do not explain; `symbols` are the instruments
    of that, if they are known. `guard` isolates each order; without it, the first `BrokerError` is
    raised.
    """
    for order in _refused(context.account, context.clock() - LOOK_BACK):
        if symbols is not None and context.instrument(order.symbol).symbol not in symbols:
            continue
        with guard(order), about_signal(order.signal.signal_id):
            report = context.broker.find(order.client_order_id)
            if report is not None and _is_there(report):
                _revive(context, order, report)


def _refused(account: str, since: datetime) -> Iterable[Order]:
    """Return the orders that were sent, but that the broker answered never to have had."""
    found = Order.objects.filter(account=account, state__in=REFUSED, broker_id="")
    return found.filter(created_at__gte=since, submitted_at__isnull=False).order_by("pk")


def _is_there(report: OrderReport) -> bool:
    return any(each.filled or not each.state.is_final for each in report.chain)


def _revive(context: TradingContext, order: Order, report: OrderReport) -> None:
    """Let the order be unknown again, with its exits, and take over what the broker reports.

    This is no transition of an order: we were wrong about its state.
    """
    with transaction.atomic():
        lock(context.account)
        if not _correct(context, order, OrderState.UNKNOWN):
            return
        if order.leg == Leg.ENTRY:
            _revive_exits(context, order)
            Counterfactual.objects.forget(order.signal_id)
        adopt(context, order, report)
    logger.warning("%s was placed although the broker refused it: it counts", order)


def _revive_exits(context: TradingContext, entry: Order) -> None:
    for order in Order.objects.of_signal(entry.signal_id):
        never_sent = order.state == OrderState.CANCELED and not order.broker_id
        if never_sent and order.leg in (Leg.STOP, Leg.TARGET):
            _correct(context, order, OrderState.INITIALIZED)


def _correct(context: TradingContext, order: Order, state: OrderState) -> bool:
    """Return False if another process has changed the order's state meanwhile."""
    values = {"state": state.value, "reason": "", "updated_at": context.clock()}
    changed = rows.update(Order, order.pk, values, only_if={"state": str(order.state)})
    order.state = state
    return changed
