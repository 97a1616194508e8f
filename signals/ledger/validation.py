"""Validates signals: one pydantic model, and the checks that need more than one field."""

import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from sys import intern
from typing import Annotated, Any

import orjson
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from argo.errors import FieldError, InvalidInput
from signals.ledger.secrets import has_key, without_secrets
from signals.timestamps import parse_utc, utc_text

EXTRA_BYTES = 8192
VOTES_BYTES = 65536
LONGEST_TEXT = 4000
LONGEST_WHY = 1000
FUTURE = timedelta(minutes=5)
MOST_FAULTS = 32
"""Faults that are named of one signal: it may have a million, and each takes memory."""
MOST_OF_A_KIND = 5
"""Unknown fields that are named for one fault."""
LONGEST_NAME = 100
"""Characters of a field's name in an error."""
LONGEST_SYMBOL = 32
ARGO_WRITES = frozenset({"received_at", "origin", "change", "symbol_as_sent"})
HISTORY = frozenset({"outcome", "exit_price", "profit_loss_pct", "order_id", "created_at"})
RESERVED = ARGO_WRITES | HISTORY
LITERAL_ROUTES = frozenset({"batch", "export", "latest", "outcomes", "stats"})
"""What follows `/api/signals/` and is not an id: a signal of this name could not be read there."""
ALIASES = {
    "take_profit": "target_price",
    "stop_loss": "stop_price",
    "verification_hash": "sha256",
    "sources_count": "sources",
    "consensus_agreement": "agreement",
}

NO_NUL = r"^[^\x00]*$"
PATTERNS = {
    "signal_id": "must be 1 to 64 letters, digits, _ or -",
    "action": "must be BUY or SELL",
    "sha256": "must be 64 hex digits",
}
"""Messages that are shown instead of a pattern."""
BAD_SYMBOL = "must be 1 to 32 printable characters, without a space at either end"


def _names(name: str) -> AliasChoices:
    return AliasChoices(name, *(alias for alias, of in ALIASES.items() if of == name))


def _capitals(symbol: str) -> str:
    """Return the symbol in capitals. Raises ValueError if it is not one.

    Capitals may be longer than what was given: that of `ß` is `SS`.
    """
    capitals = symbol.upper()
    if len(capitals) > LONGEST_SYMBOL or not symbol.isprintable() or symbol != symbol.strip():
        raise ValueError(BAD_SYMBOL)
    return capitals


Price = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Sha256 = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")]
Symbol = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_SYMBOL), AfterValidator(_capitals)
]
_SYMBOL: TypeAdapter[str] = TypeAdapter(Symbol)
# PostgreSQL stores no NUL. Pydantic checks these patterns without calling Python code.
Label = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]
SignalName = Annotated[str, StringConstraints(min_length=1, max_length=600, pattern=NO_NUL)]
"""The id of a stored signal in a question: history may have any, within what an index takes."""
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=NO_NUL)]
Why = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WHY, pattern=NO_NUL),
]
"""The reason of what a person or a program asks for."""


class Levels(BaseModel):
    """The side, and the prices that depend on it."""

    action: Annotated[
        str, StringConstraints(to_upper=True, pattern=r"^([Bb][Uu][Yy]|[Ss][Ee][Ll][Ll])$")
    ]
    entry_price: Price
    target_price: Price = Field(validation_alias=_names("target_price"))
    stop_price: Price = Field(validation_alias=_names("stop_price"))


class Moment(BaseModel):
    """When the signal was made."""

    timestamp: Annotated[datetime, BeforeValidator(parse_utc)] = Field(
        description="ISO 8601 with an offset", examples=["2025-01-15T10:30:00Z"]
    )


class SignalIn(Levels, Moment):
    """A trading signal as it is sent. Unknown fields are stored, up to 8 KiB in all."""

    model_config = ConfigDict(extra="allow", title="Signal")

    signal_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        None,
        description="Your own id; if it is left out, it is computed from the content. Not one of "
        f"{', '.join(sorted(LITERAL_ROUTES))}, which are calls of the API",
    )
    symbol: Symbol = Field(description="Stored in capitals", examples=["AAPL", "BTC-USD", "NQ1!"])
    confidence: Annotated[float, Field(strict=True, ge=0, le=100, description="0 to 100")]
    strategy: Label = "unknown"
    asset_type: Label = "unknown"
    data_source: Label = "weighted_consensus"
    sha256: Sha256 | None = Field(
        None, validation_alias=_names("sha256"), description="Checked if it is given"
    )
    regime: Label | None = None
    reasoning: Text | None = None
    sources: Annotated[int, Field(strict=True, ge=0, le=10_000)] | None = Field(
        None, validation_alias=_names("sources"), description="How many sources voted"
    )
    agreement: Annotated[float, Field(strict=True, ge=0, le=1)] | None = Field(
        None, validation_alias=_names("agreement"), description="0 to 1"
    )
    votes: Annotated[list[dict[str, Any]], Field(fail_fast=True)] | None = None
    raw_confidence: Annotated[float, Field(strict=True, ge=0, le=100)] | None = Field(
        None, description="The confidence before its calibration, 0 to 100"
    )
    calibration_version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = Field(
        None, description="The calibration that made the confidence of the raw one"
    )


def validated(signal: Mapping[str, object], now: datetime) -> SignalIn:
    """Return the checked signal. Raises InvalidInput with every fault.

    `now` is the current time: the timestamp may be at most five minutes ahead of it.
    """
    try:
        checked = SignalIn.model_validate(signal)
    except ValidationError as error:
        raise InvalidInput(_all_faults(signal, now, error)) from None
    faults = _id_faults(checked.signal_id) + _price_faults(checked) + _time_faults(checked, now)
    if checked.__pydantic_extra__ or checked.votes:
        faults += _reserved_faults(signal) + alias_faults(signal) + _take_extras(checked)
    if faults:
        raise InvalidInput(faults)
    return checked


def key_faults(fields: Mapping[str, object]) -> list[FieldError]:
    """Report texts that contain a key of an API: only an unknown field can be left out."""
    return [
        FieldError(name, "contains an API key: leave it out")
        for name, value in fields.items()
        if isinstance(value, str) and has_key(value)
    ]


def check_symbol(symbol: str) -> str:
    """Return the symbol in capitals. Raises InvalidInput if no signal can have it."""
    try:
        return _SYMBOL.validate_python(symbol)
    except ValidationError:
        raise InvalidInput([FieldError("symbol", BAD_SYMBOL)]) from None


def _reserved_faults(signal: Mapping[str, object]) -> list[FieldError]:
    """Report fields that only Argo or a later outcome may fill; they may be there, but empty."""
    return [
        FieldError(
            name,
            "a new signal has none yet; use import_signals for signals of the past"
            if name in HISTORY
            else "Argo writes this field itself: leave it out or rename it",
        )
        for name in sorted(RESERVED & signal.keys())
        if signal[name] is not None
    ]


def _id_faults(signal_id: object) -> list[FieldError]:
    """Report an id that the API takes for a call. History and older lines may have one."""
    if isinstance(signal_id, str) and signal_id in LITERAL_ROUTES:
        return [FieldError("signal_id", f"must not be {signal_id}, which is a call of the API")]
    return []


def _price_faults(levels: Levels) -> list[FieldError]:
    entry, target, stop = levels.entry_price, levels.target_price, levels.stop_price
    if levels.action == "BUY" and not stop < entry < target:
        return [FieldError("entry_price", "a BUY needs stop_price < entry_price < target_price")]
    if levels.action == "SELL" and not target < entry < stop:
        return [FieldError("entry_price", "a SELL needs target_price < entry_price < stop_price")]
    return []


def _time_faults(moment: Moment, now: datetime) -> list[FieldError]:
    if moment.timestamp <= now + FUTURE:
        return []
    return [
        FieldError("timestamp", f"is more than five minutes ahead of the clock, {utc_text(now)}")
    ]


def _take_extras(checked: SignalIn) -> list[FieldError]:
    """Check the unknown fields; drop those that only repeat a known field by another name."""
    extras = checked.__pydantic_extra__ or {}
    for name in (RESERVED | ALIASES.keys()) & extras.keys():
        extras.pop(name)  # it is empty, repeats a known field, or is already reported
    votes = {"votes": checked.votes} if checked.votes else {}
    faults = _kept_faults(extras, EXTRA_BYTES) + _kept_faults(votes, VOTES_BYTES)
    if not faults:  # so that their size and depth are known
        _drop_secrets(checked, extras)
    return faults


def _drop_secrets(checked: SignalIn, extras: dict[str, Any]) -> None:
    kept = without_secrets(extras)
    if kept is not extras:
        extras.clear()
        extras.update(kept)
    checked.votes = without_secrets(checked.votes)


def alias_faults(signal: Mapping[str, object]) -> list[FieldError]:
    """Report fields that are given by two names with two values."""
    return [
        FieldError(alias, f"differs from {name}")
        for alias, name in ALIASES.items()
        if alias in signal and name in signal and not _same(signal[alias], signal[name])
    ]


def _same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return one == other


def _kept_faults(extras: dict[str, Any], limit: int) -> list[FieldError]:
    if not extras:
        return []
    names = _listed(extras)
    try:
        size = len(orjson.dumps(extras))
    except TypeError as error:
        return [FieldError(names, f"cannot be stored as JSON: {error}")]
    if size > limit:
        return [FieldError(names, f"takes {size} bytes; the limit is {limit}")]
    bad = [name for name, value in extras.items() if _is_unkeepable(name) or _is_unkeepable(value)]
    return [
        FieldError(name[:LONGEST_NAME], "contains NaN, an infinity or a NUL character")
        for name in bad[:MOST_OF_A_KIND]
    ]


def _listed(extras: Mapping[str, object]) -> str:
    """Return the names of unknown fields for an error, cut: there may be any number."""
    names = ", ".join(sorted(str(name)[:LONGEST_NAME] for name in extras))
    return names if len(names) <= LONGEST_NAME else f"{names[:LONGEST_NAME]}..."


def _is_unkeepable(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_is_unkeepable(item) for pair in value.items() for item in pair)
    return isinstance(value, list | tuple) and any(map(_is_unkeepable, value))


def _all_faults(signal: object, now: datetime, error: ValidationError) -> list[FieldError]:
    """Return the model's faults, and those across fields whose own checks passed."""
    faults = faults_of(error)
    with suppress(ValidationError):
        faults += _price_faults(Levels.model_validate(signal))
    with suppress(ValidationError):
        faults += _time_faults(Moment.model_validate(signal), now)
    if isinstance(signal, Mapping):
        faults += _id_faults(signal.get("signal_id")) + _reserved_faults(signal)
        faults += alias_faults(signal)
    return faults[:MOST_FAULTS]


def faults_of(error: ValidationError) -> list[FieldError]:
    """Return the invalid fields that a pydantic model found, at most MOST_FAULTS."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [_fault(item) for item in found[:MOST_FAULTS]]


def _fault(item: Any) -> FieldError:  # noqa: ANN401  # pydantic's ErrorDetails
    field = ".".join(str(part)[:LONGEST_NAME] for part in item["loc"]) or "signal"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "missing":
        message = "is missing"
    elif item["type"] == "extra_forbidden":
        message = "is unknown"
    elif item["type"] == "model_type":
        message = "must be a JSON object"
    elif item["type"] == "string_pattern_mismatch":
        message = PATTERNS.get(ALIASES.get(field, field), "must not contain a NUL character")
    # The same faults of thousands of signals share their texts.
    return FieldError(intern(field), intern(f"{message[:1].lower()}{message[1:]}"))
