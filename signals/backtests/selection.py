"""Chooses the signals of a backtest, from the database or from a file, and reads them in columns.

They are read in batches, so that a million signals take little more memory than their columns.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from argo.errors import FieldError, InvalidInput
from signals.analysis.backtest.columns import SignalTable
from signals.instruments import instrument, name_of
from signals.ledger.validation import ALIASES
from signals.market.bars import Times
from signals.models import Signal
from signals.retrieval.selection import Selection as Wanted
from signals.timestamps import instant_text, range_end, range_start
from signals.transfer.cells import Row
from signals.transfer.reading import read_signals

BATCH_SIZE = 10_000
MOST_REFUSED = 100
"""Lines without a signal that are named: a file may have a million."""
SIDES = {"BUY": 1, "SELL": -1}
PRICES = ("entry_price", "stop_price", "target_price")
COLUMNS = (
    "symbol", "asset_type", "timestamp", "action", *PRICES, "strategy", "signal_id", "confidence",
)  # fmt: skip
SECONDS, MICROSECONDS = 19, 26
"""The lengths of a time down to the second and the microsecond; `datetime64[us]` takes no more."""


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


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects signals by symbol, strategy, time and origin.

    They are those of `file`, or the stored ones without it.
    """

    wanted: Wanted
    file: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what it is limited to, as plain values."""
        values = self.wanted.model_dump(mode="json", exclude_none=True)
        return values if self.file is None else values | {"file": str(self.file)}

    def takes(self, row: SignalRow) -> bool:
        """Return whether a signal of a file passes."""
        wanted = self.wanted
        return (
            wanted.origin in (None, row.origin)
            and wanted.strategy in (None, row.strategy)
            and (wanted.symbol is None or name_of(wanted.symbol) == _name(row))
            and self._takes_second(_plain(row.timestamp)[:SECONDS])
        )

    def _takes_second(self, second: str) -> bool:
        since, until = self.wanted.since, self.wanted.until
        return (since is None or second >= range_start(since)) and (
            until is None or second < range_end(until)
        )


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


@dataclass(eq=False)
class Chosen:
    """The signals of a backtest: `table` for the figures, `rows` if they were asked for.

    `origins` counts them by where they came from; `refused` are the lines of a file that hold no
    signal, and why. Symbols are instruments, as everywhere in Argo.
    """

    table: SignalTable
    origins: Counter[str] = field(default_factory=Counter)
    refused: Refused = field(default_factory=Refused)
    rows: list[SignalRow] = field(default_factory=list)


def choose(selection: Selection, *, keeps_rows: bool = False) -> Chosen:
    """Return the signals that pass. Raises `InvalidInput` if the file cannot be read."""
    refused = Refused()
    file = selection.file
    rows = _stored(selection) if file is None else _of_file(file, selection, refused)
    origins: Counter[str] = Counter()
    names: dict[tuple[str, str], int] = {}
    symbols: dict[str, int] = {}
    parts: list[tuple[Any, ...]] = []
    kept: list[SignalRow] = []
    while batch := list(islice(rows, BATCH_SIZE)):
        parts.append(_columns(batch, names, symbols))
        origins.update(row.origin for row in batch)
        if keeps_rows:
            kept += batch
    columns = (np.concatenate(each) for each in zip(*parts, strict=True)) if parts else _nothing()
    return Chosen(SignalTable(tuple(symbols), *columns), origins, refused, kept)


def _stored(selection: Selection) -> Iterator[SignalRow]:
    """Yield the stored signals that pass, oldest row first, by many short reads."""
    chosen = selection.wanted.apply(Signal.objects.all())
    found = chosen.order_by("id").values_list("id", *COLUMNS, "context__regime", "context__origin")
    last = 0
    while rows := list(found.filter(id__gt=last)[:BATCH_SIZE]):
        for _, *values, regime, origin in rows:
            yield SignalRow._make((*values, regime or "", origin or ""))
        last = rows[-1][0]


def _of_file(path: Path, selection: Selection, refused: Refused) -> Iterator[SignalRow]:
    """Yield the signals of a file that pass; a line that holds none is added to `refused`."""
    for number, item in read_signals(path):
        try:
            row = _row_of(item)
        except InvalidInput as error:
            refused.add(number, error)
            continue
        if selection.takes(row):
            yield row


def _row_of(item: dict[str, Any] | InvalidInput) -> SignalRow:
    if isinstance(item, InvalidInput):
        raise item
    named = {ALIASES.get(name, name): value for name, value in item.items()}
    faults = list(_faults(named))
    if isinstance(item, Row):
        needed = {*COLUMNS, *ALIASES}
        faults = [each for each in item.faults if each.field in needed] or faults
    if faults:
        raise InvalidInput(faults)
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


def _columns(
    batch: Sequence[SignalRow], names: dict[tuple[str, str], int], symbols: dict[str, int]
) -> tuple[Any, ...]:
    """Return the columns of a `SignalTable`; `names` and `symbols` grow by what is new."""
    for row in batch:
        key = row.symbol, row.asset_type
        if key not in names:
            names[key] = symbols.setdefault(_name(row), len(symbols))
    return (
        np.array([names[row.symbol, row.asset_type] for row in batch], np.int64),
        _times([row.timestamp for row in batch]),
        np.array([SIDES[row.action] for row in batch], np.int8),
        *(np.array([getattr(row, name) for row in batch], np.float64)
          for name in ("price", "stop", "target")),
    )  # fmt: skip


def _nothing() -> tuple[Any, ...]:
    return _columns((), {}, {})


def _name(row: SignalRow) -> str:
    return instrument(row.symbol, row.asset_type).symbol


def _times(texts: Iterable[str]) -> Times:
    return np.array([_plain(each)[:MICROSECONDS] or "NaT" for each in texts], "datetime64[us]")


def _plain(timestamp: str) -> str:
    """Return a time in UTC without its offset; empty if it is not a time."""
    meant = instant_text(timestamp)
    text = timestamp if meant is None else meant
    return text[:-1] if text.endswith("Z") else text[:-6]
