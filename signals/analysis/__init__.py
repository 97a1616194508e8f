"""Figures of signals and of an equity: pure functions on numpy arrays, without a database.

Each figure is a `Figure`: its value, how many cases it counts, how sure it is, and its definition.
A figure that cannot be computed is None with the reason, never 0 or infinity.
"""
