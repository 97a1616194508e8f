"""What the lists of execution's rows may be asked for."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from execution.analysis.selection import ReasonCode
from execution.api.item_schemas import DecisionItem, FillItem, HaltItem, OrderItem, PositionItem
from execution.types import ExitReason, Leg, OrderState, Side
from signals.ledger.queries import Moment
from signals.ledger.validation import Label
from signals.retrieval.lists import Number, PagedQuery, Symbol

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


class RowQuery(PagedQuery):
    """A page of rows, of all accounts or of one."""

    account: Label | None = None


class OfSignalQuery(RowQuery):
    """A page of rows that belong to signals, of all or of one."""

    handled: ClassVar = frozenset({"signal_id"})

    signal_id: Label | None = None


class DecisionQuery(OfSignalQuery):
    """Filters of decisions; `reason` is a code."""

    item: ClassVar = DecisionItem
    handled: ClassVar = frozenset({"signal_id", "status", "reason"})

    status: Literal["pending", "deciding", "executed", "skipped"] | None = None
    reason: ReasonCode | None = Field(None, description="The code of a reason for skipping")
    asked_by: Label | None = None
    order_id: Label | None = None
    queued_since: Moment | None = None
    queued_until: Moment | None = None
    decided_since: Moment | None = None
    decided_until: Moment | None = None


class OrderQuery(OfSignalQuery):
    """Filters of orders; the state `open` means every order that may still fill."""

    item: ClassVar = OrderItem
    handled: ClassVar = frozenset({"signal_id", "state"})
    contained: ClassVar = frozenset({"reason"})

    state: StateName | None = None
    leg: Leg | None = None
    symbol: Symbol | None = None
    side: Side | None = None
    number: int | None = Field(None, ge=1, lt=2**31)
    client_order_id: Label | None = None
    broker_id: Label | None = None
    reason: Label | None = Field(None, description="A text that the reason contains")
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    min_level: Number | None = None
    max_level: Number | None = None
    min_filled: Number | None = None
    max_filled: Number | None = None
    min_average_price: Number | None = None
    max_average_price: Number | None = None
    created_since: Moment | None = None
    created_until: Moment | None = None
    submitted_since: Moment | None = None
    submitted_until: Moment | None = None
    updated_since: Moment | None = None
    updated_until: Moment | None = None


class FillQuery(OfSignalQuery):
    """Filters of fills."""

    item: ClassVar = FillItem
    paths: ClassVar = {
        "leg": "order__leg", "symbol": "order__symbol", "side": "order__side", "time_at": "time",
        "client_order_id": "order__client_order_id",
    }  # fmt: skip
    handled: ClassVar = frozenset({"signal_id", "counted"})

    leg: Leg | None = None
    symbol: Symbol | None = None
    side: Side | None = None
    client_order_id: Label | None = None
    fill_id: Label | None = None
    counted: bool | None = Field(None, description="Whether it counts: it was not refused")
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    min_price: Number | None = None
    max_price: Number | None = None
    min_fee: Number | None = None
    max_fee: Number | None = None
    time_since: Moment | None = None
    time_until: Moment | None = None


class PositionQuery(OfSignalQuery):
    """Filters of positions."""

    item: ClassVar = PositionItem
    handled: ClassVar = frozenset({"signal_id", "status"})
    paths: ClassVar = {"outcome": "signal__outcome"}

    status: Literal["open", "closed"] | None = None
    symbol: Symbol | None = None
    side: Side | None = None
    closing_for: Label | None = None
    exit_reason: ExitReason | None = None
    outcome: Literal["win", "loss", "breakeven", "expired"] | None = None
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    min_closed_quantity: Number | None = None
    max_closed_quantity: Number | None = None
    min_entry_price: Number | None = None
    max_entry_price: Number | None = None
    min_exit_price: Number | None = None
    max_exit_price: Number | None = None
    min_stop: Number | None = None
    max_stop: Number | None = None
    min_target: Number | None = None
    max_target: Number | None = None
    min_profit: Number | None = None
    max_profit: Number | None = None
    min_fees: Number | None = None
    max_fees: Number | None = None
    min_mae: Number | None = None
    max_mae: Number | None = None
    min_mfe: Number | None = None
    max_mfe: Number | None = None
    opened_since: Moment | None = None
    opened_until: Moment | None = None
    expires_since: Moment | None = None
    expires_until: Moment | None = None
    closed_since: Moment | None = None
    closed_until: Moment | None = None


class HaltQuery(RowQuery):
    """Filters of halts: those in force, or with `all` every halt ever made."""

    item: ClassVar = HaltItem
    handled: ClassVar = frozenset({"all"})
    contained: ClassVar = frozenset({"reason"})

    all: bool = False
    code: Label | None = None
    reason: Label | None = Field(None, description="A text that the reason contains")
    latched_by: Label | None = None
    lifted_by: Label | None = None
    latched_since: Moment | None = None
    latched_until: Moment | None = None
    lifted_since: Moment | None = None
    lifted_until: Moment | None = None
