"""A prop firm's rules for an account, as the firm publishes them or as the user writes them.

None means that there is no such rule. Percents are Decimal. NaN, infinity and binary floats are
always refused: a comparison with NaN would switch a limit off.
"""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.dataclasses import dataclass

from argo.errors import FieldError, InvalidInput
from execution.money import HUNDRED

NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
OFF = "off"


def _from_whole(value: object) -> object:
    return Decimal(value) if type(value) is int else value  # `True` is also an int


def _is_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, like Europe/Prague") from None
    return value


def _is_free(value: str) -> str:
    if value == OFF:
        raise ValueError("off means that there are no rules; choose another name")
    return value


Number = Annotated[Decimal, Field(strict=True), BeforeValidator(_from_whole)]
AboveZero = Annotated[Number, Field(gt=0)]
Percent = Annotated[AboveZero, Field(le=HUNDRED)]
Count = Annotated[StrictInt, Field(ge=1)]
Text = Annotated[str, Field(strict=True, min_length=1)]
TimeOfDay = Annotated[time, Field(strict=True)]
Figure = Literal["balance", "equity"]
_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Trail:
    """How the level of a trailing drawdown rises; it never falls.

    It follows the highest `peak`: at once, or at the end of each trading day (then a peak that is
    lost again within the day does not count). With `stops_at_start` it never rises above the
    starting balance.
    """

    peak: Figure
    rises: Literal["at_once", "at_day_end"]
    stops_at_start: StrictBool = False


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Drawdown:
    """`watched` must not fall by `percent` of the starting balance or of the peak.

    Without a `trail` it is static: always counted from the starting balance.
    """

    percent: Percent
    watched: Figure = "equity"
    percent_of: Literal["start", "peak"] = "start"
    trail: Trail | None = None

    @property
    def kind(self) -> Literal["static", "trailing"]:
        """Return the kind of drawdown."""
        return "static" if self.trail is None else "trailing"


@dataclass(frozen=True, slots=True, config=_CONFIG)
class DailyLoss:
    """The equity must not fall by `percent` within a trading day.

    It is counted from the day's first equity or balance, or the higher of both; the percent is of
    that figure, or of the starting balance.
    """

    percent: Percent
    basis: Literal["balance", "equity", "higher"]
    percent_of: Literal["basis", "start"] = "basis"


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Flat:
    """When nothing may be held: from `minutes_before` the end of each session, or of the week's
    last one.

    `at` is a time of day in the firm's zone by which everything must be closed; nothing may be held
    from `minutes_before` it until the firm's day ends. Closing takes a moment: with 0 minutes it
    begins when it should be done.
    """

    by: Literal["close", "weekend"]
    minutes_before: Annotated[StrictInt, Field(ge=0, lt=24 * 60)] = 0
    at: TimeOfDay | None = None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class RuleSet:
    """The rules of one programme of a firm.

    `source` names the page that publishes them, and its year. The firm's trading day begins at
    `reset` in its `zone`. Breaking drawdown or daily loss ends the account. `min_days`,
    `consistency` and `target` are conditions for a payout or the next stage; missing them ends
    nothing.
    """

    name: Annotated[str, Field(strict=True, pattern=NAME), AfterValidator(_is_free)]
    source: Text
    zone: Annotated[Text, AfterValidator(_is_zone)]
    reset: TimeOfDay = time()
    drawdown: Drawdown | None = None
    daily_loss: DailyLoss | None = None
    flat: Flat | None = None
    max_positions: Count | None = None
    max_position: AboveZero | None = None
    """The most that one position may be worth, in percent of the equity; above 100 with
    leverage."""
    min_confidence: Annotated[Number, Field(ge=0, le=HUNDRED)] | None = None
    max_stop: Percent | None = None
    """The distance of the stop from the entry, in percent of the entry."""
    min_days: Count | None = None
    min_day_profit: Percent | None = None
    """The profit that a day must make to count for `min_days`, in percent of the starting balance.

    Without it, every day with a trade counts.
    """
    consistency: Percent | None = None
    """The most that the best day may have made, in percent of the whole profit."""
    target: AboveZero | None = None
    """The profit to make, in percent of the starting balance."""
    close_on_breach: StrictBool = False
    """If true, a breach also closes all positions; it always halts trading."""

    @field_validator("min_day_profit")
    @classmethod
    def _has_days(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if value is not None and info.data.get("min_days", 1) is None:
            raise ValueError("needs min_days: it says which days count for that")
        return value

    @property
    def time_zone(self) -> ZoneInfo:
        """Return the firm's time zone."""
        return ZoneInfo(self.zone)


_RULE_SET = TypeAdapter(RuleSet)


def parse(name: str, mapping: Mapping[str, object]) -> RuleSet:
    """Return the rule set `name` from the values of a TOML table, whose decimals are Decimal.

    Raises `InvalidInput`, which names every invalid value at once as `name.field`.
    """
    if "name" in mapping:
        raise InvalidInput([FieldError(f"{name}.name", "is the name of the table; leave it out")])
    try:
        return _RULE_SET.validate_python({**mapping, "name": name})
    except ValidationError as error:
        raise InvalidInput([_fault(name, item) for item in error.errors()]) from None


MESSAGES = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is not a field of a rule set",
    "is_instance_of": "must be a number",
    "string_pattern_mismatch": "must be lower-case words and digits with dashes between them",
    "dataclass_type": "must be a table",
}


def _fault(name: str, item: Any) -> FieldError:  # noqa: ANN401  # pydantic's ErrorDetails
    message = MESSAGES.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    field = ".".join(str(part) for part in (name, *item["loc"]))
    return FieldError(field, f"{message[:1].lower()}{message[1:]}")
