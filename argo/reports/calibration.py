"""The report's section on whether the confidence is true."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from argo.reports.sections import as_json
from execution.analysis.counterfactuals import as_if_traded
from signals.analysis.calibration.bins import Bin, Bins
from signals.analysis.calibration.judging import Ended
from signals.analysis.calibration.scores import NAMES, calibration_figures
from signals.analysis.figure import undefined
from signals.analysis.intervals import FEWEST
from signals.analysis.tables import ended_signals, groups, with_raw_confidence

Section = dict[str, Any]
BY = ("data_source", "regime", "strategy")
TOO_FEW = f"fewer than {FEWEST} signals have ended"


def calibration_section(table: pa.Table) -> Section:
    """Return the scores of the confidences, the bins of the reliability diagram, and the scores of
    groups.

    Signals that were not traded count by what their outcome would have been. `counted` says how
    many of each there are, and how many were left out because they have no outcome yet.
    """
    as_traded = as_if_traded(table)
    ended, traded = ended_signals(as_traded), ended_signals(table).event.size
    found: Section = as_json(calibration_figures(ended.confidence, ended.event))
    bins = Bins(ended.confidence, ended.event).rows() if ended.event.size else []
    counted = {
        "traded": traded,
        "untraded": ended.event.size - traded,
        "left_out": table.num_rows - ended.event.size,
    }
    by = {name: dict(_groups(as_traded, name)) for name in BY}
    return found | {
        "bins": [_bin(each) for each in bins],
        "counted": counted,
        "groups": by
        | {"traded": dict(_by_trade(table, as_traded))}
        | {"calibration": dict(_by_calibration(as_traded))},
    }


def _groups(as_traded: pa.Table, by: str) -> Iterator[tuple[str, Section]]:
    for name, chosen in groups(as_traded, by):
        yield name, _scores(ended_signals(chosen))


def _by_trade(table: pa.Table, as_traded: pa.Table) -> Iterator[tuple[str, Section]]:
    if table.num_rows:
        yield "yes", _scores(ended_signals(table))
        yield "no", _scores(ended_signals(as_traded.filter(pc.is_null(table["outcome"]))))


def _by_calibration(as_traded: pa.Table) -> Iterator[tuple[str, Section]]:
    """Yield the scores of the signals that each version calibrated, and of their raw confidence."""
    versions = as_traded["calibration_version"]
    for version in sorted(pc.unique(versions.drop_null()).to_pylist()):
        chosen = as_traded.filter(pc.equal(versions, version))
        yield str(version), _scores(ended_signals(chosen))
        yield f"{version}, raw", _scores(ended_signals(with_raw_confidence(chosen)))


def _scores(ended: Ended) -> Section:
    """Return the figures of a group; those of a small one would be mostly chance."""
    n = ended.event.size
    if n < FEWEST:
        return as_json({name: undefined(name, n, TOO_FEW) for name in NAMES})
    return as_json(calibration_figures(ended.confidence, ended.event))


def _bin(row: Bin) -> Section:
    interval = None if row.interval is None else row.interval._asdict()
    return row._asdict() | {"interval": interval}
