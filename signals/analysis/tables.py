"""Turns an Arrow table of signals into what the figures are computed from, and into groups.

The table has the columns of `signals.retrieval`; only those that are used need to be there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from signals.analysis.calibration.judging import Ended
from signals.analysis.outcomes import Closed

Floats = NDArray[np.float64]
CONFIDENCE_STEP = 10
"""Width of a group by confidence, in points of 0 to 100."""


@dataclass(frozen=True)
class Counts:
    """How many signals there are of each kind; `closed` is the sum of the four outcomes."""

    issued: int
    open: int
    win: int
    loss: int
    breakeven: int
    expired: int

    @property
    def closed(self) -> int:
        """Return how many have an outcome."""
        return self.win + self.loss + self.breakeven + self.expired


def counts(table: pa.Table) -> Counts:
    """Count the signals of a table by their outcome."""
    found = pc.value_counts(_words(table, "outcome")).to_pylist()
    by_outcome = {each["values"]: each["counts"] for each in found}
    kinds = (by_outcome.get(name, 0) for name in ("win", "loss", "breakeven", "expired"))
    return Counts(table.num_rows, by_outcome.get(None, 0), *kinds)


def closed_signals(table: pa.Table) -> Closed:
    """Return the signals with an outcome; excursions are NaN if the table has none."""
    chosen = table.filter(pc.is_valid(table["outcome"]))
    return Closed(
        outcome=_words(chosen, "outcome").to_numpy(zero_copy_only=False).astype(str),
        profit_pct=_numbers(chosen, "profit_loss_pct"),
        risk_pct=_risk_pct(chosen),
        opened=_times(chosen, "timestamp"),
        closed=_times(chosen, "outcome_at"),
        mae_pct=_numbers(chosen, "mae_pct"),
        mfe_pct=_numbers(chosen, "mfe_pct"),
    )


def ended_signals(table: pa.Table) -> Ended:
    """Return the confidences of the signals that have ended, and whether each reached its target.

    The event is the outcome win; a signal that expired or ended level has not reached its target.
    Signals without a time are left out, because nobody knows what was before and what after them;
    so are those whose confidence is not within 0 to 100, as imported history may have it.
    """
    chosen = table.filter(pc.is_valid(table["outcome"]))
    made, known = _times(chosen, "timestamp"), _times(chosen, "outcome_at")
    confidence = _numbers(chosen, "confidence") / 100
    words = _words(chosen, "outcome").to_numpy(zero_copy_only=False)
    event = (words == "win").astype(float)
    is_whole = ~(np.isnat(made) | np.isnat(known)) & (confidence >= 0) & (confidence <= 1)
    return Ended(confidence[is_whole], event[is_whole], made[is_whole], known[is_whole])


def with_raw_confidence(table: pa.Table) -> pa.Table:
    """Return the table with the raw confidence of the signals whose confidence was calibrated."""
    raw = pc.coalesce(table["raw_confidence"], table["confidence"])
    return table.set_column(table.column_names.index("confidence"), "confidence", raw)


_OF_FIGURES = frozenset(
    (
        "outcome", "profit_loss_pct", "entry_price", "stop_price", "action", "confidence",
        "timestamp", "outcome_at", "mae_pct", "mfe_pct",
    )
)  # fmt: skip


# --- Groups ----------------------------------------------------------------------------------
def groups(table: pa.Table, by: str) -> Iterator[tuple[str, pa.Table]]:
    """Yield the name and the signals of each group, by one of `GROUPS`, in the order of names.

    The signals have the columns of figures only. Raises ValueError for another grouping.
    """
    if by not in GROUPS:
        raise ValueError(f"signals are not grouped by {by!r}; use one of {', '.join(GROUPS)}")
    names = GROUPS[by](table)
    table = table.select([name for name in table.column_names if name in _OF_FIGURES])
    for name in sorted(pc.unique(names).to_pylist(), key=str):
        chosen = pc.is_null(names) if name is None else pc.equal(names, name)
        yield ("unknown" if name is None else str(name)), table.filter(chosen)


def _column(name: str) -> Callable[[pa.Table], pa.Array]:
    return lambda table: _words(table, name)


def _hour(table: pa.Table) -> pa.Array:
    return pc.strftime(table["timestamp"], format="%H:00")


def _weekday(table: pa.Table) -> pa.Array:
    return pc.strftime(table["timestamp"], format="%u %A")


def _confidence(table: pa.Table) -> pa.Array:
    """Name the bin of each confidence; 100 belongs to the last one. Null if it is not known."""
    lowest = np.floor(_numbers(table, "confidence") / CONFIDENCE_STEP) * CONFIDENCE_STEP
    lowest = np.minimum(lowest, 100 - CONFIDENCE_STEP)
    names = {
        low: f"{int(low):02d} to {int(low) + CONFIDENCE_STEP}"
        for low in np.unique(lowest[~np.isnan(lowest)])
    }
    return pa.array(map(names.get, lowest), pa.string(), size=lowest.size)


GROUPS: dict[str, Callable[[pa.Table], pa.Array]] = {
    "symbol": _column("instrument"),
    "side": _column("action"),
    "strategy": _column("strategy"),
    "regime": _column("regime"),
    "origin": _column("origin"),
    "data_source": _column("data_source"),
    "hour": _hour,
    "weekday": _weekday,
    "confidence": _confidence,
}
"""What signals are grouped by: the name of each signal's group. Hours and weekdays are in UTC."""


# --- Columns ---------------------------------------------------------------------------------
def _words(table: pa.Table, name: str) -> pa.Array:
    return table[name].cast(pa.string()).combine_chunks()


def _numbers(table: pa.Table, name: str) -> Floats:
    """Return a column as numbers; NaN where it is null, infinite, or missing altogether."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values = table[name].to_numpy(zero_copy_only=False).astype(float)
    return np.where(np.isfinite(values), values, np.nan)


def _times(table: pa.Table, name: str) -> NDArray[np.datetime64]:
    """Return a column as moments in UTC; NaT where it is null."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype="datetime64[us]")


def _risk_pct(table: pa.Table) -> Floats:
    """Return the distance from entry to stop in percent of the entry; NaN without a stop.

    A stop on the wrong side of the entry, as imported history may have, limits no risk.
    """
    entry, stop = _numbers(table, "entry_price"), _numbers(table, "stop_price")
    sign = np.where(_words(table, "action").to_numpy(zero_copy_only=False) == "BUY", 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        risk = sign * (entry - stop) / entry * 100
    return np.where(np.isfinite(risk) & (risk > 0), risk, np.nan)
