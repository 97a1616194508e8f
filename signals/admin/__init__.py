"""The admin pages of signals, candidates, instruments, dead letters, outcome changes, cursors and keys."""

from signals.admin import candidates, instruments, ledger, signals

__all__ = ["candidates", "instruments", "ledger", "signals"]
