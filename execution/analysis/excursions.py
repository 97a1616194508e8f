"""How far the price went against and for the signals that were traded."""

from datetime import datetime

import numpy as np
import pyarrow as pa

from execution.models import Position

PERCENT = pa.float64()


def with_excursions(table: pa.Table, as_of: datetime | None = None) -> pa.Table:
    """Return a table of signals with the columns `mae_pct` and `mfe_pct`, from their positions.

    The adverse excursion is negative or 0, the favourable one positive or 0, both in percent of the
    position's entry price; null for a signal without a position, and with `as_of` for one that
    closed later.
    """
    positions = Position.objects.all()
    if as_of is not None:
        positions = positions.filter(closed_at__lte=as_of)
    rows = positions.values_list("signal__signal_id", "mae", "mfe")
    found = {signal: pair for signal, *pair in rows.iterator()}
    pairs = [found.get(signal, (None, None)) for signal in table["signal_id"].to_pylist()]
    for place, (name, sign) in enumerate((("mae_pct", -1), ("mfe_pct", 1))):
        values = [_percent(pair[place], sign) for pair in pairs]
        table = table.append_column(name, pa.array(values, PERCENT))
    return table


def _percent(value: float | None, sign: int) -> float | None:
    """Return a position's excursion, which is 0 or positive, with this sign."""
    return None if value is None or not np.isfinite(value) else sign * float(value)
