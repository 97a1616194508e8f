"""The rows of a story. They stay dictionaries, which pages and texts show line by line.

What an altered row may hold instead of a number is taken as it is: `Loose`.
"""

from datetime import datetime

from typing_extensions import TypedDict

from signals.api.json_value import JsonObject

Loose = float | str | None


class SignalStory(TypedDict):
    """The signal's row."""

    signal_id: str
    symbol: str
    action: str
    entry_price: Loose
    target_price: Loose
    stop_price: Loose
    confidence: Loose
    strategy: str
    asset_type: str
    data_source: str | None
    timestamp: str
    outcome: str | None
    exit_price: Loose
    profit_loss_pct: Loose
    sha256: str
    order_id: str | None
    created_at: str | None


class InstrumentStory(TypedDict):
    """What Argo makes of the symbol, and why."""

    symbol: str
    kind: str
    base: str
    quote: str
    hours: str
    why: list[str]


class DeliveryStory(TypedDict):
    """The delivery to Alpine."""

    status: str
    attempts: int
    queued_at: datetime
    attempted_at: datetime | None
    delivered_at: datetime | None
    due_at: datetime
    last_status: int | None
    last_answer: str


class OrderStory(TypedDict):
    """One leg of the trade; money and quantities are texts with exact digits."""

    leg: str
    number: int
    side: str
    symbol: str
    quantity: str
    level: str | None
    state: str
    filled: str
    average_price: str | None
    reason: str
    client_order_id: str
    broker_id: str
    created_at: datetime
    submitted_at: datetime | None
    updated_at: datetime


class FillStory(TypedDict):
    """A fill of one leg; one with a `refused` reason is not counted."""

    leg: str
    fill_id: str
    quantity: str
    price: str
    fee: str
    time: datetime
    refused: str


class PositionStory(TypedDict):
    """The position, as the list of positions has it."""

    account: str
    status: str
    side: str
    symbol: str
    quantity: str
    closed_quantity: str
    entry_price: str
    exit_price: str | None
    stop: str
    target: str
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    exit_reason: str
    fees: str
    profit: str | None
    mae: Loose
    mfe: Loose


class ChangeStory(TypedDict):
    """One change of the outcome or order: the values that it is about, before and after."""

    at: str
    who: str
    why: str
    before: JsonObject
    after: JsonObject


class CounterfactualStory(TypedDict):
    """How the signal would have ended, if it had been traded."""

    entered_at: datetime
    expires_at: datetime
    outcome: str | None
    exit_price: Loose
    exit_reason: str
    profit_loss_pct: Loose
    ended_at: datetime | None
