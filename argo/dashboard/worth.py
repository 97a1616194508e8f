"""What the signals were worth: win rate and expectancy with their intervals, from the kept sums.

They are those of one origin: the one that most signals have. A replay's signals are no track
record, so that origins are never mixed.
"""

from statistics import stdev

from argo.dashboard import intervals
from argo.dashboard.panel import Content, Moment
from signals.ledger.sums.answer import stats
from signals.ledger.sums.query import StatsQuery
from signals.models import SignalContext

SPREAD_OF = 2000
"""The newest signals whose results tell the spread, which the sums do not keep."""


def read(moment: Moment) -> Content:
    """Return the figures of the origin that most signals have; nothing without signals."""
    found = stats(StatsQuery(by="origin"))
    if not found.items:
        return {"origin": None}
    origin, figures = found.items[0][0]["origin"], found.items[0][1]
    mean, results = figures.average_profit_loss_pct, _results(origin)
    deviation = stdev(results) if len(results) >= intervals.FEWEST else None
    return {
        "origin": origin,
        "others": [(group["origin"], each.n) for group, each in found.items[1:]],
        "figures": figures,
        "fewest": intervals.FEWEST,
        "spread_of": len(results),
        "win_interval": intervals.of_share(figures.win, figures.ended),
        "mean": mean,
        "mean_interval": None
        if mean is None or deviation is None
        else intervals.of_mean(mean, deviation, figures.measured),
    }


def _results(origin: str) -> list[float]:
    newest = SignalContext.objects.order_by("-pk").values_list("origin", "signal__profit_loss_pct")
    return [pct for made, pct in newest[:SPREAD_OF] if made == origin and pct is not None]
