"""Is the confidence true? How often signals of each confidence won, from the kept sums."""

from typing import NamedTuple

from argo.dashboard import intervals
from argo.dashboard.panel import Content, Moment
from argo.reports.svg import reliability_chart
from signals.ledger.sums.answer import stats
from signals.ledger.sums.figures import Figures
from signals.ledger.sums.query import StatsQuery

FEWEST = 10
"""Bins with fewer closed signals are only in the table."""


class Bin(NamedTuple):
    """The signals of a range of confidence that ended: how many, and the share that won."""

    low: int
    high: int
    n: int
    share: float
    interval: intervals.Between | None


def read(moment: Moment) -> Content:
    """Return each bin of confidence with its share of wins among the signals that ended."""
    found = stats(StatsQuery(by="confidence")).items
    bins = sorted(_bin(group["confidence"], each) for group, each in found if each.ended)
    drawn = [each for each in bins if each.n >= FEWEST]
    return {
        "bins": bins,
        "fewest": FEWEST,
        "chart": reliability_chart(
            "Share of wins by confidence",
            [((each.low + each.high) / 200, each.share) for each in drawn],
            [each.interval for each in drawn],
        ),
    }


def _bin(name: str, figures: Figures) -> Bin:
    low, high = map(int, name.split("-"))
    won, ended = figures.win, figures.ended
    return Bin(low, high, ended, won / ended, intervals.of_share(won, ended))
