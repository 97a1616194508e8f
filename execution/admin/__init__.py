"""The admin pages of execution: look at everything, halt trading, cancel and close."""

from execution.admin import accounts, decisions, inlines, trades

__all__ = ["accounts", "decisions", "inlines", "trades"]
