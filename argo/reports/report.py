"""Puts a report together: every figure of the signals that a filter selects."""

from datetime import datetime
from typing import Any

from argo.reports.assumptions import assumptions
from argo.reports.divergence.comparing import compare
from argo.reports.divergence.groups import account_kind_groups
from argo.reports.divergence.section import divergence_section, own_signals
from argo.reports.headline import headline
from argo.reports.helped import what_helped
from argo.reports.measurement import find
from argo.reports.sections import group_sections, rule_section
from argo.reports.selected import select
from argo.reports.series import series_section
from argo.reports.worth import source_section, validation_section, worth_caveats
from argo.version import version
from execution.analysis.counterfactuals import as_if_traded
from execution.analysis.selection import DecidedSelection
from signals.ledger.records import NAMED_BY_ALERT
from signals.retrieval.edits import edits
from signals.retrieval.ended import ended_by_alert

Report = dict[str, Any]


def make_report(wanted: DecidedSelection, now: datetime, *, seed: int = 0) -> Report:
    """Return a report as JSON has it: sections of figures, each with its definition.

    Without an origin in `wanted` it is about the origin that most of the signals have, and says so.
    """
    chosen = select(wanted)
    table, origins = chosen.table, chosen.origins
    figures = chosen.figures(seed)
    counts = figures["counts"]
    compared = compare(own_signals(table), wanted.as_of)
    edited = edits(chosen.signal_ids, wanted.as_of)
    is_of_alerts = origins.chosen == NAMED_BY_ALERT
    ended = ended_by_alert(chosen.signal_ids, wanted.as_of) if is_of_alerts else []
    measured = find(wanted)
    sources = source_section(as_if_traded(table), measured)
    rules = rule_section(table) | validation_section(counts["rejected_for"], measured)
    return {
        "headline": headline(counts, figures["outcomes"], origins.chosen),
        "made_at": now.isoformat(),
        "version": version(),
        "filter": wanted.model_dump(mode="json", exclude_none=True),
        "origin": origins.chosen,
        "origins": origins.numbers,
        "is_track_record": origins.is_track_record,
        **figures,
        "sources": sources,
        "rules": rules,
        "what_helped": what_helped(rules, sources["leave_one_out"]),
        "divergence": divergence_section(compared),
        "groups": group_sections(table) | account_kind_groups(compared),
        "series": series_section(chosen.equity, table),
        "edits": [edit._asdict() for edit in edited],
        "assumptions": [
            *assumptions(table, origins, counts, edited, ended),
            *worth_caveats(sources, rules),
        ],
    }
