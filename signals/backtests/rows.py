"""A signal as a backtest needs it, and many of them in columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from signals.analysis.backtest.columns import SignalTable
from signals.instruments import instrument
from signals.retrieval.columns import times_of

SIDES = {"BUY": 1, "SELL": -1}
LEVELS = ("price", "stop", "target")


class SignalRow(NamedTuple):
    """A signal as a backtest needs it; its texts are as they are stored."""

    symbol: str
    asset_type: str
    timestamp: str
    action: str
    price: float
    stop: float
    target: float
    strategy: str
    signal_id: str
    confidence: float
    regime: str
    origin: str

    @property
    def instrument(self) -> str:
        """Return the name of its instrument."""
        return instrument(self.symbol, self.asset_type).symbol


@dataclass(eq=False)
class TableBuilder:
    """Puts batches of signals into one table. Symbols are instruments, as everywhere in Argo."""

    _names: dict[tuple[str, str], int] = field(default_factory=dict)
    _symbols: dict[str, int] = field(default_factory=dict)
    _parts: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, batch: Sequence[SignalRow]) -> None:
        """Add signals at the end."""
        symbols = np.array([self._number(row) for row in batch], np.int64)
        times = times_of([row.timestamp for row in batch])
        sides = np.array([SIDES[row.action] for row in batch], np.int8)
        levels = (np.array([getattr(row, name) for row in batch], np.float64) for name in LEVELS)
        self._parts.append((symbols, times.to_numpy(zero_copy_only=False), sides, *levels))

    def table(self) -> SignalTable:
        """Return all signals that were added."""
        if not self._parts:
            self.add(())
        columns = map(np.concatenate, zip(*self._parts, strict=True))
        return SignalTable(tuple(self._symbols), *columns)

    def _number(self, row: SignalRow) -> int:
        key = row.symbol, row.asset_type
        if key not in self._names:
            self._names[key] = self._symbols.setdefault(row.instrument, len(self._symbols))
        return self._names[key]


def table_of(rows: Sequence[SignalRow]) -> SignalTable:
    """Return the rows in columns, in their order."""
    builder = TableBuilder()
    builder.add(rows)
    return builder.table()
