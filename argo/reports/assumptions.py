"""What a report assumes, and what a reader must know before believing it."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from argo.reports.origins import HINDSIGHT, Origins
from signals.analysis.intervals import FEWEST, LEVEL, MOST_RESAMPLED, RESAMPLES
from signals.retrieval.edits import Edit

Section = dict[str, Any]
NAMED_EDITS = 20
"""The latest edits that are named; all are in the section `edits`."""
RESULT = (
    "A result is the change from the signal's own entry price to its exit price, in percent, "
    "without costs; the equity is that of the whole account, with the fills' prices and fees."
)
CLOSED = (
    "Closed signals are those with the outcome win, loss, breakeven or expired; open ones count in "
    "no rate and no average."
)
INTERVALS = (
    f"Intervals hold {LEVEL:.0%}. Those of the headline come from {RESAMPLES:,} resamples of at "
    f"most {MOST_RESAMPLED:,} closed signals in blocks of time; those of groups and of "
    f"confidences are Wilson's or normal, from {FEWEST} cases on."
)
CONFIDENCE = (
    "A confidence is true if signals of that confidence reach their target before their stop as "
    "often; one that expired has not reached it. Signals that were not traded count by the outcome "
    "that they would have had, by the bars that followed."
)
TRIALS = (
    "The deflated Sharpe ratio counts what Argo itself replayed or backtested on this data; what "
    "was tried elsewhere would make it lower."
)
ALWAYS = (RESULT, CLOSED, INTERVALS, CONFIDENCE, TRIALS)


def assumptions(
    table: pa.Table,
    origins: Origins,
    counts: Section,
    edited: Sequence[Edit],
    ended: Sequence[str] = (),
) -> list[str]:
    """Return every assumption and caveat of a report on these signals.

    `ended` has the signals whose outcome came from an exit alert.
    """
    return [*ALWAYS, *_caveats(table, origins, counts, edited), *_of_alerts(ended)]


def _of_alerts(ended: Sequence[str]) -> Iterator[str]:
    if ended:
        told = ", ".join(ended[-NAMED_EDITS:])
        yield (
            f"The outcome of {len(ended):,} signals came from an exit alert of their sender, not "
            f"from target or stop; the latest: {told}."
        )


def _caveats(
    table: pa.Table, origins: Origins, counts: Section, edited: Sequence[Edit]
) -> Iterator[str]:
    others = {name: n for name, n in origins.numbers.items() if name != origins.chosen}
    if others:
        told = ", ".join(f"{name} {number:,}" for name, number in others.items())
        yield f"Signals of other origins are left out: {told}."
    if origins.chosen in HINDSIGHT:
        yield (
            f"This is no track record: signals of the origin {origins.chosen} may have been made "
            "when their outcome was already known."
        )
    if 0 < counts["closed"] < FEWEST:
        yield (
            f"Only {counts['closed']} signals have closed: figures for a year are left out, and no "
            "figure has an interval."
        )
    if edited:
        told = ", ".join(f"{each.signal_id} at {each.at}" for each in edited[-NAMED_EDITS:])
        yield f"Outcomes were changed after they were set, of {len(edited):,} in all: {told}."
    if calibrated := _calibrated(table):
        yield calibrated
    if unknown := _missing(table, "profit_loss_pct"):
        yield f"{unknown:,} closed signals have no known result; they count for the win rate only."
    if timeless := table["timestamp"].null_count:
        yield f"The time of {timeless:,} signals cannot be read; they are in no group by time."


def _calibrated(table: pa.Table) -> str | None:
    """Return which signals have a calibrated confidence; None if none has."""
    versions = pc.value_counts(table["calibration_version"].drop_null()).to_pylist()
    if not versions:
        return None
    told = ", ".join(f"{each['counts']:,} by version {each['values']}" for each in versions)
    return (
        f"The confidence of some signals is a calibrated one: {told}. Their raw confidence is in "
        "the scores by calibration."
    )


def _missing(table: pa.Table, name: str) -> int:
    is_missing = pc.and_(pc.is_valid(table["outcome"]), pc.is_null(table[name]))
    return int(pc.sum(is_missing).as_py() or 0)
