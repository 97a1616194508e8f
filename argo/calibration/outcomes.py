"""What a calibration is fitted on: signals and outcomes that were known at a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argo.reports.origins import Origins, one_origin
from execution.analysis.counterfactuals import as_if_traded, with_counterfactuals
from execution.analysis.tables import signal_table
from signals.analysis.calibration.judging import Ended, known_before
from signals.analysis.tables import ended_signals, with_raw_confidence
from signals.generation.consensus import NAME
from signals.ledger.validation import Label
from signals.retrieval.selection import Selection


class OfStrategy(Selection):
    """Selects the signals of one strategy, Argo's own unless another is named."""

    strategy: Label = NAME


@dataclass(frozen=True)
class Outcomes:
    """The signals of one origin that had ended, with their raw confidences.

    Attributes:
        ended: in the order of `made`.
        traded, untraded: how many count by their recorded outcome, and by the bars that followed.
        left_out: how many had no outcome that was known in time.
    """

    ended: Ended
    origins: Origins
    traded: int
    untraded: int
    left_out: int

    @property
    def n(self) -> int:
        """Return how many signals had ended."""
        return int(self.ended.event.size)

    def sha256(self) -> str:
        """Return a hash of all that the fit sees; the order of the signals does not count."""
        return sha256(b"".join(column.tobytes() for column in _columns(self.ended))).hexdigest()


def read_outcomes(wanted: OfStrategy, as_of: datetime, embargo: timedelta) -> Outcomes:
    """Return what was known at `as_of`, at least `embargo` before it.

    Without an origin in `wanted` it is the origin that most of the signals have, as in a report.
    """
    filters = wanted.model_dump(exclude_none=True, exclude={"origin", "as_of"})
    table, origins = one_origin(signal_table(**filters, as_of=as_of), wanted.origin)
    table = with_raw_confidence(with_counterfactuals(table, as_of))
    recorded, imagined = (_known(part, as_of, embargo) for part in _parts(table))
    traded, untraded = recorded.event.size, imagined.event.size
    left_out = table.num_rows - traded - untraded
    return Outcomes(_together(recorded, imagined), origins, traded, untraded, left_out)


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    """Yield the signals with a recorded outcome, then the others as if they had been traded."""
    is_recorded = pc.is_valid(table["outcome"])
    yield table.filter(is_recorded)
    yield as_if_traded(table.filter(pc.invert(is_recorded)))


def _known(part: pa.Table, as_of: datetime, embargo: timedelta) -> Ended:
    ended = ended_signals(part)
    moment = np.datetime64(as_of.astimezone(UTC).replace(tzinfo=None), "us")
    in_time = known_before(ended, moment, np.timedelta64(embargo))
    return Ended(*(column[in_time] for column in _fields(ended)))


def _together(one: Ended, other: Ended) -> Ended:
    """Return both in one order, so that the same signals always give the same fit."""
    pairs = zip(_fields(one), _fields(other), strict=True)
    return Ended(*_columns(Ended(*(np.concatenate(pair) for pair in pairs))))


def _columns(ended: Ended) -> Iterator[np.ndarray]:
    """Yield the columns with the signals sorted by all of them."""
    order = np.lexsort((ended.event, ended.confidence, ended.known, ended.made))
    return (column[order] for column in _fields(ended))


def _fields(ended: Ended) -> tuple[np.ndarray, ...]:
    return ended.confidence, ended.event, ended.made, ended.known
