"""The admin site's pages of signals, candidates, and what the ledger keeps beside them."""

from signals.admin import candidates, ledger, signals

__all__ = ["candidates", "ledger", "signals"]
