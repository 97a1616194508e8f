"""The figures of a group of signals: counts by outcome, win rate, average profit or loss."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from signals.ledger.outcomes import OUTCOMES
from signals.ledger.sums.statements import UNITS
from signals.status_text import share

KINDS = (*OUTCOMES, "open")


class Figures(NamedTuple):
    """Counts of signals by outcome, and their profit or loss.

    `n` counts all; what is in none of the five kinds has an outcome that an older system gave it.
    `measured` signals have a profit or loss; `profit_loss` is its sum in 1/100,000 percent.
    """

    n: int = 0
    win: int = 0
    loss: int = 0
    breakeven: int = 0
    expired: int = 0
    open: int = 0
    measured: int = 0
    profit_loss: int = 0

    @property
    def ended(self) -> int:
        """Return how many signals have an outcome."""
        return self.n - self.open

    @property
    def outcomes(self) -> dict[str, int]:
        """Return the counts by kind of outcome; `other` are kinds of an older system."""
        counts = {kind: getattr(self, kind) for kind in KINDS}
        return {**counts, "other": self.n - sum(counts.values())}

    @property
    def win_rate(self) -> float | None:
        """Return the share of wins among the signals that ended, from 0 to 1; None without any."""
        return share(self.win, self.ended)

    @property
    def average_profit_loss_pct(self) -> float | None:
        """Return the average in percent over the signals that have one; None without any."""
        return self.profit_loss / UNITS / self.measured if self.measured else None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as the API answers them."""
        return {
            "n": self.n,
            "ended": self.ended,
            "outcomes": self.outcomes,
            "win_rate": self.win_rate,
            "average_profit_loss_pct": self.average_profit_loss_pct,
        }


FIGURES = (
    "sum(n)",
    *(f"sum(CASE WHEN outcome = '{kind}' THEN n ELSE 0 END)" for kind in KINDS),
    "sum(measured)",
    "sum(profit_loss)",
)
"""The SQL of each field of `Figures`, over rows with an outcome and `statements.COUNTS`."""


def figures_of(row: Iterable[Any]) -> Figures:
    """Return the figures of a row of `FIGURES`; PostgreSQL sums to Decimal, or to NULL."""
    return Figures(*(int(value or 0) for value in row))
