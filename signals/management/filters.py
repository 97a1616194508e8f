"""The options of a command that select signals, such as `--symbol` and `--since`."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.management.base import CommandParser
from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from signals.ledger.queries import SignalFilter

Filter = TypeVar("Filter", bound=SignalFilter)


def add_filters(
    parser: CommandParser, kind: type[SignalFilter], names: Iterable[str] | None = None
) -> None:
    """Add an option for each of these fields of a filter; without `names`, for every field."""
    for name in names or kind.model_fields:
        text = kind.model_fields[name].description or "select only these signals"
        parser.add_argument(_option(name), help=text)


def filter_of(options: dict[str, Any], kind: type[Filter]) -> Filter:
    """Return the filter that the options describe; one that is not given does not limit it.

    Raises `InvalidInput`, with every fault; also for an empty text, which a shell makes of a
    variable that is not set.
    """
    given = {name: options[name] for name in kind.model_fields if options.get(name) is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        faults = [
            FieldError(_option(str(fault["loc"][0])), fault["msg"].removeprefix("Value error, "))
            for fault in error.errors()
        ]
        raise InvalidInput(faults) from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
