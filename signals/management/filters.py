"""The options of a command that select signals, such as `--symbol` and `--since`."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser
from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from signals.ledger.queries import SignalFilter


def add_filters(parser: CommandParser, names: Iterable[str], what: str) -> None:
    """Add an option for each of these fields of `SignalFilter`."""
    for name in names:
        parser.add_argument(f"--{name.replace('_', '-')}", help=what)


def filter_of(options: dict[str, Any]) -> SignalFilter:
    """Return the filter that the options describe. Raises `InvalidInput`, with every fault."""
    given = {name: options[name] for name in SignalFilter.model_fields if options.get(name)}
    try:
        return SignalFilter.model_validate(given)
    except ValidationError as error:
        faults = [
            FieldError(f"--{fault['loc'][0]}".replace("_", "-"), fault["msg"])
            for fault in error.errors()
        ]
        raise InvalidInput(faults) from None
