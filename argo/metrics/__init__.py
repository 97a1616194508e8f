"""Metrics: the counters of all processes of this node, and figures from the database."""
