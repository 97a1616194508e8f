"""The requests and responses of execution's API. Money and quantities are strings of digits."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from ninja import Schema
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from execution.api.item_schemas import HaltOut, Money, ReasonOut
from signals.ledger.validation import Label, Why
from signals.retrieval.lists import Symbol


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


class ExecuteIn(Schema):
    """The reason why somebody asks for the signal; the log of acts keeps it."""

    model_config = ConfigDict(extra="forbid")

    why: Why | None = None


class Lifted(Schema):
    lifted: int


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
