"""The admin pages of signals, candidates, dead letters, outcome changes, cursors and keys."""

from signals.admin import candidates, ledger, signals

__all__ = ["candidates", "ledger", "signals"]
