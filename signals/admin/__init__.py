"""The admin pages of signals, candidates, spellings, dead letters, changes, cursors and keys."""

from signals.admin import candidates, instruments, ledger, signals

__all__ = ["candidates", "instruments", "ledger", "signals"]
