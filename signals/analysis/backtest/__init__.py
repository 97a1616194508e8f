"""Trades signals on past bars, each signal by itself: how it would have ended, and what it made."""
