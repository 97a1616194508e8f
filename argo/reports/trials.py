"""What was tried on the data of a report, as Argo itself counted it."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from signals.analysis.equity import NO_TRIALS, Trials
from signals.backtests.trials import trials_on


def trials_of(table: pa.Table, as_of: datetime | None) -> Trials:
    """Return the trials whose data has one of the signals' symbols and overlaps their time.

    Only they could have been chosen because they did well on it: what was tried on other symbols,
    or on data that ended before the first signal, is not counted.
    """
    times = [pc.min_max(table[name]).as_py() for name in ("timestamp", "outcome_at")]
    first, last = times[0]["min"], max(filter(None, (each["max"] for each in times)), default=None)
    if first is None or last is None:
        return NO_TRIALS
    symbols = pc.unique(table["instrument"].cast(pa.string())).to_pylist()
    found = trials_on(symbols, first, last, as_of)
    sharpes = [each.sharpe for each in found if each.sharpe is not None]
    return Trials(len(found), np.array(sharpes, float))
