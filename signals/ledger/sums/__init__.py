"""Sums of the signals by day and value: kept by a task, read by statistics, always remade."""
