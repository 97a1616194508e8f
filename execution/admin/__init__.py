"""The admin pages of execution: look at everything, halt trading, cancel and close."""

from execution.admin import accounts, corporate, decisions, inlines, trades

__all__ = ["accounts", "corporate", "decisions", "inlines", "trades"]
