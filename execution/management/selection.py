"""The filters of commands that select signals."""

from typing import Any

from django.core.management.base import CommandParser
from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from execution.analysis.selection import DecidedSelection


def add_filters(parser: CommandParser) -> None:
    """Add an option for each field of `DecidedSelection`."""
    for name, field in DecidedSelection.model_fields.items():
        text = field.description or "select only these signals"
        parser.add_argument(_option(name), help=text)


def selection_of(options: dict[str, Any]) -> DecidedSelection:
    """Return the selection that these options of a command make. Raises InvalidInput."""
    names = DecidedSelection.model_fields
    given = {name: options[name] for name in names if options[name] is not None}
    try:
        return DecidedSelection.model_validate(given)
    except ValidationError as error:
        faults = [
            FieldError(_option(str(fault["loc"][0])), fault["msg"].removeprefix("Value error, "))
            for fault in error.errors()
        ]
        raise InvalidInput(faults) from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
