"""The API's answers, for its documentation."""

from typing import Any

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field

from signals.api.json_value import JsonValue
from signals.ledger.outcome_edits import OutcomeEdit
from signals.ledger.validation import SignalIn


class OutcomeItem(OutcomeEdit):
    """One edit of many. Without `etag` it overwrites whatever the outcome is by now."""

    signal_id: str
    etag: str | None = Field(None, description="As GET answers it, with its quotes")


def _one(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


def _nothing_required(schema: dict[str, Any]) -> None:
    schema.pop("required", None)


def _many(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    content = {
        "application/json": {"schema": {"type": "array", "items": schema}},
        "application/x-ndjson": {"schema": schema},
    }
    return {"requestBody": {"required": True, "content": content}}


ONE_SIGNAL, MANY_SIGNALS = _one(SignalIn), _many(SignalIn)
ONE_OUTCOME, MANY_OUTCOMES = _one(OutcomeEdit), _many(OutcomeItem)


class Fault(Schema):
    field: str
    message: str


class Refused(Schema):
    """An error: why the request was refused. `errors` names each bad field."""

    detail: str
    errors: tuple[Fault, ...] = ()


class Accepted(Schema):
    """The signal is durable. `status`: accepted, stored or duplicate.

    `durability`: database or local, if SIGNAL_DURABILITY is `database`.
    """

    signal_id: str
    sha256: str
    status: str
    durability: str | None = None


class BatchItem(Schema):
    """The result for one signal, in the order sent. `status`: accepted or refused."""

    status: str
    signal_id: str | None = None
    sha256: str | None = None
    durability: str | None = None
    errors: tuple[Fault, ...] = ()


class BatchAnswer(Schema):
    accepted: int
    refused: int
    results: list[BatchItem]


class SignalFields(Schema):
    """A stored signal with its context.

    `symbol_as_sent` is the sender's spelling of the symbol; null if it was in capitals.
    `raw_confidence` and `calibration_version` are null if the confidence was not calibrated."""

    signal_id: str
    symbol: str
    action: str
    entry_price: float
    target_price: float
    stop_price: float
    confidence: float
    strategy: str
    asset_type: str
    data_source: str | None
    timestamp: str
    outcome: str | None
    exit_price: float | None
    profit_loss_pct: float | None
    sha256: str
    order_id: str | None
    created_at: str | None
    origin: str | None
    received_at: str | None
    regime: str | None
    reasoning: str | None
    sources: int | None
    agreement: float | None
    votes: JsonValue = None
    symbol_as_sent: str | None
    raw_confidence: float | None
    calibration_version: int | None
    extra: JsonValue = None


class SignalOut(SignalFields):
    """A stored signal with its context, and the id of its row."""

    id: int


class OutcomeValues(Schema):
    """What a change of the outcome is about: these values before it, or after it."""

    outcome: str | None = None
    exit_price: float | None = None
    profit_loss_pct: float | None = None
    order_id: str | None = None


class OutcomeChangeOut(Schema):
    """One change of a signal's outcome or order: who, when and why."""

    who: str
    at: str
    why: str
    before: OutcomeValues
    after: OutcomeValues


class PositionDecidedOut(Schema):
    """What the signal's position decided when it closed."""

    outcome: str
    exit_price: float | None
    profit_loss_pct: float | None
    at: str
    why: str


class OutcomeOut(Schema):
    """How a signal ended; `outcome` is null while it is open.

    `edited`: it was changed after the first outcome, or after its position decided it."""

    signal_id: str
    outcome: str | None
    exit_price: float | None
    profit_loss_pct: float | None
    decided_by_position: bool
    edited: bool
    position_decided: PositionDecidedOut | None
    etag: str


class OutcomeResult(Schema):
    """The result for one edit, in the order sent. `status`: changed, unchanged or refused.

    `code` is the status that PATCH would have answered: 200, 400, 404, 412 or 422."""

    status: str
    code: int
    signal_id: str | None
    outcome: OutcomeOut | None = None
    errors: tuple[Fault, ...] = ()


class OutcomeResults(Schema):
    changed: int
    unchanged: int
    refused: int
    results: list[OutcomeResult]


class SignalDetail(SignalOut):
    changes: list[OutcomeChangeOut]


class SignalItem(SignalOut):
    """A signal of a list. With `fields` it has these alone; only those may be of its decision
    and of its delivery."""

    model_config = ConfigDict(json_schema_extra=_nothing_required)

    decision: str | None = None
    account: str | None = None
    skipped_for: str | None = Field(None, description="The codes of the reasons for skipping")
    delivery: str | None = None


class SignalPage(Schema):
    """One page. Send `next` as `after` to get the next page; it is null on the last page."""

    items: list[SignalItem]
    next: str | None


class FiguresOut(Schema):
    """Figures of many signals. `outcomes` counts them by kind; `ended` is how many have an outcome.

    `win_rate` is the share of wins among these, from 0 to 1. `average_profit_loss_pct` is the
    average over the signals that have a profit or loss. Both are null without such signals.
    """

    n: int
    ended: int
    outcomes: dict[str, int]
    win_rate: float | None
    average_profit_loss_pct: float | None


class SeenSpelling(Schema):
    """A symbol as signals have it, with the sender's word for its kind."""

    spelling: str
    asset_type: str


class InstrumentOut(Schema):
    """What Argo makes of a symbol, and why.

    `name` is the instrument's one name. `kind` is stock, etf, forex, metal, crypto_spot,
    crypto_perpetual, future, index or unknown; an unknown one is not traded. `is_open` is null if
    its hours are not known. `tick` is the smallest step of its price at `price`, null if it is not
    known; `step` is the smallest step of a quantity, if it was set. `unit_value` is what one unit
    is worth at a price of 1, in `quote`; null if it is not known, as with futures.
    """

    symbol: str
    name: str
    kind: str
    base: str
    quote: str
    hours: str
    is_open: bool | None
    tick: str | None
    step: str | None
    unit_value: str | None
    spelled_at: dict[str, str]
    seen: list[SeenSpelling]
    why: list[str]


class StatsGroup(FiguresOut):
    """The figures of one group, and its value for each key in `by`."""

    symbol: str | None = None
    strategy: str | None = None
    action: str | None = None
    outcome: str | None = None
    origin: str | None = None
    confidence: str | None = None
    day: str | None = None


class CountedOut(Schema):
    """The signals that an answer counts: of `since` and later, except about `pending` new ones."""

    since: str | None
    pending: int


class StatsAnswer(Schema):
    """`total` is about all selected signals. `items` has the largest of the `groups`, or the newest
    days."""

    by: list[str]
    exact: bool
    counted: CountedOut
    total: FiguresOut
    groups: int
    items: list[StatsGroup]


class VotesOut(Schema):
    """How a signal came about. `votes` has each source's direction, confidence, weight and figures;
    null, or of another form, if another sender made the signal."""

    signal_id: str
    action: str
    confidence: float
    raw_confidence: float | None
    calibration_version: int | None
    regime: str | None
    sources: int | None
    agreement: float | None
    votes: JsonValue = None


class FindingOut(Schema):
    """One disagreement: the row was `altered`, or is `unknown` to the journal. `part` is what it
    does not agree with: its `hash`, or its `line` in the journal."""

    kind: str
    part: str
    detail: str


class Verified(Schema):
    """`valid` if the stored signal matches its hash and its journal line. `found` names each
    disagreement by its kind; `findings` has their sentences alone."""

    signal_id: str
    valid: bool
    sha256: str
    findings: list[str]
    found: list[FindingOut]
