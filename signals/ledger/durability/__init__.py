"""Answers callers once their signals are in PostgreSQL, and so on a second machine.

`SIGNAL_DURABILITY=database`: a caller waits until a commit that covers its lines is confirmed.
"""
