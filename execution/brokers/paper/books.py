"""The paper broker's tables: reading its open brackets, and writing what prices did to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from execution.brokers.paper.ticket import Filled, Ticket
from execution.brokers.protocol import FINAL, Leg
from execution.fields import ZERO, exact_text
from execution.models import PaperAccount, PaperFill, PaperOrder
from execution.risk.intent import Side

_UPDATE = """
UPDATE paper_orders SET filled = %s, value = %s, state = %s, filled_at = %s, is_triggered = %s,
    reference = %s, seen_at = %s
WHERE id = %s
"""


@dataclass
class Money:
    """An account's cash and what is held and waited for, at the last prices looked at."""

    cash: Decimal
    tickets: Sequence[Ticket] = field(default_factory=tuple)

    @property
    def equity(self) -> Decimal:
        """Cash, and what is held at the last price."""
        return self.cash + sum((each.signed * each.entry.reference for each in self.tickets), ZERO)

    @property
    def balance(self) -> Decimal:
        """The same, had every position stayed at its average price."""
        return self.cash + sum((each.signed * each.average for each in self.tickets), ZERO)

    @property
    def buying_power(self) -> Decimal:
        """Without credit: equity less what is held, bought or sold short, and ordered."""
        bound = (
            (each.held + each.waiting) * each.entry.reference
            for each in self.tickets
            if each.held or each.waiting
        )
        return self.equity - sum(bound, ZERO)


def open_tickets(account: PaperAccount) -> list[Ticket]:
    """The brackets of which something may still be filled, oldest first."""
    live = PaperOrder.objects.filter(account=account).exclude(state__in=sorted(FINAL))
    entries = {order.parent_id or order.pk for order in live.only("parent_id")}
    return tickets(entries)


def tickets(entries: Iterable[int]) -> list[Ticket]:
    """These brackets, by the rows of their entries."""
    ids = list(entries)
    if not ids:
        return []
    rows = PaperOrder.objects.filter(pk__in=ids) | PaperOrder.objects.filter(parent_id__in=ids)
    found: dict[int, Ticket] = {}
    for order in rows.order_by("pk"):
        if order.parent_id is None:
            found[order.pk] = Ticket(order, {})
        else:
            found[order.parent_id].legs[Leg(order.leg)] = order
    return list(found.values())


def book(account: PaperAccount, fills: Sequence[Filled]) -> None:
    """Write fills down and move the cash."""
    if not fills:
        return
    PaperFill.objects.bulk_create([_row(account, each) for each in fills])
    account.cash += sum((_cash(each) for each in fills), ZERO)
    account.save(update_fields=["cash"])


def save(changed: Iterable[PaperOrder]) -> None:
    """Write down how these orders stand now."""
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE, [_values(order) for order in changed])


def _row(account: PaperAccount, filled: Filled) -> PaperFill:
    order = filled.order
    fill_id = f"{account.name}/{order.client_order_id}/{exact_text(order.filled)}"
    return PaperFill(order=order, fill_id=fill_id, quantity=filled.quantity, price=filled.price,
                     fee=filled.fee, time=filled.time)  # fmt: skip


def _cash(filled: Filled) -> Decimal:
    value = filled.quantity * filled.price
    return (value if Side(filled.order.side) is Side.SELL else -value) - filled.fee


def _values(order: PaperOrder) -> tuple[Any, ...]:
    adapt = connection.ops.adapt_datetimefield_value
    return (
        exact_text(order.filled),
        exact_text(order.value),
        str(order.state),
        adapt(order.filled_at) if order.filled_at else None,
        order.is_triggered,
        exact_text(order.reference),
        adapt(order.seen_at),
        order.pk,
    )
