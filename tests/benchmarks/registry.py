"""The names of the benchmarks, in the order in which they run."""

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol

from tests.benchmarks.figures import Figure
from tests.benchmarks.workspace import Workspace

NAMES = (
    "appending",
    "intake",
    "flush",
    "drain",
    "nodes",
    "logging",
    "idle",
    "metrics",
    "api",
    "hooks",
    "latency",
    "durability",
    "feed",
    "record",
    "pages",
    "backlog",
    "growth",
    "stats",
    "verify",
    "generation",
    "reports",
    "sync",
    "sync_backlog",
    "execution",
    "decisions",
    "backtest",
)


class Benchmark(Protocol):
    """Measures in its own workspace and yields its figures."""

    def __call__(self, workspace: Workspace) -> Iterator[Figure]: ...


def load(name: str) -> Benchmark:
    """Return the benchmark's `run`; Django must be set up."""
    found: Benchmark = import_module(f"tests.benchmarks.{name}").run
    return found
