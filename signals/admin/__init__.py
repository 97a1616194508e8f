"""The admin pages: signals and their outcomes, candidates, calibrations, spellings, dead letters,
changes, cursors, keys, nodes, trials, senders and alerts."""

from signals.admin import (
    alerts,
    calibrations,
    candidates,
    instruments,
    ledger,
    nodes,
    senders,
    signals,
    trials,
)

__all__ = [
    "alerts", "calibrations", "candidates", "instruments", "ledger", "nodes", "senders",
    "signals", "trials",
]  # fmt: skip
