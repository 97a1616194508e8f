"""Symbols on a command line."""

from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.market.instruments import normalised


def add_symbols(parser: CommandParser) -> None:
    """The option `--symbols`, which is MARKET_SYMBOLS where it is not given."""
    parser.add_argument(
        "--symbols",
        default=",".join(settings.MARKET_SYMBOLS),
        help="which symbols, separated by commas (default: %(default)s)",
    )


def symbols_of(text: str) -> list[str]:
    """The symbols between the commas, in Argo's spelling, each once. Raises InvalidInput."""
    names = list(dict.fromkeys(normalised(name) for name in text.split(",") if name.strip()))
    if not names:
        raise InvalidInput([FieldError("--symbols", "name at least one, as in AAPL,MSFT")])
    return names
