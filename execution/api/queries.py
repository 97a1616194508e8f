"""Pages of execution's rows, newest or oldest first, by keyset.

A page is found by the primary key, so that a deep page costs no more than the first. Rows that are
open, wait, were executed or belong to one signal are found by an index of their own; with every
other filter a page looks at a bounded number of rows, and may be short.
"""

from typing import TypeVar

from django.db.models import Model, QuerySet

from execution.api.filters import (
    OPEN,
    DecisionQuery,
    FillQuery,
    HaltQuery,
    OfSignalQuery,
    OrderQuery,
    PositionQuery,
)
from execution.models import Decision, Fill, Halt, Order, Position
from execution.models.decision import EXECUTED, WAITING, skipped_for
from execution.models.order import MAY_FILL
from execution.models.position import OPEN_POSITIONS
from execution.types import FINAL
from signals.keyset import Page
from signals.ledger.queries import find_row
from signals.retrieval.lists import page_of

Row = TypeVar("Row", bound=Model)


def decisions(query: DecisionQuery) -> Page[Decision]:
    """Return one page. The keys are the ids of the signals' rows."""
    chosen = _of_signal(Decision.objects.select_related("signal"), "pk", query.signal_id)
    if query.reason:
        chosen = skipped_for(chosen, query.reason)
    if query.status:
        chosen = chosen.filter(status=query.status)
    if query.status == "executed":
        executed = Decision.objects.filter(EXECUTED)
        return _page(chosen.filter(EXECUTED), query, among=executed)
    few = query.status in ("pending", "deciding")
    return _page(chosen.filter(WAITING) if few else chosen, query, few=few)


def orders(query: OrderQuery) -> Page[Order]:
    """Return one page."""
    chosen = _of_signal(Order.objects.select_related("signal"), "signal", query.signal_id)
    few = query.state is not None and query.state not in FINAL
    if few:
        chosen = chosen.filter(MAY_FILL)
    if query.state and query.state != OPEN:
        chosen = chosen.filter(state=query.state)
    return _page(chosen, query, few=few)


def fills(query: FillQuery) -> Page[Fill]:
    """Return one page."""
    chosen = Fill.objects.select_related("order__signal")
    if query.counted is not None:
        chosen = chosen.filter(refused="") if query.counted else chosen.exclude(refused="")
    return _page(_of_signal(chosen, "order__signal", query.signal_id), query)


def positions(query: PositionQuery) -> Page[Position]:
    """Return one page. The keys are the ids of the signals' rows."""
    rows = Position.objects.select_related("signal").prefetch_related("changes__action")
    chosen = _of_signal(rows, "pk", query.signal_id)
    if query.status == "open":
        return _page(chosen.filter(OPEN_POSITIONS), query, few=True)
    return _page(chosen.filter(status=query.status) if query.status else chosen, query)


def halts(query: HaltQuery) -> Page[Halt]:
    """Return one page."""
    chosen = Halt.objects.all() if query.all else Halt.objects.filter(lifted_at=None)
    return page_of(chosen, query)


def _of_signal(rows: QuerySet[Row], column: str, signal_id: str | None) -> QuerySet[Row]:
    if signal_id is None:
        return rows
    found = find_row(signal_id)
    return rows.filter(**{column: found}) if found else rows.none()


def _page(
    rows: QuerySet[Row],
    query: OfSignalQuery,
    *,
    few: bool = False,
    among: QuerySet[Row] | None = None,
) -> Page[Row]:
    """Return one page; `few` rows are found by an index, as those of one signal are, and rows
    among others by theirs."""
    return page_of(rows, query, few=few or query.signal_id is not None, among=among)
