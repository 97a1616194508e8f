"""The option `--symbols` of a command."""

from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.instruments import name_of


def add_symbols(parser: CommandParser) -> None:
    """Add the option `--symbols`; its default is MARKET_SYMBOLS."""
    parser.add_argument(
        "--symbols",
        default=",".join(settings.MARKET_SYMBOLS),
        help="symbols, separated by commas (default: %(default)s)",
    )


def symbols_of(text: str) -> list[str]:
    """Return the symbols of a comma-separated text, in Argo's spelling, without duplicates.

    Raises `InvalidInput` if `text` names no symbol.
    """
    names = list(dict.fromkeys(name_of(name) for name in text.split(",") if name.strip()))
    if not names:
        raise InvalidInput([FieldError("--symbols", "name at least one symbol, such as AAPL,MSFT")])
    return names
