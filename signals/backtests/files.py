"""Reads the signals of a backtest from a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.backtests.rows import SIDES, SignalRow
from signals.backtests.selection import Selection
from signals.ledger.validation import ALIASES
from signals.timestamps import instant_text
from signals.transfer.cells import Row
from signals.transfer.reading import read_signals

MOST_REFUSED = 100
"""Lines without a signal that are named: a file may have a million."""
PRICES = ("entry_price", "stop_price", "target_price")
NEEDED = {
    "symbol", "asset_type", "timestamp", "action", *PRICES, "strategy", "signal_id", "confidence",
    *ALIASES,
}  # fmt: skip


@dataclass
class Refused:
    """How many lines of a file hold no signal, and the first of them with their reasons."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, error: InvalidInput) -> None:
        """Count a line; keep it if there were few before."""
        self.count += 1
        if self.count <= MOST_REFUSED:
            self.first.append((line, str(error)))


def read_file(path: Path, selection: Selection, refused: Refused) -> Iterator[SignalRow]:
    """Yield the signals of a file that pass; a line that holds none is added to `refused`.

    Raises `InvalidInput` if the file cannot be read.
    """
    for number, item in read_signals(path):
        try:
            named = _named(item)
        except InvalidInput as error:
            refused.add(number, error)
            continue
        row = _row_of(named)
        if selection.takes(row, named.get("outcome")):
            yield row


def _named(item: dict[str, Any] | InvalidInput) -> dict[str, Any]:
    """Return the fields of a signal by Argo's names.

    Raises `InvalidInput` if it is not a signal.
    """
    if isinstance(item, InvalidInput):
        raise item
    named = {ALIASES.get(name, name): value for name, value in item.items()}
    faults = list(_faults(named))
    if isinstance(item, Row):
        faults = [each for each in item.faults if each.field in NEEDED] or faults
    if faults:
        raise InvalidInput(faults)
    return named


def _row_of(named: dict[str, Any]) -> SignalRow:
    price, stop, target = (float(named[name]) for name in PRICES)
    return SignalRow(
        symbol=named["symbol"],
        asset_type=str(named.get("asset_type") or ""),
        timestamp=named["timestamp"],
        action=named["action"].upper(),
        price=price,
        stop=stop,
        target=target,
        strategy=str(named.get("strategy") or "unknown"),
        signal_id=str(named.get("signal_id") or ""),
        confidence=_number(named.get("confidence")),
        regime=str(named.get("regime") or ""),
        origin=str(named.get("origin") or "file"),
    )


def _faults(named: dict[str, Any]) -> Iterator[FieldError]:
    if not (isinstance(named.get("symbol"), str) and named["symbol"].strip()):
        yield FieldError("symbol", "must be a text")
    if str(named.get("action")).upper() not in SIDES:
        yield FieldError("action", "must be BUY or SELL")
    for name in PRICES:
        if type(named.get(name)) not in (int, float):
            yield FieldError(name, "must be a number")
    timestamp = named.get("timestamp")
    if not (isinstance(timestamp, str) and instant_text(timestamp) != ""):
        yield FieldError("timestamp", "must be a time, as in 2025-01-15T10:30:00Z")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
