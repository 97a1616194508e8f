"""Says in words which sources and which rules helped, as far as the intervals allow."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from argo.reports.worth import VALIDATION

Section = dict[str, Any]


class Verdict(StrEnum):
    """What an interval allows to say."""

    HELPED = "helped"
    COST = "cost money"
    LUCK = "cannot be told from luck"
    UNKNOWN = "too few separate cases to say"


def source_verdict(worth: Section) -> Verdict:
    """Return what the worth of a source says: above 0 it helped."""
    return _verdict(worth, helps=1)


def rule_verdict(cost: Section) -> Verdict:
    """Return what the cost of a rule says: below 0 it helped."""
    return _verdict(cost, helps=-1)


def what_helped(rules: Section, leave_one_out: Section) -> str | None:
    """Return sentences that name the sources and rules which helped or cost; None without any."""
    without = leave_one_out["without"]
    sources = {name: source_verdict(each["worth_pct"]) for name, each in without.items()}
    verdicts = {name: rule_verdict(rule["cost_pct"]) for name, rule in rules.items()}
    validation = {
        name.removeprefix(VALIDATION): found
        for name, found in verdicts.items()
        if name.startswith(VALIDATION)
    }
    risk = {name: found for name, found in verdicts.items() if not name.startswith(VALIDATION)}
    told = (
        _sentence("source", "", sources),
        _sentence("rule", " of validation", validation),
        _sentence("rule", " of risk", risk),
    )
    return " ".join(filter(None, told)) or None


def _verdict(figure: Section, helps: int) -> Verdict:
    interval = figure["interval"]
    if interval is None:
        return Verdict.UNKNOWN
    if interval["low"] <= 0 <= interval["high"]:
        return Verdict.LUCK
    return Verdict.HELPED if interval["low"] * helps > 0 else Verdict.COST


def _sentence(kind: str, of: str, verdicts: Mapping[str, Verdict]) -> str:
    """Return for example "Of 3 sources, trend helped; 2 cannot be told from luck."."""
    if not verdicts:
        return ""
    counted = f"{len(verdicts)} {kind}{'' if len(verdicts) == 1 else 's'}{of}"
    return f"Of {counted}, {'; '.join(_parts(verdicts))}."


def _parts(verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    for verdict in (Verdict.HELPED, Verdict.COST):
        if names := [name for name, found in verdicts.items() if found is verdict]:
            yield f"{_listed(names)} {verdict}"
    if number := sum(found is Verdict.LUCK for found in verdicts.values()):
        is_all = number == len(verdicts)
        yield "none can be told from luck" if is_all else f"{number} {Verdict.LUCK}"
    if number := sum(found is Verdict.UNKNOWN for found in verdicts.values()):
        yield f"{number} {'has' if number == 1 else 'have'} {Verdict.UNKNOWN}"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
