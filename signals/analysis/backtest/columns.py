"""What goes into a backtest and what comes out, in columns: one array for each figure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Codes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Times = NDArray[np.datetime64]

NEGLIGIBLE = 1e-6
"""Percent: a profit or loss below it is breakeven, as in `signals.ledger.outcomes`."""


class DescribedInt(IntEnum):
    """A small number that stands in an array, with its meaning for people in `meaning`."""

    meaning: str

    def __new__(cls, number: int, meaning: str = "") -> Self:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member


class Skipped(DescribedInt):
    """Why a signal was not entered."""

    NO = 0, "it was entered"
    TIME = 1, "its time is missing"
    FIGURES = 2, "a price, stop or target is not a number above 0"
    LEVELS = 3, "stop and target are not on both sides of its price"
    NO_BARS = 4, "its symbol has no bars"
    NO_BAR_AFTER = 5, "no bar comes after it"
    LATE = 6, "its next bar comes too late"
    SCALE = 7, "its price is on another scale than the bars, as if a split were missing"
    NOT_REACHED = 8, "the next bar did not trade at its price"


class Ending(DescribedInt):
    """How a trade ended."""

    NONE = 0, "it was not entered"
    STOP = 1, "at its stop"
    TARGET = 2, "at its target"
    EXPIRED = 3, "it lasted too long"
    DELISTED = 4, "the bars of its symbol ended"
    OPEN = 5, "it is still open at the last bar"


class Outcome(DescribedInt):
    """What a trade made; `EXPIRED` whatever it made, as everywhere in Argo."""

    NONE = 0, "none yet"
    WIN = 1, "win"
    LOSS = 2, "loss"
    BREAKEVEN = 3, "breakeven"
    EXPIRED = 4, "expired"


@dataclass(frozen=True, slots=True, eq=False)
class SignalTable:
    """Signals in columns, all of one length, in any order.

    `symbol` is an index into `symbols`; `time` is `datetime64[us]` in UTC; `side` is 1 for BUY and
    -1 for SELL; prices are in the instrument's currency, on the scale of the signal's time.
    """

    symbols: Sequence[str]
    symbol: Rows
    time: Times
    side: NDArray[np.int8]
    price: Floats
    stop: Floats
    target: Floats

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, chosen: Rows | Mask | slice) -> "SignalTable":
        """Return these rows of the table."""
        columns = (getattr(self, each.name)[chosen] for each in fields(self)[1:])
        return SignalTable(self.symbols, *columns)


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """The trade of each signal, in the order of the signals, all columns of one length.

    `skipped`, `ending` and `outcome` are codes of the enums of those names. Rows are those of the
    symbol's usable bars; -1 without one. Times are `datetime64[us]` in UTC: an entry or exit at
    an open has the begin of its bar, any other the bar's close; NaT without one. `entry_mid` and
    `exit_mid` are prices without costs, `entry` and `exit` with them; NaN without one. `shares` is
    what one share entered had become at the exit. `profit_pct` is in percent of the entry's value,
    after all costs; NaN while open. `is_ambiguous`: the order of prices within a bar, which nobody
    knows, decided. `is_ordered`: it would have, but finer bars showed it. `is_rescaled`: a split
    put the signal's price on another scale.
    """

    skipped: Codes
    entry_row: Rows
    exit_row: Rows
    entry_time: Times
    exit_time: Times
    entry_mid: Floats
    exit_mid: Floats
    entry: Floats
    exit: Floats
    shares: Floats
    ending: Codes
    outcome: Codes
    profit_pct: Floats
    is_ambiguous: Mask
    is_ordered: Mask
    is_rescaled: Mask

    @classmethod
    def empty(cls, count: int) -> Self:
        """Return trades of signals that are not entered."""
        return cls(
            skipped=np.zeros(count, np.uint8),
            entry_row=np.full(count, -1, np.int64),
            exit_row=np.full(count, -1, np.int64),
            entry_time=np.full(count, "NaT", "datetime64[us]"),
            exit_time=np.full(count, "NaT", "datetime64[us]"),
            **{
                name: np.full(count, np.nan)
                for name in ("entry_mid", "exit_mid", "entry", "exit", "shares", "profit_pct")
            },
            ending=np.zeros(count, np.uint8),
            outcome=np.zeros(count, np.uint8),
            is_ambiguous=np.zeros(count, np.bool_),
            is_ordered=np.zeros(count, np.bool_),
            is_rescaled=np.zeros(count, np.bool_),
        )

    def __len__(self) -> int:
        return len(self.skipped)

    def rows(self, chosen: Rows) -> "Trades":
        """Return these rows of the trades."""
        return Trades(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def put(self, rows: Rows | slice, other: "Trades") -> None:
        """Write the other trades into these rows."""
        for each in fields(self):
            getattr(self, each.name)[rows] = getattr(other, each.name)
