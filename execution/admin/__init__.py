"""The admin site's pages of execution: to look at all of it, and to stop what is under way."""

from execution.admin import accounts, decisions, inlines, trades

__all__ = ["accounts", "decisions", "inlines", "trades"]
