"""Mappings: where each field of a signal comes from in a sender's alerts, checked when saved."""

import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from argo.errors import FieldError, InvalidInput
from signals.alerts.places import Place, place
from signals.alerts.values import FLAT, LONG, MEANINGS, SHORT
from signals.ledger.validation import faults_of
from signals.market.distance import SpelledDistance

FieldName = Literal[
    "symbol", "action", "position", "previous_position", "price", "target", "target_percent",
    "stop", "stop_percent", "confidence", "time", "bar_time", "id", "order_id", "strategy",
    "asset_type", "reasoning",
]  # fmt: skip
NEEDED: tuple[FieldName, ...] = ("symbol", "action")
WORDS = {
    "buy": "BUY", "long": "BUY", "enter_long": "BUY", "bull": "BUY",
    "sell": "SELL", "short": "SELL", "enter_short": "SELL", "bear": "SELL",
    "sell_short": "SELL", "sellshort": "SELL",
    "exit": "EXIT", "close": "EXIT", "flat": "EXIT", "close_all": "EXIT", "closeall": "EXIT",
    "flatten": "EXIT",
    "exit_long": "EXIT_LONG", "close_long": "EXIT_LONG", "close_buy": "EXIT_LONG",
    "closelong": "EXIT_LONG", "exitlong": "EXIT_LONG",
    "exit_short": "EXIT_SHORT", "close_short": "EXIT_SHORT", "close_sell": "EXIT_SHORT",
    "closeshort": "EXIT_SHORT", "exitshort": "EXIT_SHORT", "buy_to_cover": "EXIT_SHORT",
}  # fmt: skip
"""The words that every mapping knows; `-` and spaces count as `_`."""
MEANT = (*MEANINGS, LONG, SHORT, FLAT)
MOST_PLACES = 20
PRESETS = Path(__file__).with_name("presets.toml")


def _place(text: str) -> str:
    place(text)
    return text


def _rule(text: str) -> str:
    if text:
        SpelledDistance.parse(text)
    return text


def _zone(name: str) -> str:
    if name and name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone: write one as Europe/Berlin or UTC")
    return name


def _meant(word: str) -> str:
    if word not in MEANT:
        raise ValueError(f"{word!r} is not one of {', '.join(MEANT)}")
    return word


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Places = Annotated[
    list[Annotated[str, AfterValidator(_place)]],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=MOST_PLACES),
]
Rule = Annotated[str, AfterValidator(_rule)]


class MappingIn(BaseModel):
    """A mapping as it is saved.

    `fields` has the places of each field: the first with a value counts; `defaults` the value if
    no place has one; `words` what the sender's words mean. `target` and `stop` are distances
    from the entry (`3%`, `2ATR`) for alerts without these prices. `time_zone` is that of times
    without an offset. The fields in `split` hold several values with commas between them: one
    signal for each.
    """

    model_config = ConfigDict(extra="forbid")

    title: str = ""
    form: str = ""
    fields: dict[FieldName, Places] = {}
    defaults: dict[FieldName, Annotated[str, Field(max_length=200)]] = {}
    words: dict[str, Annotated[str, AfterValidator(_meant)]] = {}
    target: Rule = ""
    stop: Rule = ""
    time_zone: Annotated[str, AfterValidator(_zone)] = ""
    split: list[FieldName] = []


@dataclass(frozen=True)
class Mapping:
    """A mapping that is ready to read alerts."""

    places: Table[str, tuple[Place, ...]]
    defaults: Table[str, str]
    words: Table[str, str]
    target: SpelledDistance | None
    stop: SpelledDistance | None
    time_zone: str
    split: tuple[str, ...]


@cache
def presets() -> dict[str, dict[str, Any]]:
    """Return the mappings that come with Argo, by name."""
    return tomllib.loads(PRESETS.read_text())


def preset(name: str) -> dict[str, Any]:
    """Return the one with this name. Raises InvalidInput if it is unknown."""
    if name not in presets():
        raise InvalidInput([FieldError("preset", f"must be one of {', '.join(presets())}")])
    return presets()[name]


def mapping_of(name: str, own: Table[str, Any]) -> Mapping:
    """Return the mapping of a preset with a sender's own changes.

    Raises InvalidInput with every fault.
    """
    return _mapping(name, orjson.dumps(own, option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=256)
def _mapping(name: str, own: bytes) -> Mapping:
    changes = _checked(orjson.loads(own))
    base = MappingIn.model_validate(preset(name))
    lacking = [each for each in NEEDED if not _has(each, base, changes)]
    if lacking:
        text = "has no place and no default"
        raise InvalidInput([FieldError(f"fields.{each}", text) for each in lacking])
    return _compiled(base, changes)


def _checked(own: object) -> MappingIn:
    try:
        return MappingIn.model_validate(own)
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None


def _has(name: FieldName, *mappings: MappingIn) -> bool:
    return any(name in each.fields or name in each.defaults for each in mappings)


def _compiled(base: MappingIn, own: MappingIn) -> Mapping:
    fields = base.fields | own.fields
    words = WORDS | {_word(name): meant for name, meant in (base.words | own.words).items()}
    target, stop = own.target or base.target, own.stop or base.stop
    return Mapping(
        places={name: tuple(map(place, texts)) for name, texts in fields.items()},
        defaults={str(name): text for name, text in (base.defaults | own.defaults).items()},
        words=words,
        target=SpelledDistance.parse(target) if target else None,
        stop=SpelledDistance.parse(stop) if stop else None,
        time_zone=own.time_zone or base.time_zone,
        split=tuple(own.split or base.split),
    )


def _word(name: str) -> str:
    """Return the form in which words are compared."""
    return "_".join(name.lower().replace("-", " ").split())


def meaning(mapping: Mapping, word: str) -> str:
    """Return what a sender's word means in this mapping; empty if it is not known."""
    return mapping.words.get(_word(word), "")
