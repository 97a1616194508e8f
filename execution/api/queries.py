"""Pages of execution's rows, newest first, by keyset.

A page is found by the primary key, so that a deep page costs no more than the first. Rows that are
open, wait, were executed or belong to one signal are found by an index of their own; every other
filter scans the primary key.
"""

from typing import Annotated, Any, Literal, TypeVar

from django.db.models import F, Model, QuerySet, TextField, Value
from django.db.models.functions import Concat
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from execution.analysis.selection import ReasonCode
from execution.models import Decision, Fill, Halt, Order, Position
from execution.models.decision import WAITING, skipped_for
from execution.models.order import MAY_FILL
from execution.types import FINAL, Leg, OrderState
from signals.instruments import name_of
from signals.ledger.queries import find_row
from signals.ledger.spellings import spellings_of
from signals.ledger.validation import Label

Row = TypeVar("Row", bound=Model)
OPEN = "open"


def _state(name: str) -> str:
    if name not in STATES:
        raise ValueError(f"must be one of {', '.join(STATES)}")
    return name


STATES = (OPEN, *(state.value for state in OrderState))
StateName = Annotated[
    str, AfterValidator(_state), WithJsonSchema({"type": "string", "enum": STATES})
]
"""One type, because the error of a union would name each of its types."""
Symbol = Annotated[Label, AfterValidator(name_of)]
"""Any spelling becomes the instrument's one name."""


class PageQuery(BaseModel):
    """A page, of all accounts or of one; `after` is the `next` of the previous page."""

    model_config = ConfigDict(extra="forbid")

    account: Label | None = None
    after: int | None = Field(None, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


class DecisionQuery(PageQuery):
    """Filters of decisions; `reason` is a code."""

    status: Literal["pending", "deciding", "executed", "skipped"] | None = None
    reason: ReasonCode | None = None
    signal_id: Label | None = None


class OrderQuery(PageQuery):
    """Filters of orders; the state `open` means every order that may still fill."""

    state: StateName | None = None
    leg: Leg | None = None
    symbol: Symbol | None = None
    signal_id: Label | None = None


class FillQuery(PageQuery):
    """Filters of fills."""

    signal_id: Label | None = None


class PositionQuery(PageQuery):
    """Filters of positions."""

    status: Literal["open", "closed"] | None = None
    symbol: Symbol | None = None
    signal_id: Label | None = None


class HaltQuery(PageQuery):
    """Filters of halts: those in force, or with `all` every halt ever made."""

    all: bool = False


def decisions(query: DecisionQuery) -> list[Decision]:
    """Return one page. The keys are the ids of the signals' rows."""
    chosen = _of_signal(Decision.objects.select_related("signal"), "pk", query.signal_id)
    if query.reason:
        chosen = skipped_for(chosen, query.reason)
    if query.status:
        chosen = chosen.filter(status=query.status)
    if query.status in ("pending", "deciding"):
        chosen = chosen.filter(WAITING)
    return _page(chosen, query, few=query.status in ("pending", "deciding"))


def orders(query: OrderQuery) -> list[Order]:
    """Return one page."""
    chosen = _of_signal(Order.objects.select_related("signal"), "signal", query.signal_id)
    few = query.state is not None and query.state not in FINAL
    if few:
        chosen = chosen.filter(MAY_FILL)
    if query.state and query.state != OPEN:
        chosen = chosen.filter(state=query.state)
    return _page(
        chosen.filter(**_given(leg=query.leg, symbol__in=_spelled(query.symbol))), query, few
    )


def fills(query: FillQuery) -> list[Fill]:
    """Return one page."""
    chosen = Fill.objects.select_related("order__signal")
    return _page(_of_signal(chosen, "order__signal", query.signal_id), query)


def positions(query: PositionQuery) -> list[Position]:
    """Return one page. The keys are the ids of the signals' rows."""
    rows = Position.objects.select_related("signal").prefetch_related("changes__action")
    chosen = _of_signal(rows, "pk", query.signal_id)
    chosen = chosen.filter(**_given(status=query.status, symbol__in=_spelled(query.symbol)))
    return _page(chosen, query, few=query.status == "open")


def halts(query: HaltQuery) -> list[Halt]:
    """Return one page."""
    chosen = Halt.objects.all() if query.all else Halt.objects.filter(lifted_at=None)
    return _page(chosen, query)


def _of_signal(rows: QuerySet[Row], column: str, signal_id: str | None) -> QuerySet[Row]:
    if signal_id is None:
        return rows
    found = find_row(signal_id)
    return rows.filter(**{column: found}) if found else rows.none()


def _page(rows: QuerySet[Row], query: PageQuery, few: bool = False) -> list[Row]:
    """Return one row more than the limit, newest first.

    "+ 0" for `few`, and comparing the account as a computed text, keep SQLite from choosing an
    index whose rows it would scan.
    """
    on = Concat("account", Value(""), output_field=TextField())
    chosen = rows.alias(on=on).filter(**_given(on=query.account, pk__lt=query.after))
    order = (F("pk") + 0).desc() if few else F("pk").desc()
    return list(chosen.order_by(order)[: query.limit + 1])


def _spelled(symbol: str | None) -> tuple[str, ...] | None:
    """Return the names that rows of the instrument may have: older versions had other ones."""
    return spellings_of(symbol).names if symbol else None


def _given(**conditions: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: value for name, value in conditions.items() if value is not None}
