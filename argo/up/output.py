"""What `up` prints: lines with an aligned prefix, coloured on a terminal."""

import os
import threading
from collections.abc import Sequence
from typing import TextIO

from django.core.management.color import supports_color
from django.utils.termcolors import colorize

COLOURS = ("green", "cyan", "magenta", "yellow", "blue")


class Output:
    """Prints whole lines to `stream`, from any thread.

    `names` are the prefixes to come: they are aligned, and each has its colour. Once nobody
    reads any more (a closed pipe or terminal), `is_lost` is true and lines are dropped.
    """

    def __init__(self, stream: TextIO, names: Sequence[str], *, coloured: bool) -> None:
        self.is_lost = False
        self._stream = stream
        self._width = max(len(name) for name in names)
        self._colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
        self._coloured = coloured
        self._lock = threading.Lock()

    def tell(self, name: str, text: str) -> None:
        """Print `text`, line by line but for empty ones, as coming from `name`."""
        prefix = f"{name:<{self._width}} | "
        if self._coloured:
            prefix = colorize(prefix, fg=self._colours.get(name, "white"))
        with self._lock:
            for line in text.splitlines():
                if line.strip():
                    self._write(f"{prefix}{line}")

    def _write(self, line: str) -> None:
        if self.is_lost:
            return
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError:
            self.is_lost = True


def wants_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that shows colours, and the user has not declined them."""
    return stream.isatty() and supports_color() and "NO_COLOR" not in os.environ
