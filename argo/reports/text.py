"""A report as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

from argo.reports.divergence.text import divergence_lines
from argo.reports.wording import figure_text, number_text, title_lines
from argo.reports.worth_text import helped_lines, rule_lines, source_lines
from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]
REASONS = ("skipped_for", "rejected_for")
HIDDEN = frozenset(
    ("account", "days_a_year", "days", "bins", "counted", "groups", "issued", "closed")
)
SHOWN_OF_CONFIDENCE = ("brier", "brier_skill", "ece")
SHOWN_IN_GROUPS = ("win_rate", "expectancy_pct", "profit_factor")


def report_text(report: Section) -> str:
    """Return the headline, the sections, and at the end every assumption."""
    return "\n".join(
        [
            report["headline"],
            *helped_lines(report["what_helped"]),
            *_counts(report["counts"]),
            *_figures("Outcomes", report["outcomes"]),
            *_figures(_equity_title(report["equity"]), report["equity"]),
            *_figures("Is the confidence true?", report["calibration"]),
            *_bins(report["calibration"]["bins"]),
            *_confidence(report["calibration"]),
            *source_lines(report["sources"]),
            *rule_lines(report["rules"]),
            *title_lines("Signal, backtest and account side by side"),
            *divergence_lines(report["divergence"]),
            *_groups(report["groups"]),
            *title_lines("What this assumes"),
            *(f"- {sentence}" for sentence in report["assumptions"]),
            "",
            f"Made at {report['made_at']} by Argo {report['version']}.",
        ]
    )


def _counts(counts: Section) -> Iterator[str]:
    yield from title_lines("Signals")
    for name, value in counts.items():
        if name not in REASONS:
            yield f"{name:<12}{value:>12,}"
    for kind in REASONS:
        for code, number in counts[kind].items():
            yield f"  {kind.replace('_', ' ')} {code}: {number:,}"


def _equity_title(equity: Section) -> str:
    if equity["account"] is None:
        return "Equity: no account has traded these signals"
    days = f"{equity['days']:,} days, {equity['days_a_year']} a year"
    return f"Equity of the account {equity['account']} ({days})"


def _figures(title: str, section: Section) -> Iterator[str]:
    yield from title_lines(title)
    for name, figure in section.items():
        if name not in HIDDEN:
            yield f"{DEFINITIONS[name].title:<32}{figure_text(name, figure)}"


def _bins(bins: list[Section]) -> Iterator[str]:
    if bins:
        yield f"{'confidence':<24}{'signals':>10}{'mean':>8}{'reached':>9}"
    for each in bins:
        span = f"{each['low']:.1%} to {each['high']:.1%}"
        yield f"{span:<24}{each['n']:>10,}{each['confidence']:>8.1%}{each['share']:>9.1%}"


def _confidence(calibration: Section) -> Iterator[str]:
    yield counted_text(calibration["counted"])
    if not any(calibration["groups"].values()):
        return
    yield f"{'confidence by':<32}{'signals':>10}{'Brier':>10}{'skill':>10}{'error':>10}"
    for by, found in calibration["groups"].items():
        for name, group in found.items():
            told = "".join(f"{_short(shown, group[shown]):>10}" for shown in SHOWN_OF_CONFIDENCE)
            yield f"{by.replace('_', ' ') + ' ' + name:<32}{group['brier']['n']:>10,}{told}"


def counted_text(counted: Section) -> str:
    """Return which signals count for the confidence."""
    return (
        f"Counted: {counted['traded']:,} by their recorded outcome, and {counted['untraded']:,} "
        f"that were not traded, by the bars that followed; {counted['left_out']:,} without an "
        "outcome are left out."
    )


def _groups(groups: Section) -> Iterator[str]:
    for by, found in groups.items():
        yield from title_lines(f"By {by.replace('_', ' ')}")
        for name, group in found.items():
            told = "  ".join(f"{shown} {_short(shown, group[shown])}" for shown in SHOWN_IN_GROUPS)
            yield f"{name:<20}{group['closed']:>8,} closed  {told}"


def _short(name: str, figure: Section) -> str:
    return "-" if figure["value"] is None else number_text(name, figure["value"])
