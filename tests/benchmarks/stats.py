"""Statistics and lists of millions of signals: the time of an answer, and of keeping the sums."""

import statistics
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from prometheus_client import generate_latest

from argo.metrics.summary import summary
from argo.metrics.views import registry
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.ledger.sums.answer import Stats, stats, totals
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.update import update_sums
from signals.models import SignalSum
from tests.benchmarks import lists, millions, samples
from tests.benchmarks.figures import Figure, at_most, number, rate
from tests.benchmarks.rounds import seconds
from tests.benchmarks.workspace import Workspace, say

VARIED = """
UPDATE signals SET
    outcome = CASE id % 4 WHEN 0 THEN 'win' WHEN 1 THEN 'loss' WHEN 2 THEN 'expired' END,
    profit_loss_pct = CASE id % 4 WHEN 0 THEN 2.5 WHEN 1 THEN -1.5 WHEN 2 THEN 0.1 END,
    confidence = 60 + id % 41, strategy = 'strategy ' || (id % 5)
"""
"""Gives the rows outcomes, confidences and strategies."""
NOT_SUMMED = 5_000
"""Signals that wait for the task meanwhile: a thousand a second between two runs."""
BYTES_PER_SIGNAL = 1_000
"""Of disk, with indexes and sums."""
ROUNDS = 5
MANY_YEARS = {"since": "2011-02-03T00:00:00Z", "until": "2028-11-12T23:59:59Z"}
ASKED = {
    "by symbol": {"by": "symbol"},
    "by symbol and strategy": {"by": "symbol,strategy"},
    "by outcome and confidence": {"by": "outcome,confidence"},
    "by day": {"by": "day"},
    "by symbol, from one moment to another": {
        "by": "symbol",
        "since": "2010-02-03T04:05:06Z",
        "until": "2028-11-12T13:14:15Z",
    },
    "by symbol and strategy, within years": {"by": "symbol,strategy", **MANY_YEARS},
    "by day, of one symbol": {"by": "day", "symbol": "AAPL"},
}


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure the answers of the sums with some signals that are not summed, and a scan."""
    count = workspace.size(10_000_000, 300_000)
    summing = _prepare(count)
    of = f"{count:,} signals"
    for what, asked in ASKED.items():
        answer = partial(stats, StatsQuery.model_validate(asked))
        yield at_most(f"statistics {what}, {of}", _milliseconds(answer), 150, " ms")
    yield at_most(f"totals for metrics, {of}", _milliseconds(totals), 50, " ms")
    yield at_most(f"/metrics, {of}", _median(_scraped), 50, " ms")
    yield at_most(f"/api/metrics/summary, {of}", _median(_summarized), 150, " ms")
    scan = partial(stats, StatsQuery(by="symbol", action="BUY"))
    taken = f"{number(_milliseconds(scan, exact=False))} ms"
    yield Figure("- statistics that are a scan of the newest 50,000", taken)
    yield from lists.figures(of)
    yield Figure(f"- {of} summed for the first time", rate(count / summing))
    yield Figure(f"- sums of {of}", number(SignalSum.objects.count()))


def _prepare(count: int) -> float:
    """Fill the database and sum it; return the seconds that the sums took."""
    needed = count * BYTES_PER_SIGNAL / 2**30
    say(f"  filling a database with {count:,} rows, which needs {needed:.1f} GiB of disk")
    database = settings.DATA_DIR / "signals.db"
    millions.fill(database, count)
    with millions.unprotected(database) as fast:
        fast.execute(VARIED)
    say("  summing them")
    taken = seconds(update_sums)
    samples.fill(journal(), NOT_SUMMED, first=0)
    flusher().flush()
    return taken


def _milliseconds(answer: Callable[[], Stats], *, exact: bool = True) -> float:
    """Return the median time of an answer."""
    assert answer().exact or not exact
    return _median(answer)


def _median(work: Callable[[], object]) -> float:
    """Return the median time in milliseconds, of calls after a first one."""
    work()
    return statistics.median(seconds(work) for _ in range(ROUNDS)) * 1000


def _scraped() -> None:
    assert b"argo_outcomes" in generate_latest(registry())


def _summarized() -> None:
    assert summary(timedelta(hours=1), utc_now()).generation_rate.signals
