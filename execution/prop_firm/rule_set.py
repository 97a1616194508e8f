"""A prop firm's rules for an account, as it publishes them or as the user writes them down.

A rule that is not there (None) is no rule. Percents are Decimal; NaN, infinity and binary floats
are refused, whoever makes the rule set: a comparison with NaN would switch a limit off.
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
    return Decimal(value) if type(value) is int else value  # True is an int, and no number here


def _is_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone's name, like Europe/Prague") from None
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

    It follows the highest `peak`: at once, or where a trading day ends (then what was reached
    within a day and lost again does not count). With `stops_at_start` it rises no higher than the
    starting balance.
    """

    peak: Figure
    rises: Literal["at_once", "at_day_end"]
    stops_at_start: StrictBool = False


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Drawdown:
    """`watched` must not fall by `percent`: of the starting balance, or of the peak.

    Without a `trail` it is static: counted from the starting balance for good.
    """

    percent: Percent
    watched: Figure = "equity"
    percent_of: Literal["start", "peak"] = "start"
    trail: Trail | None = None

    @property
    def kind(self) -> Literal["static", "trailing"]:
        """In a word."""
        return "static" if self.trail is None else "trailing"


@dataclass(frozen=True, slots=True, config=_CONFIG)
class DailyLoss:
    """The equity must not fall by `percent` within a trading day.

    It is counted from the equity or the balance with which the day began, or the higher of both;
    the percent is of just that, or of the starting balance.
    """

    percent: Percent
    basis: Literal["balance", "equity", "higher"]
    percent_of: Literal["basis", "start"] = "basis"


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Flat:
    """When nothing may be held: from `minutes_before` each session ends, or the week's last one.

    `at` is a time of day in the firm's zone at which everything must be closed at the latest; from
    so many minutes before it until the firm's day ends nothing may be held. Closing takes a moment:
    with 0 minutes it begins when it should be done.
    """

    by: Literal["close", "weekend"]
    minutes_before: Annotated[StrictInt, Field(ge=0, lt=24 * 60)] = 0
    at: TimeOfDay | None = None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class RuleSet:
    """The rules of one programme of a firm.

    `source` is the title of the page that publishes them, and of when. The firm's trading day
    begins at `reset` in its `zone`. Drawdown and daily loss end the account. `min_days`,
    `consistency` and `target` are what a payout or the next stage takes; missing them ends nothing.
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
    """Percent of the equity that one position may be worth; above 100 with leverage."""
    min_confidence: Annotated[Number, Field(ge=0, le=HUNDRED)] | None = None
    max_stop: Percent | None = None
    """Percent of the entry, from it to the stop."""
    min_days: Count | None = None
    min_day_profit: Percent | None = None
    """Percent of the starting balance that a day must win to count for `min_days`; without it
    every day counts on which a trade was made."""
    consistency: Percent | None = None
    """Percent of the whole profit that the best day may have made."""
    target: AboveZero | None = None
    """Percent of the starting balance."""
    close_on_breach: StrictBool = False
    """Whether a breach closes what is held; it halts in any case."""

    @field_validator("min_day_profit")
    @classmethod
    def _has_days(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if value is not None and info.data.get("min_days", 1) is None:
            raise ValueError("says which days count for min_days, which is not there")
        return value

    @property
    def time_zone(self) -> ZoneInfo:
        """The firm's."""
        return ZoneInfo(self.zone)


_RULE_SET = TypeAdapter(RuleSet)


def parse(name: str, mapping: Mapping[str, object]) -> RuleSet:
    """The rule set `name` of what a TOML table holds, its decimals read as Decimal.

    Raises `InvalidInput`, which names every fault at once as `name.field`.
    """
    if "name" in mapping:
        raise InvalidInput([FieldError(f"{name}.name", "is the table's own name; leave it out")])
    try:
        return _RULE_SET.validate_python({**mapping, "name": name})
    except ValidationError as error:
        raise InvalidInput([_fault(name, item) for item in error.errors()]) from None


MESSAGES = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is no field of a rule set",
    "is_instance_of": "must be a number",
    "string_pattern_mismatch": "must be lower-case words and digits with dashes between them",
    "dataclass_type": "must be a table",
}


def _fault(name: str, item: Any) -> FieldError:  # noqa: ANN401  # pydantic's ErrorDetails
    message = MESSAGES.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    field = ".".join(str(part) for part in (name, *item["loc"]))
    return FieldError(field, f"{message[:1].lower()}{message[1:]}")
