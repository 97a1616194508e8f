"""The comparison of signal, backtest and account as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

Section = dict[str, Any]
STEPS = {
    "from_signal_to_backtest": "From the signal's own prices to the backtest",
    "from_backtest_to_account": "From the backtest to the account",
}
WORLDS = {
    "signal": "Signal at its own prices",
    "backtest": "Backtest",
    "account": "Account",
}
PRICES = {
    "signal": "signal's price",
    "decision": "decision's price",
    "backtest_entry": "backtest's entry",
    "backtest_exit": "backtest's exit",
    "account_entry": "account's entry",
    "account_exit": "account's exit",
}


def divergence_lines(section: Section) -> Iterator[str]:
    """Yield the mean results, the mean parts between them, and the worst signals."""
    if section["null_because"]:
        yield f"None: {section['null_because']}."
    for why, number in section["not_compared"].items():
        yield f"{number:,} not compared: {why}"
    if not section["compared"]:
        return
    yield f"{section['compared']:,} closed trades, in percent of each signal's price"
    for world, title in WORLDS.items():
        yield f"{title:<46}{figure_text(section['results'][world])}"
    for name, title in STEPS.items():
        step = section[name]
        yield f"{title:<46}{figure_text(step['difference_pct'])}"
        for cause, part in step["causes"].items():
            yield f"  {cause:<44}{figure_text(part)}  of {part['signals']:,} signals"
    for row in section["worst"]:
        yield worst_line(row)


def figure_text(figure: Section) -> str:
    """Return a mean with its interval."""
    interval = figure["interval"]
    between = ""
    if interval is not None:
        between = f"  {percent(interval['low'])} to {percent(interval['high'])}"
    return f"{percent(figure['value']):>10}{between}"


def percent(value: float | None, digits: int = 3) -> str:
    """Return a percentage with its sign; what rounds to 0 has none."""
    if value is None:
        return "-"
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}%" if rounded else f"{0:.{digits}f}%"


def worst_line(row: Section) -> str:
    """Return a signal with its three results and the causes between them, in a line."""
    results = row["results_pct"]
    told = "  ".join(f"{world} {percent(results[world])}" for world in WORLDS)
    return f"{row['signal_id']}  {told}  {causes_text(row['causes'])}"


def causes_text(causes: list[Section]) -> str:
    """Return the parts of a signal's difference, the largest first."""
    largest = sorted(causes, key=lambda part: -abs(part["percent"]))
    return ", ".join(f"{part['cause']} {percent(part['percent'])}{_note(part)}" for part in largest)


def _note(part: Section) -> str:
    return f" ({part['note']})" if part["note"] else ""
