"""What the API of execution takes and answers with. Money and quantities are texts."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from execution.fields import exact_text
from signals.validation import Label

Money = Annotated[str, BeforeValidator(exact_text)]
"""Exact digits: a float would round them."""
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class ReasonOut(Schema):
    """Why a signal is not traded: a word to count by, and a sentence to read."""

    code: str
    text: str


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
    duration: Annotated[float | None, BeforeValidator(lambda value: _seconds(value))]


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
    """Why trading may go on; with a `code` only that halt is lifted."""

    model_config = ConfigDict(extra="forbid")

    why: Why
    code: Label | None = None


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


def _seconds(value: timedelta | float | None) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value
