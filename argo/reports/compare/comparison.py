"""Puts a comparison together: two filters or periods, side by side."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from argo.reports.assumptions import ALWAYS, assumptions
from argo.reports.compare.differences import differences
from argo.reports.compare.verdict import verdict
from argo.reports.selected import Selected, select
from argo.version import version
from execution.analysis.selection import DecidedSelection
from signals.retrieval.edits import edits

Section = dict[str, Any]
COMPARED = ("outcomes", "equity", "calibration")
NO_NUMBERS = frozenset(("skipped_for", "rejected_for"))
INDEPENDENT = (
    "The interval of a difference follows from the intervals of both sides, as if these knew "
    "nothing of each other. Signals of the same days mostly rise and fall together: then it is "
    "wider than it need be."
)
ONE_IN_TWENTY = (
    "{n} differences have an interval. If the sides did not differ at all, about one in twenty "
    "would still leave out 0: a single one proves little."
)


class Side(NamedTuple):
    """One side: what was selected, its figures, and its caveats."""

    chosen: Selected
    figures: Section
    notes: list[str]


def make_comparison(
    a: DecidedSelection, b: DecidedSelection, now: datetime, *, seed: int = 0
) -> Section:
    """Return the figures of two selections as JSON has them, each with A less B."""
    sides = {"a": _side(a, seed), "b": _side(b, seed)}
    first, second = sides.values()
    shared = len(set(first.chosen.signal_ids) & set(second.chosen.signal_ids))
    reasons = dict.fromkeys(COMPARED, _of_shared(shared)) | {
        "equity": _of_account(first.chosen, second.chosen)
    }
    compared = {
        name: differences(first.figures[name], second.figures[name], reasons[name])
        for name in COMPARED
    }
    return {
        "headline": verdict(first.figures["counts"], second.figures["counts"], compared, shared),
        "made_at": now.isoformat(),
        "version": version(),
        **{name: _about(side) for name, side in sides.items()},
        "shared_signals": shared,
        "counts": _counts(first.figures["counts"], second.figures["counts"]),
        **compared,
        "assumptions": [*ALWAYS, *_notes(sides, compared)],
    }


def _side(wanted: DecidedSelection, seed: int) -> Side:
    chosen = select(wanted)
    figures = chosen.figures(seed)
    edited = edits(chosen.signal_ids, wanted.as_of)
    told = assumptions(chosen.table, chosen.origins, figures["counts"], edited)
    return Side(chosen, figures, [each for each in told if each not in ALWAYS])


def _about(side: Side) -> Section:
    origins = side.chosen.origins
    return {
        "filter": side.chosen.wanted.model_dump(mode="json", exclude_none=True),
        "origin": origins.chosen,
        "origins": origins.numbers,
        "is_track_record": origins.is_track_record,
        "account": side.chosen.account,
        "skipped_for": side.figures["counts"]["skipped_for"],
        "rejected_for": side.figures["counts"]["rejected_for"],
    }


def _counts(a: Section, b: Section) -> Section:
    names = [name for name in a if name not in NO_NUMBERS]
    return {name: {"a": a[name], "b": b[name], "difference": a[name] - b[name]} for name in names}


def _of_shared(shared: int) -> str | None:
    return f"{shared:,} signals are on both sides" if shared else None


def _of_account(a: Selected, b: Selected) -> str | None:
    """Return why the equities cannot be compared like two samples; None if they can."""
    if a.account is None or a.account != b.account:
        return None
    same = np.intersect1d(a.equity.days[1:], b.equity.days[1:]).size
    return f"both sides are the account {a.account}, with {same:,} days in common" if same else None


def _notes(sides: dict[str, Side], compared: Section) -> Iterator[str]:
    yield INDEPENDENT
    found = [row["difference"]["interval"] for part in compared.values() for row in part.values()]
    if count := sum(interval is not None for interval in found):
        yield ONE_IN_TWENTY.format(n=count)
    for name, side in sides.items():
        yield from (f"{name.upper()}: {note}" for note in side.notes)
