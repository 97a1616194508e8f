"""Proves what the record holds: one line of a journal, or all entries of a time."""
