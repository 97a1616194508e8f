"""The requests and answers about senders of alerts."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field, WithJsonSchema

from signals.alerts.content import MAX_BYTES
from signals.alerts.mapping import MappingIn
from signals.api.json_value import JsonObject
from signals.api.schemas import Fault
from signals.ledger.validation import Label

Number = Annotated[float, Field(allow_inf_nan=False)]
Mapping = Annotated[
    JsonObject,
    WithJsonSchema(MappingIn.model_json_schema()),
    Field(description="What differs from the preset, as the manual describes"),
]
Symbols = Annotated[
    dict[str, str], Field(description='Its symbols in your spelling: {"GOLD": "XAUUSD"}')
]


class SenderOut(Schema):
    """A sender of alerts, and when it was last heard. Its address is never shown again.

    `confidence` is for alerts that bring none. `dedup_window`, `max_lag` and `expected_every` are
    in seconds. `late_since` is null unless it is silent for too long; `unread` counts its alerts
    that could not be read.
    """

    name: str
    preset: str
    mapping: JsonObject
    symbols: dict[str, str]
    confidence: float
    dedup_window: float
    max_lag: float | None
    expected_every: float | None
    in_market_hours: bool
    needs_certificate: bool
    created_at: datetime
    revoked_at: datetime | None
    heard_at: datetime | None
    late_since: datetime | None
    unread: int


class SendersOut(Schema):
    """All senders, those with a valid address first."""

    senders: list[SenderOut]


class SenderChange(Schema):
    """Settings of a sender; one that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    preset: Label | None = None
    mapping: Mapping | None = None
    symbols: Symbols | None = None
    confidence: Number | None = None
    dedup_window: Number | None = None
    max_lag: Number | None = Field(None, description="Seconds; null: never too old")
    expected_every: Number | None = Field(None, description="Seconds; null: silence is no problem")
    in_market_hours: bool | None = None
    needs_certificate: bool | None = None


class SenderIn(SenderChange):
    """A new sender: its name, its preset, and settings that differ from the defaults."""

    name: Label
    preset: Label


class SenderMade(Schema):
    """The address of a new sender: keep it, it is the secret and is shown once. `text` is what to
    paste into the sender's form."""

    name: str
    url: str
    text: str


class TestIn(Schema):
    """The text of an alert to try, up to 64 KiB."""

    model_config = ConfigDict(extra="forbid")

    alert: Annotated[str, Field(max_length=MAX_BYTES)]


class OrderShown(Schema):
    """What one alert asks for: to open a signal on the side `opens`, to end signals of the side
    `ends` (or `all`), or both. `target` and `stop` are prices, or say that the market gives them.
    `known_by` is what tells this alert from others."""

    opens: str
    ends: str
    symbol: str
    sent: str
    asset_type: str | None
    price: float | None
    target: float | str | None
    stop: float | str | None
    confidence: float
    strategy: str
    time: str
    known_by: list[str]


class TestedAlert(Schema):
    """What Argo makes of an alert: orders, or the faults why it cannot be read."""

    orders: list[OrderShown]
    faults: list[Fault]
