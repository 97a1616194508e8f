"""Puts a report together: every figure of the signals that a filter selects."""

from datetime import datetime
from typing import Any

from argo.reports.assumptions import assumptions
from argo.reports.headline import headline
from argo.reports.origins import one_origin
from argo.reports.sections import (
    calibration_section,
    count_section,
    equity_of,
    equity_section,
    group_sections,
    main_account,
    outcome_section,
    rule_section,
)
from argo.reports.series import series_section
from argo.version import version
from execution.analysis.counterfactuals import with_counterfactuals
from execution.analysis.excursions import with_excursions
from execution.analysis.selection import DecidedSelection
from execution.analysis.tables import signal_table
from signals.retrieval.candidates import rejected
from signals.retrieval.edits import edits

Report = dict[str, Any]


def make_report(wanted: DecidedSelection, now: datetime, *, seed: int = 0) -> Report:
    """Return a report as JSON has it: sections of figures, each with its definition.

    Without an origin in `wanted` it is about the origin that most of the signals have, and says so.
    """
    table, origins = one_origin(
        signal_table(**wanted.model_dump(exclude_none=True, exclude={"origin"})), wanted.origin
    )
    as_of = wanted.as_of
    table = with_counterfactuals(with_excursions(table, as_of), as_of)
    counts, outcomes = count_section(table, rejected(wanted)), outcome_section(table, seed)
    account = main_account(table)
    equity = equity_of(account, as_of)
    edited = edits(table["signal_id"].to_pylist(), as_of)
    return {
        "headline": headline(counts, outcomes, origins.chosen),
        "made_at": now.isoformat(),
        "version": version(),
        "filter": wanted.model_dump(mode="json", exclude_none=True),
        "origin": origins.chosen,
        "origins": origins.numbers,
        "is_track_record": origins.is_track_record,
        "counts": counts,
        "outcomes": outcomes,
        "equity": equity_section(account, equity, counts["closed"], seed),
        "calibration": calibration_section(table),
        "rules": rule_section(table),
        "groups": group_sections(table),
        "series": series_section(equity, table),
        "edits": [edit._asdict() for edit in edited],
        "assumptions": assumptions(table, origins, counts, edited),
    }
