"""The output of `up`: lines with an aligned prefix, coloured on a terminal."""

import os
from collections.abc import Sequence
from typing import TextIO

from django.core.management.color import supports_color
from django.utils.termcolors import colorize

from argo.logs.background import BackgroundWriter
from argo.logs.text import escaped_line

COLOURS = ("green", "cyan", "magenta", "yellow", "blue")


class Output:
    """Prints whole lines to `stream`, from any thread, without waiting for it.

    `names` are the prefixes that will be used: they are aligned, and each has its colour. When the
    pipe or terminal is closed, `is_lost` becomes true and lines are dropped.
    """

    def __init__(self, stream: TextIO, names: Sequence[str], *, coloured: bool) -> None:
        self.is_lost = False
        self._stream = stream
        self._width = max(len(name) for name in names)
        self._colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
        self._coloured = coloured
        self._own_name = names[0]
        self._writer = BackgroundWriter(self._write, self._dropped)

    def print(self, name: str, text: str) -> None:
        """Print the lines of `text`, except empty ones, with `name` as the prefix."""
        lines = [line for line in text.split("\n") if line.strip()]
        if lines:
            self._writer.put("".join(self._line(name, line) for line in lines))

    def finish(self) -> None:
        """Wait a moment until all lines are printed."""
        self._writer.finish()

    def _line(self, name: str, line: str) -> str:
        prefix = f"{name:<{self._width}} | "
        if self._coloured:
            prefix = colorize(prefix, fg=self._colours.get(name, "white"))
        return f"{prefix}{escaped_line(line)}\n"

    def _write(self, text: str) -> None:
        if self.is_lost:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self.is_lost = True

    def _dropped(self, count: int) -> str:
        text = f"{count} lines are missing here, because nothing read them in time."
        return self._line(self._own_name, text)


def wants_colour(stream: TextIO) -> bool:
    """Return whether `stream` is a terminal that shows colours and NO_COLOR is not set."""
    return stream.isatty() and supports_color() and "NO_COLOR" not in os.environ
