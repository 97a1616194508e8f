"""Argo beside what it is compared with: `python -m tests.benchmarks` runs it all."""

import argo  # noqa: F401  # first: it puts the fixed SQLite in place of the standard library's
