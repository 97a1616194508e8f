"""A report as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]
SIGNIFICANT = 4
REASONS = ("skipped_for", "rejected_for")
HIDDEN = frozenset(("account", "days_a_year", "days", "bins", "issued", "closed"))
SHOWN_IN_GROUPS = ("win_rate", "expectancy_pct", "profit_factor")
SHARES = frozenset(
    ("win_rate", "cagr", "volatility", "exposure", "psr", "dsr", "brier_skill", "ece")
)


def report_text(report: Section) -> str:
    """Return the headline, the sections, and at the end every assumption."""
    return "\n".join(
        [
            report["headline"],
            *_counts(report["counts"]),
            *_figures("Outcomes", report["outcomes"]),
            *_figures(_equity_title(report["equity"]), report["equity"]),
            *_figures("Is the confidence true?", report["calibration"]),
            *_bins(report["calibration"]["bins"]),
            *_rules(report["rules"]),
            *_groups(report["groups"]),
            *_title("What this assumes"),
            *(f"- {sentence}" for sentence in report["assumptions"]),
            "",
            f"Made at {report['made_at']} by Argo {report['version']}.",
        ]
    )


def number_text(name: str, value: float) -> str:
    """Return a figure for people: shares and results as percents, others with four digits."""
    if name in SHARES:
        return f"{value:.1%}"
    if name.endswith("_pct"):
        return f"{value:+,.2f}%"
    if name.endswith("_days"):
        return f"{value:,.1f} d"
    return f"{value:,.{SIGNIFICANT}g}" if abs(value) < 10**SIGNIFICANT else f"{value:,.0f}"


def _title(text: str) -> list[str]:
    return ["", text, "-" * len(text)]


def _counts(counts: Section) -> Iterator[str]:
    yield from _title("Signals")
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
    yield from _title(title)
    for name, figure in section.items():
        if name not in HIDDEN:
            yield f"{DEFINITIONS[name].title:<32}{_figure(name, figure)}"


def _figure(name: str, figure: Section) -> str:
    if figure["value"] is None:
        return f"{'-':>10}  ({figure['null_because']})"
    interval = figure["interval"]
    between = ""
    if interval is not None:
        low, high = (number_text(name, interval[end]) for end in ("low", "high"))
        between = f"  {low} to {high}"
    return f"{number_text(name, figure['value']):>10}  n={figure['n']:,}{between}"


def _bins(bins: list[Section]) -> Iterator[str]:
    if bins:
        yield f"{'confidence':<24}{'signals':>10}{'mean':>8}{'reached':>9}"
    for each in bins:
        span = f"{each['low']:.1%} to {each['high']:.1%}"
        yield f"{span:<24}{each['n']:>10,}{each['confidence']:>8.1%}{each['share']:>9.1%}"


def _rules(rules: Section) -> Iterator[str]:
    if rules:
        yield from _title("What each rule cost (above 0) or saved (below 0)")
    for code, rule in rules.items():
        yield f"{code:<20}{rule['skipped']:>8,} skipped {_figure('cost_pct', rule['cost_pct'])}"


def _groups(groups: Section) -> Iterator[str]:
    for by, found in groups.items():
        yield from _title(f"By {by.replace('_', ' ')}")
        for name, group in found.items():
            told = "  ".join(f"{shown} {_short(shown, group[shown])}" for shown in SHOWN_IN_GROUPS)
            yield f"{name:<20}{group['closed']:>8,} closed  {told}"


def _short(name: str, figure: Section) -> str:
    return "-" if figure["value"] is None else number_text(name, figure["value"])
