"""Writes figures for people."""

from typing import Any

from signals.analysis.definitions import DEFINITIONS

Section = dict[str, Any]
SIGNIFICANT = 4
SHARES = frozenset(
    (
        "win_rate", "cagr", "volatility", "exposure", "psr", "dsr", "brier_skill", "ece",
        "vote_agreement", "record_win_rate",
    )
)  # fmt: skip


def number_text(name: str, value: float) -> str:
    """Return a figure for people: shares and results as percents, others with four digits."""
    if name in SHARES:
        return f"{value:.1%}"
    if name == "vote_correlation":
        return f"{value:+.2f}"
    if name.endswith("_pct"):
        return f"{value:+,.2f}%"
    if name == "trials":
        return f"{value:,.0f}"
    if name.endswith("_days"):
        return f"{value:,.1f} d"
    return f"{value:,.{SIGNIFICANT}g}" if abs(value) < 10**SIGNIFICANT else f"{value:,.0f}"


def figure_text(name: str, figure: Section) -> str:
    """Return value, n and interval in columns; without a value, why it is missing."""
    if figure["value"] is None:
        return f"{'-':>10}  ({figure['null_because']})"
    interval = figure["interval"]
    between = ""
    if interval is not None:
        low, high = (number_text(name, interval[end]) for end in ("low", "high"))
        between = f"  {low} to {high}"
    return f"{number_text(name, figure['value']):>10}  n={figure['n']:,}{between}"


def title_lines(text: str) -> list[str]:
    """Return the lines of a title."""
    return ["", text, "-" * len(text)]


def figure_row(name: str, figure: Section) -> Section:
    """Return a figure with its texts for people."""
    value, interval = figure["value"], figure["interval"]
    between = None
    if interval is not None:
        between = tuple(number_text(name, interval[end]) for end in ("low", "high"))
    return {
        "title": DEFINITIONS[name].title,
        "value": None if value is None else number_text(name, value),
        "is_negative": value is not None and value < 0,
        "n": figure["n"],
        "interval": between,
        "definition": figure["definition"],
        "null_because": figure["null_because"],
    }
