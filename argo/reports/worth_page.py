"""What sources and rules are worth, as the tables of the page."""

from collections import defaultdict
from typing import Any

from argo.reports.helped import rule_verdict, source_verdict
from argo.reports.wording import figure_row
from argo.reports.worth import VALIDATION, pairs_shown

Section = dict[str, Any]
COUNTS = ("with_winner", "neutral", "against", "abstained")


def source_tables(sources: Section) -> Section:
    """Return the rows of the votes, the matrix of the pairs, and the rows of the worths."""
    measured = sources["leave_one_out"]
    where, pairs = pairs_shown(sources)
    return {
        "measured": measured,
        "worths": [_worth(name, each) for name, each in measured["without"].items()],
        "all": measured["all"] and _signals(measured["all"]),
        "votes": [_votes(name, each) for name, each in sources["votes"].items()],
        "where": where,
        "matrix": _matrix(pairs),
    }


def rule_tables(rules: Section) -> list[tuple[str, str, list[Section]]]:
    """Return caption, kind and rows of the rules of risk and of validation, if there are any."""
    of_risk = {code: rule for code, rule in rules.items() if "skipped" in rule}
    others = {code: rule for code, rule in rules.items() if "rejected" in rule}
    tables = (
        ("Rules of risk", "Skipped",
         [_rule(code, rule, "skipped") for code, rule in of_risk.items()]),
        ("Rules of validation",
         "Rejected", [_rule(code, rule, "rejected") for code, rule in others.items()]),
    )  # fmt: skip
    return [table for table in tables if table[2]]


def _rule(code: str, rule: Section, kind: str) -> Section:
    name = "cost_pct" if kind == "skipped" else "rejected_cost_pct"
    return {
        "code": code.removeprefix(VALIDATION),
        "number": rule[kind],
        "cost": figure_row(name, rule["cost_pct"]),
        "verdict": rule_verdict(rule["cost_pct"]),
    }


def _signals(each: Section) -> Section:
    return {"signals": each["signals"], "traded": figure_row("traded_pct", each["traded_pct"])}


def _worth(name: str, each: Section) -> Section:
    worth = each["worth_pct"]
    return _signals(each) | {
        "name": name,
        "worth": figure_row("worth_pct", worth),
        "verdict": source_verdict(worth),
    }


def _votes(name: str, each: Section) -> Section:
    scores = each["calibration"]
    return {
        "name": name,
        "counts": [each[count] for count in COUNTS],
        "brier": figure_row("brier", scores["brier"]),
        "skill": figure_row("brier_skill", scores["brier_skill"]),
    }


def _matrix(pairs: list[Section]) -> list[tuple[str, list[Section | None]]]:
    """Return a row for each source, with a cell for each source; None for a source and itself."""
    cells: dict[str, dict[str, Section]] = defaultdict(dict)
    for pair in pairs:
        first, second = pair["first"], pair["second"]
        cells[first][second] = cells[second][first] = {
            "agreement": figure_row("vote_agreement", pair["agreement"]),
            "correlation": figure_row("vote_correlation", pair["correlation"]),
        }
    return [(name, [row.get(other) for other in cells]) for name, row in cells.items()]
