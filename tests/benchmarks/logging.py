"""A flush that logs at the seed's levels, compared with one whose log is off."""

import logging
from collections.abc import Callable, Iterator

from signals.config import journal, stored_handlers
from signals.ledger.flush import Flusher
from tests.benchmarks import samples
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace

STORAGE = logging.getLogger("signals")


def run(workspace: Workspace) -> Iterator[Figure]:
    """Flush in turns with the log off, at INFO (the default), and at DEBUG with all its lines."""
    found = medians(workspace.size(15, 5), _sides(workspace.size(50_000, 20_000)))
    yield at_most(
        "cost of a flush with the log's usual levels, to one with the log off",
        found["usual"] / found["off"],
        1.02,
        " times",
    )
    yield Figure(
        "- with a line for every signal (storage=DEBUG)",
        f"{found['all'] / found['off']:.4g} times",
    )


def _sides(count: int) -> dict[str, Callable[[int], float]]:
    levels = {"off": logging.CRITICAL + 1, "usual": logging.INFO, "all": logging.DEBUG}
    return {name: _side(level, at, count) for at, (name, level) in enumerate(levels.items())}


def _side(level: int, at: int, count: int) -> Callable[[int], float]:
    return lambda number: _flushed(level, count, first=(3 * number + at) * count)


def _flushed(level: int, count: int, first: int) -> float:
    """Return the seconds of a flush."""
    flusher = Flusher(journal(), handlers=stored_handlers())
    samples.fill(journal(), count, first)
    STORAGE.setLevel(level)
    try:
        return seconds(flusher.flush)
    finally:
        STORAGE.setLevel(logging.NOTSET)
