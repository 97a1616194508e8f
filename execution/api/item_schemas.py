"""The rows of execution as the API returns them. Money and quantities are strings of digits."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from ninja import Schema
from pydantic import BeforeValidator, Field

from execution.models import Position
from execution.money import exact_text
from signals.retrieval.lists import ListItem


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
    figures: dict[str, str]
    latched_at: datetime
    latched_by: str
    lifted_at: datetime | None
    lifted_by: str
    lifted_why: str


class DecisionItem(DecisionOut, ListItem):
    """A decision on one signal: with `fields` it has these alone. `id` is its row's id."""


class OrderItem(OrderOut, ListItem):
    """One leg of a signal's trade: with `fields` it has these alone."""


class FillItem(FillOut, ListItem):
    """A fill of one order: with `fields` it has these alone. One with a `refused` reason is not
    counted."""


class PositionItem(PositionOut, ListItem):
    """The position of one signal: with `fields` it has these alone.

    Quantities and prices are those after any split; `changes` says what corporate actions did.
    `mae` and `mfe` (maximum adverse and favorable excursion) are in percent of the entry; `profit`
    is in money after fees; `duration` is in seconds.
    """


class HaltItem(HaltOut, ListItem):
    """A latched stop of all new trades: with `fields` it has these alone. `lifted_at` is null while
    it is in force."""


class DecisionPage(Schema):
    """One page. Send `next` as `after` to get the next page; it is null on the last page."""

    items: list[DecisionItem]
    next: int | None


class OrderPage(Schema):
    """One page. Send `next` as `after` to get the next page; it is null on the last page."""

    items: list[OrderItem]
    next: int | None


class FillPage(Schema):
    """One page. Send `next` as `after` to get the next page; it is null on the last page."""

    items: list[FillItem]
    next: int | None


class PositionPage(Schema):
    """One page. Send `next` as `after` to get the next page; it is null on the last page."""

    items: list[PositionItem]
    next: int | None


class HaltPage(Schema):
    """One page. Send `next` as `after` to get the next page; it is null on the last page."""

    items: list[HaltItem]
    next: int | None
