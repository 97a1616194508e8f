"""How far the price went against and for the signals that were traded."""

import numpy as np
import pyarrow as pa

from execution.models import Position

PERCENT = pa.float64()


def with_excursions(table: pa.Table) -> pa.Table:
    """Return a table of signals with the columns `mae_pct` and `mfe_pct`, from their positions.

    The adverse excursion is negative or 0, the favourable one positive or 0, both in percent of the
    position's entry price; null for a signal without a position.
    """
    rows = Position.objects.values_list("signal__signal_id", "mae", "mfe")
    found = {signal: (mae, mfe) for signal, mae, mfe in rows.iterator()}
    pairs = [found.get(signal, (None, None)) for signal in table["signal_id"].to_pylist()]
    for place, name in enumerate(("mae_pct", "mfe_pct")):
        values = [_percent(pair[place]) for pair in pairs]
        table = table.append_column(name, pa.array(values, PERCENT))
    return table


def _percent(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
