"""What the API of execution takes and answers with. Money and quantities are texts."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from ninja import Schema
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from execution.api.queries import Symbol
from execution.money import exact_text
from signals.ledger.validation import NO_NUL, Label


def _digits(value: Decimal | str) -> str:
    return exact_text(value) if isinstance(value, Decimal) else value


Money = Annotated[str, BeforeValidator(_digits)]
"""Exact digits: a float would round them."""


def _seconds(value: timedelta | float) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


Seconds = Annotated[float, BeforeValidator(_seconds)]
Why = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=NO_NUL)
]


class ReasonOut(Schema):
    """Why a signal is not traded: a word to count by, and a sentence to read."""

    code: str
    text: str


class EarlierOut(Schema):
    """What was decided before the signal was asked for again: it was skipped."""

    account: str
    asked_by: str
    queued_at: datetime
    decided_at: datetime
    reasons: list[ReasonOut]


class DecisionOut(Schema):
    """How the decision on one signal stands. `id` is the signal's row."""

    id: int = Field(alias="pk")
    signal_id: str = Field(alias="signal.signal_id")
    account: str
    status: str
    queued_at: datetime
    asked_by: str
    decided_at: datetime | None
    reasons: list[ReasonOut]
    order_id: str | None
    earlier: list[EarlierOut]


class OrderOut(Schema):
    """One leg of a signal's trade."""

    id: int
    signal_id: str = Field(alias="signal.signal_id")
    account: str
    leg: str
    number: int
    client_order_id: str
    broker_id: str
    symbol: str
    side: str
    quantity: Money
    level: Money | None
    state: str
    filled: Money
    average_price: Money | None
    reason: str
    created_at: datetime
    submitted_at: datetime | None
    updated_at: datetime


class FillOut(Schema):
    """What was bought or sold for one order. One that is `refused` counts for nothing."""

    id: int
    signal_id: str = Field(alias="order.signal.signal_id")
    account: str
    client_order_id: str = Field(alias="order.client_order_id")
    leg: str = Field(alias="order.leg")
    symbol: str = Field(alias="order.symbol")
    side: str = Field(alias="order.side")
    fill_id: str
    quantity: Money
    price: Money
    fee: Money
    time: datetime
    refused: str


class PositionOut(Schema):
    """What one signal's trade holds or has held. `id` is the signal's row.

    `mae` and `mfe` in percent of the entry; `profit` in money, fees taken off; `duration` in
    seconds.
    """

    id: int = Field(alias="pk")
    signal_id: str = Field(alias="signal.signal_id")
    account: str
    status: str
    symbol: str
    side: str
    quantity: Money
    closed_quantity: Money
    entry_price: Money
    exit_price: Money | None
    stop: Money
    target: Money
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    closing_for: str
    exit_reason: str
    outcome: str | None = Field(alias="signal.outcome")
    fees: Money
    profit: Money | None
    mae: float | None
    mfe: float | None
    duration: Seconds | None


class HaltOut(Schema):
    """A latched stop of all new trades. `lifted_at` is null while it stands."""

    id: int
    account: str
    code: str
    reason: str
    figures: dict[str, Any]
    latched_at: datetime
    latched_by: str
    lifted_at: datetime | None
    lifted_by: str
    lifted_why: str


class HaltIn(Schema):
    """Why trading stops."""

    model_config = ConfigDict(extra="forbid")

    why: Why


class ResumeIn(Schema):
    """Why trading may go on; with a `code` only that halt is lifted. `account`: another one than
    that which is traded on, such as `replay`."""

    model_config = ConfigDict(extra="forbid")

    why: Why
    code: Label | None = None
    account: Label | None = None


class Lifted(Schema):
    lifted: int


class DecisionPage(Schema):
    """`next` begins the next page, as its `after`; null at the end."""

    items: list[DecisionOut]
    next: int | None


class OrderPage(Schema):
    items: list[OrderOut]
    next: int | None


class FillPage(Schema):
    items: list[FillOut]
    next: int | None


class PositionPage(Schema):
    items: list[PositionOut]
    next: int | None


class HaltPage(Schema):
    items: list[HaltOut]
    next: int | None


Figure = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=30)]


class LimitsQuery(BaseModel):
    """The trade that is thought of: a stored signal's, or another one, or none.

    Of another one the quantity may be left out: then it is sized; its target lies as far away as
    its stop, and its confidence suffices, unless they are given.
    """

    model_config = ConfigDict(extra="forbid")

    signal_id: Label | None = None
    symbol: Symbol | None = None
    side: Literal["BUY", "SELL"] | None = None
    entry: Figure | None = None
    stop: Figure | None = None
    quantity: Figure | None = None
    target: Figure | None = None
    confidence: float | None = Field(None, ge=0, le=100)

    @model_validator(mode="after")
    def _is_one_trade(self) -> Self:
        given = self.model_fields_set - {"signal_id"}
        if self.signal_id is not None and given:
            raise ValueError("give a signal_id, or another trade, not both")
        if given and not {"symbol", "side", "entry", "stop"} <= given:
            raise ValueError("a trade takes symbol, side, entry and stop")
        return self


class DistanceOut(Schema):
    """One limit: `used` of it and what is `left`; a `count`, `money`, or `percent`."""

    code: str
    text: str
    unit: str
    used: Money
    limit: Money
    left: Money


class MeasureOut(Schema):
    """One rule of the prop firm. Broken, a rule that `is_breach` ends the account; the others are
    what a payout or the next stage takes."""

    code: str
    text: str
    used: Money
    limit: Money
    left: Money
    met: bool
    is_breach: bool


class TradeOut(Schema):
    """The proposed trade; `loss` is what it loses at its stop."""

    symbol: str
    side: str
    quantity: Money
    entry: Money
    stop: Money
    price: Money | None
    loss: Money


class FirmOut(Schema):
    name: str
    before: list[MeasureOut]
    after: list[MeasureOut] | None


class LimitsOut(Schema):
    """The limits now, and `after` the trade: had it taken its place and its money, and lost at its
    stop. `denials` are what the rules have against it now: the trade may be made where it is empty.
    """

    account: str
    at: datetime
    equity: Money
    before: list[DistanceOut]
    after: list[DistanceOut] | None
    prop_firm: FirmOut | None
    trade: TradeOut | None
    denials: list[ReasonOut] | None
    halts: list[HaltOut]
