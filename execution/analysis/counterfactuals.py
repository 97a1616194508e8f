"""What the signals that were not traded would have brought."""

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from execution.models import Counterfactual

TYPES = {
    "untraded_outcome": pa.string(),
    "untraded_pct": pa.float64(),
    "untraded_at": pa.timestamp("us", tz="UTC"),
}
"""The columns: the outcome that the signal would have had, its result in percent of the entry
without costs, and when it would have ended."""


def with_counterfactuals(table: pa.Table, as_of: datetime | None = None) -> pa.Table:
    """Return a table of signals with the columns of `TYPES`; null for signals that were traded, and
    for those whose end nobody knows yet, or knew at `as_of`."""
    ended = Counterfactual.objects.exclude(outcome=None)
    if as_of is not None:
        ended = ended.filter(ended_at__lte=as_of)
    rows = ended.values_list("signal__signal_id", "outcome", "profit_loss_pct", "ended_at")
    found: dict[str, list[Any]] = {signal: rest for signal, *rest in rows.iterator()}
    nothing = [None] * len(TYPES)
    known = [found.get(signal, nothing) for signal in table["signal_id"].to_pylist()]
    for place, (name, kind) in enumerate(TYPES.items()):
        table = table.append_column(name, pa.array([row[place] for row in known], kind))
    return table


def as_if_traded(table: pa.Table) -> pa.Table:
    """Return a table of `with_counterfactuals`, in which each signal without an outcome has the one
    that it would have had."""
    for name, other in (("outcome", "untraded_outcome"), ("outcome_at", "untraded_at")):
        plain = table[name].cast(table.schema.field(other).type)
        joined = pc.coalesce(plain, table[other])
        table = table.set_column(table.column_names.index(name), name, joined)
    return table
