"""Durable intake in one process, compared with Django's `create` and the seed's tracker."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from django.db import models

from signals.ledger.records import SIGNAL_COLUMNS
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.benchmarks import bare, samples
from tests.benchmarks.figures import Figure, times_as_fast
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.seed_tracker import SeedTracker
from tests.benchmarks.workspace import Workspace

TASKS = 1000
Log = Callable[[dict[str, Any]], Awaitable[str]]


def run(workspace: Workspace) -> Iterator[Figure]:
    """Let 1,000 tasks await `log_signal_async` repeatedly."""
    found = medians(workspace.size(7, 3), _sides(workspace))
    argo = found["Argo"]
    what = f"durable intake, {TASKS:,} asyncio tasks in one process"
    yield times_as_fast(what, argo, found["create"], target=15, name="Signal.objects.create")
    yield times_as_fast(
        what, argo, found["seed"], target=3.5, name="the seed's tracker (not durable)"
    )


def _sides(workspace: Workspace) -> dict[str, Callable[[int], float]]:
    """Return the sides; each keeps its store through all rounds, as a running system does."""
    many, few = workspace.size(40_000, 10_000), workspace.size(2000, 500)
    numbers = itertools.count()
    tracker = SignalTracker("python")
    seed = SeedTracker(workspace.folder / "seed")

    def fresh(count: int) -> list[dict[str, Any]]:
        return samples.signals(count, next(numbers) * many)

    return {
        "Argo": lambda number: _awaited(tracker.log_signal_async, fresh(many)),
        "seed": lambda number: _awaited(seed.log_signal_async, fresh(many)),
        "create": lambda number: _created(fresh(few)),
    }


def _awaited(log: Log, signals: list[dict[str, Any]]) -> float:
    """Return signals a second."""
    shares = [signals[number::TASKS] for number in range(TASKS)]
    return len(signals) / seconds(lambda: asyncio.run(_log_all(log, shares)))


async def _log_all(log: Log, shares: list[list[dict[str, Any]]]) -> None:
    await asyncio.gather(*(_log_each(log, share) for share in shares))


async def _log_each(log: Log, share: list[dict[str, Any]]) -> None:
    for signal in share:
        await log(signal)


def _created(signals: list[dict[str, Any]]) -> float:
    """Return rows a second of `Signal.objects.create`, called past the model's own refusal."""
    rows = [dict(zip(SIGNAL_COLUMNS, row, strict=True)) for row in bare.signal_rows(signals)]
    return len(rows) / seconds(lambda: _create_all(rows))


def _create_all(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        models.Model.save(Signal(**row), force_insert=True)
