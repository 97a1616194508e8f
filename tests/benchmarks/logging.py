"""A flush that logs at the seed's levels, compared with one whose log is off."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argo.logs.handler import BackgroundHandler
from argo.logs.lines import line_formatter
from signals.config import journal, stored_handlers
from signals.ledger.flush import Flusher
from tests.benchmarks import samples
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.rounds import medians
from tests.benchmarks.workspace import Workspace

STORAGE = logging.getLogger("signals")


def run(workspace: Workspace) -> Iterator[Figure]:
    """Flush in turns with the log off, at INFO (the default), and at DEBUG with all its lines."""
    with _nothing_shown():
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


@contextmanager
def _nothing_shown() -> Iterator[None]:
    """Let the lines be made and written, but not to the terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    handler = BackgroundHandler(nowhere)
    handler.setFormatter(line_formatter("text"))
    STORAGE.addHandler(handler)
    STORAGE.propagate = False
    try:
        yield
    finally:
        STORAGE.removeHandler(handler)
        STORAGE.propagate = True
        handler.flush()
        os.close(nowhere)


def _sides(count: int) -> dict[str, Callable[[int], float]]:
    levels = {"off": logging.CRITICAL + 1, "usual": logging.INFO, "all": logging.DEBUG}
    return {name: _side(level, at, count) for at, (name, level) in enumerate(levels.items())}


def _side(level: int, at: int, count: int) -> Callable[[int], float]:
    return lambda number: _flushed(level, count, first=(3 * number + at) * count)


def _flushed(level: int, count: int, first: int) -> float:
    """Return a flush's seconds on the processor: other programs do not change them."""
    flusher = Flusher(journal(), handlers=stored_handlers())
    samples.fill(journal(), count, first)
    STORAGE.setLevel(level)
    began = time.process_time()
    try:
        flusher.flush()
    finally:
        STORAGE.setLevel(logging.NOTSET)
    return time.process_time() - began
