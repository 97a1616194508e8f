"""The admin pages: signals, candidates, spellings, dead letters, changes, cursors, keys, nodes."""

from signals.admin import candidates, instruments, ledger, nodes, signals

__all__ = ["candidates", "instruments", "ledger", "nodes", "signals"]
