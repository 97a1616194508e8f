"""Counters of decisions, in Prometheus's terms."""

from collections.abc import Iterable

from prometheus_client import Counter

from execution.types import Denial

DECISIONS = Counter(
    "argo_decisions", "Decisions by account and result: executed or skipped", ["account", "result"]
)
SKIPPED = Counter(
    "argo_decisions_skipped",
    "Skipped signals by account and reason; a signal counts once for each of its reasons",
    ["account", "reason"],
)


def executed(account: str) -> None:
    """Count a signal that is traded."""
    DECISIONS.labels(account, "executed").inc()


def skipped(account: str, why: Iterable[Denial]) -> None:
    """Count a signal that is not traded, and each reason."""
    DECISIONS.labels(account, "skipped").inc()
    for denial in why:
        SKIPPED.labels(account, denial.code).inc()
