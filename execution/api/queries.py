"""What readers ask of execution: pages of its rows, newest first, by keyset.

A page is found by the primary key, however deep it lies. What is open, waits, was executed or
belongs to one signal is found by an index of its own; every other filter walks the primary key.
"""

from typing import Annotated, Any, Literal, TypeVar

from django.db.models import F, Model, QuerySet, TextField, Value
from django.db.models.functions import Concat
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from execution.models import Decision, Fill, Halt, Order, Position
from execution.models.decision import WAITING, skipped_for
from execution.models.order import MAY_FILL
from execution.types import FINAL, Leg, OrderState, Reason
from signals.ledger.validation import Label
from signals.market.instruments import normalised
from signals.models import Signal

Row = TypeVar("Row", bound=Model)
OPEN = "open"


def _reason(code: str) -> str:
    if code not in set(Reason):
        raise ValueError(f"is one of {', '.join(Reason)}")
    return code


def _state(name: str) -> str:
    if name not in STATES:
        raise ValueError(f"is one of {', '.join(STATES)}")
    return name


STATES = (OPEN, *(state.value for state in OrderState))
ReasonCode = Annotated[str, AfterValidator(_reason)]
StateName = Annotated[
    str, AfterValidator(_state), WithJsonSchema({"type": "string", "enum": STATES})
]
"""One type: of a union, a refusal would name what it is made of."""
Symbol = Annotated[Label, AfterValidator(normalised)]


class PageQuery(BaseModel):
    """Which page, of all accounts or of one; `after` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    account: Label | None = None
    after: int | None = Field(None, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


class DecisionQuery(PageQuery):
    """Which decisions; `reason` is a code."""

    status: Literal["pending", "deciding", "executed", "skipped"] | None = None
    reason: ReasonCode | None = None
    signal_id: Label | None = None


class OrderQuery(PageQuery):
    """Which orders; the state `open` is every one that may still fill."""

    state: StateName | None = None
    leg: Leg | None = None
    symbol: Symbol | None = None
    signal_id: Label | None = None


class FillQuery(PageQuery):
    """Which fills."""

    signal_id: Label | None = None


class PositionQuery(PageQuery):
    """Which positions."""

    status: Literal["open", "closed"] | None = None
    symbol: Symbol | None = None
    signal_id: Label | None = None


class HaltQuery(PageQuery):
    """Which halts: those that stand, or all that ever were."""

    all: bool = False


def decisions(query: DecisionQuery) -> list[Decision]:
    """One page. The keys are the signals' rows."""
    chosen = _of_signal(Decision.objects.select_related("signal"), "pk", query.signal_id)
    if query.reason:
        chosen = skipped_for(chosen, query.reason)
    if query.status:
        chosen = chosen.filter(status=query.status)
    if query.status in ("pending", "deciding"):
        chosen = chosen.filter(WAITING)
    return _page(chosen, query, few=query.status in ("pending", "deciding"))


def orders(query: OrderQuery) -> list[Order]:
    """One page."""
    chosen = _of_signal(Order.objects.select_related("signal"), "signal", query.signal_id)
    few = query.state is not None and query.state not in FINAL
    if few:
        chosen = chosen.filter(MAY_FILL)
    if query.state and query.state != OPEN:
        chosen = chosen.filter(state=query.state)
    return _page(chosen.filter(**_given(leg=query.leg, symbol=query.symbol)), query, few)


def fills(query: FillQuery) -> list[Fill]:
    """One page."""
    chosen = Fill.objects.select_related("order__signal")
    return _page(_of_signal(chosen, "order__signal", query.signal_id), query)


def positions(query: PositionQuery) -> list[Position]:
    """One page. The keys are the signals' rows."""
    chosen = _of_signal(Position.objects.select_related("signal"), "pk", query.signal_id)
    chosen = chosen.filter(**_given(status=query.status, symbol=query.symbol))
    return _page(chosen, query, few=query.status == "open")


def halts(query: HaltQuery) -> list[Halt]:
    """One page."""
    chosen = Halt.objects.all() if query.all else Halt.objects.filter(lifted_at=None)
    return _page(chosen, query)


def _of_signal(rows: QuerySet[Row], column: str, signal_id: str | None) -> QuerySet[Row]:
    if signal_id is None:
        return rows
    found = Signal.objects.filter(signal_id=signal_id).values_list("pk", flat=True).first()
    return rows.filter(**{column: found}) if found else rows.none()


def _page(rows: QuerySet[Row], query: PageQuery, few: bool = False) -> list[Row]:
    """Newest first. "+ 0" of `few`, and a text made of the account, lest SQLite take an index for
    their sake and walk all its rows."""
    on = Concat("account", Value(""), output_field=TextField())
    chosen = rows.alias(on=on).filter(**_given(on=query.account, pk__lt=query.after))
    order = (F("pk") + 0).desc() if few else F("pk").desc()
    return list(chosen.order_by(order)[: query.limit + 1])


def _given(**conditions: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: value for name, value in conditions.items() if value is not None}
