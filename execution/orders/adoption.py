"""Takes over what the broker reports of an order: its state, its exits, and what replaced them."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from execution.accounts.rows import lock
from execution.brokers.protocol import OrderReport
from execution.context import TradingContext
from execution.models import Counterfactual, Order
from execution.orders.states import client_order_id, may_become, move
from execution.types import Leg, OrderState
from signals.rows import insert

logger = logging.getLogger(__name__)

MAX_REASON_LENGTH = 500
"""The number of characters kept of a broker's reason."""


@dataclass
class Adopted:
    """The orders of one signal while a report about them is taken over."""

    orders: list[Order]
    now: datetime

    def latest(self, leg: Leg) -> Order:
        """Return the order of this leg that was made last."""
        return [order for order in self.orders if order.leg == leg][-1]

    def knows(self, report: OrderReport) -> bool:
        """Return whether each order of the report has its row."""
        known = {order.broker_id for order in self.orders}
        return all(each.broker_id in known for each in (*report.chain, *report.exits))

    def take(self, report: OrderReport, leg: Leg) -> None:
        """Take over the state of one order. One that took the place of ours becomes a row."""
        order = self._of(report)
        if order is None:
            order = self._first(report, leg) or self._insert(report, leg)
        _adopt(order, report, self.now)

    def _of(self, report: OrderReport) -> Order | None:
        """Return the row that is known to be this order."""
        for order in self.orders:
            is_named = not order.broker_id and order.client_order_id == report.client_order_id
            if order.broker_id == report.broker_id or (is_named and _has_our_terms(order, report)):
                return order
        return None

    def _first(self, report: OrderReport, leg: Leg) -> Order | None:
        """Return the exit that was made with its entry, if the broker reports it for the first
        time: the broker gave it a client id of its own."""
        found = next(order for order in self.orders if order.leg == leg)
        is_first = leg in (Leg.STOP, Leg.TARGET) and not found.broker_id
        return found if is_first and _has_our_terms(found, report) else None

    def _insert(self, report: OrderReport, leg: Leg) -> Order:
        """Store the order that took the place of our latest one of this leg, with its own terms."""
        latest, entry = self.latest(leg), self.orders[0]
        number = latest.number + 1
        order = Order(
            account=latest.account, signal_id=latest.signal_id, leg=leg, number=number,
            parent=entry, symbol=latest.symbol, side=latest.side, quantity=report.quantity,
            client_order_id=client_order_id(entry.signal.signal_id, leg, number),
            broker_id=report.broker_id, state=OrderState.INITIALIZED,
            level=latest.level if report.level is None else report.level,
            created_at=self.now, due_at=self.now, updated_at=self.now,
        )  # fmt: skip
        insert(order)
        self.orders.append(order)
        text = "%s was replaced at the broker: by %s, at %s"
        logger.warning(text, latest, order, order.level,
                       extra={"signal_id": entry.signal.signal_id})  # fmt: skip
        return order

    def end_replaced(self, reported: Iterable[OrderReport]) -> None:
        """Cancel the rows whose place another order has taken, unless the broker reports them."""
        known = {report.broker_id for report in reported}
        for order in self.orders:
            is_replaced = order.pk != self.latest(Leg(order.leg)).pk
            if is_replaced and order.broker_id not in known and order.leg != Leg.CLOSE:
                _cancel(order, "another order took its place", self.now)


def adopt(context: TradingContext, order: Order, report: OrderReport) -> None:
    """Take over the state of an order and its exits as the broker reports them.

    An order that replaced one of them, such as a stop that a person moved, is stored as a row of
    its own. So is one that the broker has for another quantity than ours. Filled quantities are
    not taken over: only the fills themselves count.
    """
    now = context.clock()
    with transaction.atomic():
        adopted = Adopted(_with(order), now)
        if not adopted.knows(report):
            lock(context.account)  # so that no other process stores the same new order
            adopted.orders = _with(order)
        for each in report.chain:
            adopted.take(each, Leg(order.leg))
        if order.leg != Leg.ENTRY:
            return
        for each in report.exits:
            adopted.take(each, each.leg)
        adopted.end_replaced((*report.chain, *report.exits))
        if _filled_nothing(adopted.orders, report):
            end_exits(context, adopted.orders, now)


def _with(order: Order) -> list[Order]:
    """Return all orders of the signal, oldest first, `order` itself among them."""
    found = Order.objects.of_signal(order.signal_id)
    return [order if each.pk == order.pk else each for each in found]


def _has_our_terms(order: Order, report: OrderReport) -> bool:
    """Return whether the broker has the order as we sent it.

    A close, and a stop that is put back, may be for less than we asked for.
    """
    may_be_less = order.leg == Leg.CLOSE or (order.leg == Leg.STOP and order.number > 1)
    return may_be_less or order.quantity == report.quantity


def _filled_nothing(orders: Iterable[Order], report: OrderReport) -> bool:
    entries = [order for order in orders if order.leg == Leg.ENTRY]
    is_over = all(OrderState(order.state).is_final for order in entries)
    filled = any(order.filled for order in entries) or any(each.filled for each in report.chain)
    return is_over and not filled


def _adopt(order: Order, report: OrderReport, now: datetime) -> None:
    new = report.state
    if new is OrderState.FILLED and report.quantity == order.filled:
        new = OrderState.CANCELED  # the broker had less to close: no more fills come
    elif new in (OrderState.FILLED, OrderState.PARTIALLY_FILLED):
        new = OrderState.ACCEPTED  # until its fills are rows
    if order.state != new and may_become(OrderState(order.state), new):
        changes = {"reason": storable(report.reason)} if report.reason else {}
        move(order, new, now, broker_id=report.broker_id, claim="", **changes)


def storable(reason: str) -> str:
    """Return the part of a broker's reason that every database can store."""
    return reason.replace("\0", "")[:MAX_REASON_LENGTH]


def end_exits(context: TradingContext, orders: Iterable[Order], now: datetime) -> None:
    """Cancel the exits of an entry that filled nothing, and follow its signal as not traded."""
    entry, *others = orders
    for order in others:
        if order.leg in (Leg.STOP, Leg.TARGET):
            _cancel(order, "", now)
    Counterfactual.objects.begin([entry.signal], context.expiry, now)


def _cancel(order: Order, why: str, now: datetime) -> None:
    if may_become(OrderState(order.state), OrderState.CANCELED):
        move(order, OrderState.CANCELED, now, **({"reason": why} if why else {}))
