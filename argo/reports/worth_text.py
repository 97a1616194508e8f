"""What sources and rules are worth, as text for a terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from argo.reports.helped import rule_verdict, source_verdict
from argo.reports.wording import figure_text, number_text, title_lines
from argo.reports.worth import VALIDATION, pairs_shown

Section = dict[str, Any]
COUNTS = ("with_winner", "neutral", "against", "abstained")


def worth_text(result: Section) -> str:
    """Return what `weigh_sources` has measured."""
    rules = {f"{VALIDATION}{code}": rule for code, rule in result["rejected"].items()}
    lines = [*_worths(result), *rule_lines(rules), *title_lines("What this assumes")]
    return "\n".join([*lines, *(f"- {each}" for each in result["assumptions"])]).lstrip()


def helped_lines(sentence: str | None) -> list[str]:
    """Return the sentence about what helped, if there is one."""
    return [] if sentence is None else [sentence]


def source_lines(sources: Section) -> Iterator[str]:
    """Return the votes, how alike they are, and the worth of each source."""
    measured = sources["leave_one_out"]
    if sources["votes"]:
        yield from _votes(sources["votes"])
    yield from _pairs(*pairs_shown(sources))
    if measured["null_because"] is None:
        yield from _worths(measured)
    elif sources["votes"]:
        yield from title_lines("What each source is worth")
        yield f"-  ({measured['null_because']})"


def rule_lines(rules: Section) -> Iterator[str]:
    """Return what each rule cost or saved."""
    if rules:
        yield from title_lines("What each rule cost (above 0) or saved (below 0)")
    for code, rule in rules.items():
        kind = "rejected" if "rejected" in rule else "skipped"
        cost = rule["cost_pct"]
        told = _with_verdict("cost_pct", cost, rule_verdict(cost))
        yield f"{code:<24}{rule[kind]:>8,} {kind:<9}{told}"


def _votes(votes: Section) -> Iterator[str]:
    yield from title_lines("How each source voted")
    heads = ("with winner", *COUNTS[1:], "Brier", "skill", "n")
    yield _row("source", heads)
    for name, each in votes.items():
        brier, skill = each["calibration"]["brier"], each["calibration"]["brier_skill"]
        counts = (f"{each[count]:,}" for count in COUNTS)
        scores = (_short("brier", brier), _short("brier_skill", skill), f"{brier['n']:,}")
        yield _row(name, (*counts, *scores))


def _pairs(where: str, pairs: Iterable[Section]) -> Iterator[str]:
    if pairs:
        yield from title_lines(f"How alike the sources vote on {where}")
    for pair in pairs:
        agreement, correlation = pair["agreement"], pair["correlation"]
        names = f"{pair['first']} and {pair['second']}"
        agreed = f"agree {_short('vote_agreement', agreement)}"
        told = f"correlation {_short('vote_correlation', correlation)}"
        yield f"{names:<32}n={agreement['n']:<8,}{agreed:<14} {told}"


def _worths(measured: Section) -> Iterator[str]:
    yield from title_lines("What each source is worth (above 0 it helped)")
    period = f"{measured['first'][:10]} to {measured['last'][:10]}"
    yield f"{measured['bars']:,} bars of {', '.join(measured['symbols'])}, {period}"
    yield _signals("all sources", measured["all"])
    for name, each in measured["without"].items():
        yield _signals(f"without {name}", each)
    for name, each in measured["without"].items():
        worth = each["worth_pct"]
        told = _with_verdict("worth_pct", worth, source_verdict(worth))
        yield f"{f'worth of {name}':<42}{told}"


def _signals(name: str, each: Section) -> str:
    told = figure_text("traded_pct", each["traded_pct"])
    return f"{name:<24}{each['signals']:>8,} signals  {told}"


def _with_verdict(name: str, figure: Section, verdict: str) -> str:
    told = figure_text(name, figure)
    return told if figure["value"] is None else f"{told:<42}{verdict}"


def _short(name: str, figure: Section) -> str:
    return "-" if figure["value"] is None else number_text(name, figure["value"])


def _row(name: str, cells: Iterable[str]) -> str:
    return f"{name:<18}" + "".join(f"{cell:>12}" for cell in cells)
