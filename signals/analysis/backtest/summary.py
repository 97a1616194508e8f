"""The result of a backtest in a few numbers."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from signals.analysis.backtest.columns import Ending, Floats, Outcome, Skipped, Trades


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of signals and trades, and what the trades made, in percent of each entry's value.

    `closed` are the trades that have ended; `expired` ones count only as expired, whatever they
    made. `average_pct` and `total_pct` are over all closed trades, each with the same money; None
    without one. `ambiguous` counts trades that the unknown order of prices within a bar decided,
    `ambiguous_share` is their part of `entered`, 0 to 1; None if none was entered. `ordered` counts
    trades that would be ambiguous, but finer bars showed the order. `rescaled` counts trades whose
    prices were moved by a split, or by a dividend that the bars are adjusted for.
    """

    signals: int
    entered: int
    open: int
    closed: int
    wins: int
    losses: int
    breakeven: int
    expired: int
    average_pct: float | None
    total_pct: float | None
    ambiguous: int
    ambiguous_share: float | None
    ordered: int
    rescaled: int
    endings: dict[str, int]
    skipped: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return asdict(self)


def summary_of(trades: Trades) -> Summary:
    """Return the result of these trades."""
    skipped = np.bincount(trades.skipped, minlength=len(Skipped))
    endings = np.bincount(trades.ending, minlength=len(Ending))
    outcomes = np.bincount(trades.outcome, minlength=len(Outcome))
    entered, ambiguous = int(skipped[Skipped.NO]), int(trades.is_ambiguous.sum())
    made = trades.profit_pct[np.isfinite(trades.profit_pct)]
    return Summary(
        signals=len(trades),
        entered=entered,
        open=int(endings[Ending.OPEN]),
        closed=entered - int(endings[Ending.OPEN]),
        wins=int(outcomes[Outcome.WIN]),
        losses=int(outcomes[Outcome.LOSS]),
        breakeven=int(outcomes[Outcome.BREAKEVEN]),
        expired=int(outcomes[Outcome.EXPIRED]),
        average_pct=_or_none(np.mean, made),
        total_pct=_or_none(np.sum, made),
        ambiguous=ambiguous,
        ambiguous_share=ambiguous / entered if entered else None,
        ordered=int(trades.is_ordered.sum()),
        rescaled=int(trades.is_rescaled.sum()),
        endings={each.name.lower(): int(endings[each]) for each in Ending if each},
        skipped={
            each.name.lower(): int(skipped[each]) for each in Skipped if each and skipped[each]
        },
    )


def _or_none(figure: Any, made: Floats) -> float | None:  # noqa: ANN401  # a function of numpy
    return float(figure(made)) if len(made) else None
