"""Counters and histograms of intake, storage and generation, in Prometheus's terms.

Labels have few values, whatever signals come: no symbol, no strategy, no key.
"""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache

from prometheus_client import Counter, Histogram

DOORS = frozenset(
    {"api", "python", "generator", "replay", "import", "import-sync", "adopted", "command", "hook"}
)
"""The origins that have a label of their own; a caller may use any other, which is `other`."""
LATENCY_BOUNDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Seconds; 0.5 is the seed's target."""
COMMIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
BATCH_BOUNDS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)


class BatchHistogram(Histogram):
    """A histogram that takes many observations at once."""

    def observe_each(self, amounts: Iterable[float]) -> None:
        """Observe all `amounts`, with one step for each bound instead of one for each amount."""
        ordered, start = sorted(amounts), 0
        for bound, bucket in zip(self._upper_bounds, self._buckets, strict=True):
            end = bisect_right(ordered, bound, start)
            if end > start:
                bucket.inc(end - start)
            start = end
        if ordered:
            self._sum.inc(sum(ordered))


ACCEPTED = Counter(
    "argo_signals_accepted", "Signals that were acknowledged: they are in the journal", ["door"]
)
SYNCHRONOUS = Counter(
    "argo_synchronous_calls",
    "Calls of log_signal and log_signals, which make their caller wait for the database",
    ["door"],
)
REFUSED = Counter(
    "argo_signals_refused", "Signals and requests that were not accepted", ["door", "reason"]
)
GENERATED = Counter("argo_signals_generated", "Signals that the consensus made")
REJECTED = Counter(
    "argo_candidates_rejected", "Candidates that validation rejected, by each reason", ["reason"]
)
STORAGE_LATENCY = BatchHistogram(
    "argo_storage_latency_seconds",
    "Time from the call that logs a live signal to the insert of its row",
    buckets=LATENCY_BOUNDS,
)
FLUSH_COMMIT = Histogram(
    "argo_flush_commit_seconds", "Time that the commit of a batch takes", buckets=COMMIT_BOUNDS
)
FLUSH_BATCH = Histogram(
    "argo_flush_batch_lines", "Journal lines in one transaction", buckets=BATCH_BOUNDS
)
FLUSHED = Counter(
    "argo_flush_lines", "Journal lines that a flush processed, by their result", ["result"]
)
OUTCOMES = Counter(
    "argo_outcomes_recorded", "Outcomes that were recorded or changed on this node", ["outcome"]
)


def accepted(origin: str, count: int) -> None:
    """Count signals that were acknowledged."""
    _accepted_at(door(origin)).inc(count)


@cache
def _accepted_at(name: str) -> Counter:
    """Return the counter of a door; to look it up among the labels costs more than to count."""
    return ACCEPTED.labels(name)


def synchronous(origin: str) -> None:
    """Count a call that waits for the rows of its signals."""
    SYNCHRONOUS.labels(door(origin)).inc()


def refused(origin: str, reason: str, count: int = 1) -> None:
    """Count refusals. `reason` is one of a few codes."""
    REFUSED.labels(door(origin), reason).inc(count)


def rejected(reasons: Iterable[str]) -> None:
    """Count a candidate that validation rejected, once for each reason."""
    for reason in reasons:
        REJECTED.labels(reason).inc()


def flushed(*, stored: int, duplicates: int, changes: int, dead: int) -> None:
    """Count the lines of one batch by their result."""
    results = {"stored": stored, "duplicate": duplicates, "change": changes, "dead": dead}
    for result, count in results.items():
        if count:
            FLUSHED.labels(result).inc(count)
    FLUSH_BATCH.observe(sum(results.values()))


def door(origin: str) -> str:
    """Return the label for an origin."""
    return origin if origin in DOORS else "other"
