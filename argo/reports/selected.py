"""Reads what a report is about: the selected signals, and the account that traded most of them."""

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from argo.reports.calibration import calibration_section
from argo.reports.origins import Origins, one_origin
from argo.reports.sections import (
    count_section,
    equity_of,
    equity_section,
    main_account,
    outcome_section,
)
from argo.reports.trials import trials_of
from execution.analysis.counterfactuals import with_counterfactuals
from execution.analysis.excursions import with_excursions
from execution.analysis.selection import DecidedSelection
from execution.analysis.tables import signal_table
from signals.analysis.equity import Equity
from signals.retrieval.candidates import rejected

Section = dict[str, Any]


class Selected(NamedTuple):
    """The signals of one origin that a filter selects; `equity` is that of `account`."""

    wanted: DecidedSelection
    table: pa.Table
    origins: Origins
    account: str | None
    equity: Equity

    @property
    def signal_ids(self) -> list[str]:
        """Return the ids of the signals."""
        return list(self.table["signal_id"].to_pylist())

    def figures(self, seed: int) -> Section:
        """Return the sections of counts and figures."""
        counts = count_section(self.table, rejected(self.wanted))
        trials = trials_of(self.table, self.wanted.as_of)
        return {
            "counts": counts,
            "outcomes": outcome_section(self.table, seed),
            "equity": equity_section(self.account, self.equity, counts["closed"], trials, seed),
            "calibration": calibration_section(self.table),
        }


def select(wanted: DecidedSelection) -> Selected:
    """Read the signals; without an origin in `wanted`, those of the most frequent origin."""
    filters = wanted.model_dump(exclude_none=True, exclude={"origin"})
    table, origins = one_origin(_possible(signal_table(**filters)), wanted.origin)
    table = with_counterfactuals(with_excursions(table, wanted.as_of), wanted.as_of)
    account = main_account(table)
    return Selected(wanted, table, origins, account, equity_of(account, wanted))


def _possible(table: pa.Table) -> pa.Table:
    """Return the table without numbers that cannot be, as only a script can have stored them:
    infinite ones, and confidences outside 0 to 100. They are null, as if they were not known."""
    for place, field in enumerate(table.schema):
        if field.type == pa.float64():
            values = table[field.name]
            is_possible = pc.is_finite(values)
            if field.name in ("confidence", "raw_confidence"):
                is_within = pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, 100))
                is_possible = pc.and_(is_possible, is_within)
            known = pc.if_else(is_possible, values, pa.scalar(None, pa.float64()))
            table = table.set_column(place, field, known)
    return table
