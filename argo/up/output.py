"""The output of `up`: lines with an aligned prefix, coloured on a terminal."""

import os
import threading
from collections.abc import Sequence
from typing import TextIO

from django.core.management.color import supports_color
from django.utils.termcolors import colorize

COLOURS = ("green", "cyan", "magenta", "yellow", "blue")


class Output:
    """Prints whole lines to `stream`, from any thread.

    `names` are the prefixes that will be used: they are aligned, and each has its colour. When the
    pipe or terminal is closed, `is_lost` becomes true and lines are dropped.
    """

    def __init__(self, stream: TextIO, names: Sequence[str], *, coloured: bool) -> None:
        self.is_lost = False
        self._stream = stream
        self._width = max(len(name) for name in names)
        self._colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
        self._coloured = coloured
        self._lock = threading.Lock()

    def print(self, name: str, text: str) -> None:
        """Print the lines of `text`, except empty ones, with `name` as the prefix."""
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
    """Return whether `stream` is a terminal that shows colours and NO_COLOR is not set."""
    return stream.isatty() and supports_color() and "NO_COLOR" not in os.environ
