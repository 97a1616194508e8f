"""Benchmarks of Argo and its references: `python -m tests.benchmarks` runs all of them."""

import argo  # noqa: F401  # first: it replaces the standard library's SQLite with a fixed one
