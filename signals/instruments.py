"""The instruments of this installation, from MARKET_EXCHANGE, MARKET_TICKS and INSTRUMENTS_FILE."""

from decimal import Decimal
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from signals.market import instruments as package
from signals.market.instruments import Instrument, Instruments, load

Stamp = tuple[int, int]
NO_FILE: Stamp = (0, 0)


def instruments() -> Instruments:
    """Return the instruments; the operator's file is read again when it has changed.

    Raises `InvalidInput` if the file is invalid.
    """
    ticks = tuple(sorted(settings.MARKET_TICKS.items()))
    path = settings.INSTRUMENTS_FILE
    return _instruments(settings.MARKET_EXCHANGE, path, _stamp(path), ticks)


def instrument(spelling: str, asset_type: str = "") -> Instrument:
    """Return the instrument for a spelling; `asset_type` is the sender's word for its kind."""
    return instruments().of(spelling, asset_type)


def name_of(spelling: str) -> str:
    """Return the one name of the instrument for a spelling."""
    return instrument(spelling).symbol


def rules() -> str:
    """Return a text that changes whenever a spelling may be read otherwise.

    It covers the operator's file, MARKET_EXCHANGE, and the code that reads spellings.
    """
    path = settings.INSTRUMENTS_FILE
    return _rules(settings.MARKET_EXCHANGE, path, _stamp(path))


def _stamp(path: str) -> Stamp:
    """Return values that change with the file."""
    if not path:
        return NO_FILE
    try:
        found = Path(path).stat()
    except OSError:
        return NO_FILE
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _rules(exchange: str, path: str, stamp: Stamp) -> str:
    own = Path(path).read_bytes() if Path(path).is_file() else b""
    return sha256(_code() + exchange.encode() + own).hexdigest()


@cache
def _code() -> bytes:
    folder = Path(*package.__path__)
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))


@lru_cache(maxsize=4)
def _instruments(
    exchange: str, path: str, stamp: Stamp, ticks: tuple[tuple[str, float], ...]
) -> Instruments:
    own = load(Path(path)) if path else ()
    return Instruments(exchange, own, {name: Decimal(str(tick)) for name, tick in ticks})
