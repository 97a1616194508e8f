"""The requests and responses of execution's API. Money and quantities are strings of digits."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from ninja import Schema
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from execution.api.queries import Symbol
from execution.models import Position
from execution.money import exact_text
from signals.ledger.validation import Label, Why


def _digits(value: Decimal | str) -> str:
    return exact_text(value) if isinstance(value, Decimal) else value


Money = Annotated[str, BeforeValidator(_digits)]
"""Exact digits, because a float would round them."""


def _seconds(value: timedelta | float) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


Seconds = Annotated[float, BeforeValidator(_seconds)]


class ReasonOut(Schema):
    """A reason why a signal is not traded: a machine-readable code and a message for people."""

    code: str
    text: str


class EarlierOut(Schema):
    """An earlier decision to skip the signal, before somebody asked for it again."""

    account: str
    asked_by: str
    queued_at: datetime
    decided_at: datetime
    reasons: list[ReasonOut]


class DecisionOut(Schema):
    """The decision on one signal. `id` is the id of the signal's row."""

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
    """A fill of one order. A fill with a `refused` reason is not counted."""

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
    """The position of one signal, open or closed. `id` is the id of the signal's row.

    Quantities and prices are those after any split; `changes` says what corporate actions did.
    `mae` and `mfe` (maximum adverse and favorable excursion) are in percent of the entry; `profit`
    is in money after fees; `duration` is in seconds.
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
    changes: list[str]

    @staticmethod
    def resolve_changes(position: Position) -> list[str]:
        return [f"{each.action}: {each.text}" for each in position.changes.all()]


class HaltOut(Schema):
    """A latched stop of all new trades. `lifted_at` is null while it is in force."""

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
    """The reason why trading stops."""

    model_config = ConfigDict(extra="forbid")

    why: Why


class ResumeIn(Schema):
    """The reason why trading may go on.

    With a `code` only that halt is lifted. `account` names an account other than the one in the
    settings, such as `replay`.
    """

    model_config = ConfigDict(extra="forbid")

    why: Why
    code: Label | None = None
    account: Label | None = None


class Lifted(Schema):
    lifted: int


class DecisionPage(Schema):
    """One page. Send `next` as `after` to get the next page; null at the end."""

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
    """A proposed trade: that of a stored signal, another one, or none.

    For another trade the defaults are: the quantity is sized, the target is as far away as the
    stop, and the confidence is high enough.
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
            raise ValueError("give either a signal_id or another trade, not both")
        if given and not {"symbol", "side", "entry", "stop"} <= given:
            raise ValueError("a trade needs symbol, side, entry and stop")
        return self


class BaseOut(Schema):
    """The money that a limit is counted from, since when (null if not known), and its source."""

    amount: Money
    at: datetime | None
    source: str


class HeadroomOut(Schema):
    """One limit: how much is `used` and how much is `left`; `unit` is count, money or percent.

    `base` is null for a limit that is not counted from an amount of money.
    """

    code: str
    text: str
    unit: str
    used: Money
    limit: Money
    left: Money
    base: BaseOut | None


class MeasureOut(Schema):
    """One rule of the prop firm.

    Breaking a rule with `is_breach` ends the account. The other rules are conditions of a payout or
    of the next stage.
    """

    code: str
    text: str
    used: Money
    limit: Money
    left: Money
    met: bool
    is_breach: bool
    base: BaseOut | None


class TradeOut(Schema):
    """The proposed trade; `loss` is its loss at the stop."""

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
    """The limits now (`before`) and `after` the trade, if it takes a place and money and loses at
    its stop. `denials` are the rules that deny the trade now; it may be made if there are none.
    """

    account: str
    at: datetime
    equity: Money
    before: list[HeadroomOut]
    after: list[HeadroomOut] | None
    prop_firm: FirmOut | None
    trade: TradeOut | None
    denials: list[ReasonOut] | None
    halts: list[HaltOut]
