"""Chooses the signals of a backtest, from the database or from a file, and puts them in columns.

They are read in batches, so that a million signals take little more memory than their columns.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from signals.analysis.backtest.columns import SignalTable
from signals.backtests.files import PRICES, Refused, read_file
from signals.backtests.rows import SignalRow, TableBuilder
from signals.backtests.selection import Selection
from signals.retrieval.reading import read_columns
from signals.retrieval.selection import Selection as Wanted

BATCH_SIZE = 10_000
COLUMNS = (
    "symbol", "asset_type", "timestamp", "action", *PRICES, "strategy", "signal_id", "confidence",
    "regime", "origin",
)  # fmt: skip


@dataclass(eq=False)
class Chosen:
    """The signals of a backtest: `table` for the figures, `rows` if they were asked for.

    `origins` counts them by where they came from; `refused` are the lines of a file that hold no
    signal, and why.
    """

    table: SignalTable
    origins: Counter[str] = field(default_factory=Counter)
    refused: Refused = field(default_factory=Refused)
    rows: list[SignalRow] = field(default_factory=list)


def choose(selection: Selection, *, keeps_rows: bool = False) -> Chosen:
    """Return the signals that pass. Raises `InvalidInput` if the file cannot be read."""
    refused, origins = Refused(), Counter[str]()
    builder, kept = TableBuilder(), list[SignalRow]()
    for batch in _batches(selection, refused):
        builder.add(batch)
        origins.update(row.origin for row in batch)
        if keeps_rows:
            kept += batch
    return Chosen(builder.table(), origins, refused, kept)


def _batches(selection: Selection, refused: Refused) -> Iterator[Sequence[SignalRow]]:
    if selection.file is None:
        yield from _stored(selection.wanted)
        return
    rows = read_file(selection.file, selection, refused)
    while batch := list(islice(rows, BATCH_SIZE)):
        yield batch


def _stored(wanted: Wanted) -> Iterator[Sequence[SignalRow]]:
    """Yield the stored signals that pass, oldest row first; a missing context is empty."""
    for batch in read_columns(wanted, COLUMNS, BATCH_SIZE):
        yield [
            SignalRow._make((*values, regime or "", origin or ""))
            for *values, regime, origin in batch
        ]
