"""The operator's own instruments, from a TOML file: new ones, and corrections of Argo's."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from argo.errors import FieldError, InvalidInput
from signals.market.instruments.kinds import Kind


def _capitals(text: str) -> str:
    return text.strip().upper()


Name = Annotated[str, AfterValidator(_capitals), Field(min_length=1, max_length=100)]
Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


class OwnInstrument(BaseModel):
    """A table of the file; what it leaves out stays as Argo reads it.

    `hours` is `always`, `forex`, `exchange`, or a calendar's name. `vendors` has spellings by
    vendor or broker.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    kind: Kind | None = None
    base: Name | None = None
    quote: Name | None = None
    hours: str | None = None
    tick: Positive | None = None
    step: Positive | None = None
    multiplier: Positive | None = None
    spellings: tuple[Name, ...] = ()
    vendors: Mapping[str, str] = Field(default_factory=dict)


def load(path: Path) -> tuple[OwnInstrument, ...]:
    """Return the instruments of a file.

    Raises `InvalidInput` if it cannot be read, a field is invalid, or two tables have the same
    spelling. Each error has the file, the table and the field.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise InvalidInput([FieldError(str(path), f"cannot be read: {error}")]) from error
    made = tuple(_parsed(path, name, table) for name, table in tables.items())
    _check_once(path, made)
    return made


def _parsed(path: Path, name: str, table: object) -> OwnInstrument:
    if not isinstance(table, dict):
        message = 'must be a table, such as ["XAU-USD"]'
        raise InvalidInput([FieldError(f"{path}: {name}", message)])
    try:
        return OwnInstrument.model_validate({"name": name, **table})
    except ValidationError as error:
        faults = [
            FieldError(f"{path}: {'.'.join(map(str, (name, *item['loc'])))}", item["msg"])
            for item in error.errors(include_url=False)
        ]
        raise InvalidInput(faults) from None


def _check_once(path: Path, made: tuple[OwnInstrument, ...]) -> None:
    owners: dict[str, str] = {}
    for each in made:
        for spelling in {each.name, *each.spellings}:
            if (other := owners.setdefault(spelling, each.name)) != each.name:
                message = f"{spelling} is a spelling of {other} too"
                raise InvalidInput([FieldError(f"{path}: {each.name}", message)])
