"""What each source and each rule of validation is worth, as the report's sections have it."""

from typing import Any

import pyarrow as pa

from argo.reports.measurement import Found
from argo.reports.votes import vote_sections
from signals.analysis.figure import undefined

Section = dict[str, Any]
VALIDATION = "validation."
"""Begins the names of the rules of validation: those of risk may have the same codes."""
SHOWN = ("all", "symbols", "bars", "first", "last", "version", "assumptions")
NO_VOTES = "none of these signals has votes"
COSTS = (
    "Sources and rules of validation are judged by trades on past bars, after costs; rules of risk "
    "by the signals' own prices, without costs. What several rules stopped counts for each of them."
)
BY_LUCK = (
    "A source or rule is said to have helped or cost money if its 95% interval leaves out 0; of "
    "twenty that do nothing, one is named so by luck."
)


def source_section(table: pa.Table, measured: Found) -> Section:
    """Return how the sources voted on these signals, and what each is worth on past bars.

    Signals from elsewhere have no votes, and nothing of theirs has been measured.
    """
    found = vote_sections(table)
    if not found["votes"]:
        measured = Found(measured.command, null_because=NO_VOTES)
    return found | {"leave_one_out": _leave_one_out(measured)}


def pairs_shown(sources: Section) -> tuple[str, list[Section]]:
    """Return the pairs to show, and on what they voted: past bars if those are measured.

    Votes on signals agree more, because only votes that agree make a signal.
    """
    if on_bars := sources["leave_one_out"]["pairs"]:
        return "all past bars", on_bars
    return "these signals", sources["pairs"]


def validation_section(rejected: dict[str, int], measured: Found) -> Section:
    """Return for each rule of validation what the candidates that it rejected would have brought.

    `rejected` are the candidates that have been rejected by now, by each reason.
    """
    costs = measured.result["rejected"] if measured.result else {}
    nothing = undefined("rejected_cost_pct", 0, measured.null_because or _newer(measured)).as_json()
    return {
        f"{VALIDATION}{code}": {
            "rejected": number,
            "cost_pct": costs[code]["cost_pct"] if code in costs else nothing,
        }
        for code, number in sorted(rejected.items())
    }


def _newer(measured: Found) -> str:
    return f"it has rejected candidates only since the measurement: run {measured.command}"


def _leave_one_out(measured: Found) -> Section:
    """Return the measurement, or why it is missing."""
    result = measured.result or {}
    return {
        "made_at": None if measured.made_at is None else measured.made_at.isoformat(),
        "null_because": measured.null_because,
        "command": measured.command,
        "without": result.get("without", {}),
        "pairs": result.get("pairs", []),
    } | {name: result.get(name) for name in SHOWN}


def worth_caveats(sources: Section, rules: Section) -> list[str]:
    """Return what a reader must know of the worth of sources and rules."""
    if not rules and sources["leave_one_out"]["null_because"] is not None:
        return []
    return [COSTS, BY_LUCK, *_measured(sources["leave_one_out"])]


def _measured(found: Section) -> list[str]:
    if found["null_because"] is not None:
        return []
    told = (
        f"The worth of sources and of rules of validation was measured at {found['made_at']} by "
        f"Argo {found['version']} on {found['bars']:,} bars of {', '.join(found['symbols'])} from "
        f"{found['first']} to {found['last']}, each signal traded by itself as backtest_signals "
        "does. Without a source the cooldown falls on other bars, so other signals are made, too."
    )
    return [told]
