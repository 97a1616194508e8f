"""The parts of a story."""

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from argo.lifecycle import Event
from argo.reports.explain.row_schemas import (
    ChangeStory,
    CounterfactualStory,
    DeliveryStory,
    FillStory,
    InstrumentStory,
    Loose,
    OrderStory,
    PositionStory,
    SignalStory,
)
from signals.api.json_value import JsonObject, JsonValue


class BarOut(Schema):
    """One bar: `time` is when it closed (UTC)."""

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Prices(Schema):
    """The bars around the signal, from the market of today's settings.

    `seen` are the last bars that had closed when the signal was made, of `bars_seen` in all, and
    `after` the first ones after it. `chart` shows them as text. `problem` says why bars are
    missing.
    """

    bars_seen: int = 0
    seen: list[BarOut] = Field(default_factory=list)
    after: list[BarOut] = Field(default_factory=list)
    chart: str = ""
    notes: list[str] = Field(default_factory=list)
    problem: str | None = None


class Check(Schema):
    """One rule with the numbers on both sides.

    `passed` is null if that is not known. `basis` is `stored` if Argo stored this when it decided,
    and `today` if it is computed now, against the limits of today's settings.
    """

    code: str
    value: str
    limit: str
    passed: bool | None
    basis: Literal["stored", "today"]


class Made(Schema):
    """How the signal was made, as its sender said; what it did not say is null.

    `raw_confidence` is null if the confidence was not calibrated. `made_at` is null if the
    signal's time is not valid. `gates` are those of Argo's own consensus.
    """

    origin: str | None
    regime: str | None
    sources: int | Loose
    agreement: Loose
    raw_confidence: Loose
    calibration_version: int | Loose
    reasoning: str | None
    votes: JsonValue
    symbol_as_sent: str | None
    extra: JsonValue
    made_at: datetime | None
    gates: list[Check]
    notes: list[str]


class Stored(Schema):
    """When and where the signal was stored, and whether row, hash and journal line agree.

    `latency_ms` is the time from its receipt to its row; null if that is not known. `valid` is
    null if it could not be checked. The types of a row that was altered are not checked.
    """

    received_at: str | None
    stored_at: str | None
    latency_ms: float | None
    journal: str | None
    segment: int | Loose
    byte: int | Loose
    sha256: str
    valid: bool | None
    findings: list[str]


class DecisionStory(Schema):
    """Whether the signal is traded, and each rule that is known."""

    status: str
    account: str
    asked_by: str
    queued_at: datetime
    decided_at: datetime | None
    order_id: str | None
    rules: list[Check]
    earlier: list[JsonObject]
    notes: list[str]


class OutcomeStory(Schema):
    """How the signal ended; `outcome` is null while it is open."""

    outcome: str | None
    exit_price: Loose
    profit_loss_pct: Loose
    decided_by_position: bool
    edited: bool


class Story(Schema):
    """Everything that Argo knows of one signal. A part is null if there is no such row.

    `divergence` compares the signal's own prices, the backtest and the trade; null without a
    position.
    """

    signal_id: str
    headline: str
    signal: SignalStory
    instrument: InstrumentStory | None
    made: Made
    prices: Prices
    stored: Stored
    sync: DeliveryStory | None
    decision: DecisionStory | None
    orders: list[OrderStory]
    fills: list[FillStory]
    position: PositionStory | None
    outcome: OutcomeStory
    changes: list[ChangeStory]
    counterfactual: CounterfactualStory | None
    divergence: JsonObject | None
    timeline: list[Event]
