"""Tracebacks as lines in which an error's message cannot pretend to be another line."""

from collections.abc import Iterator
from traceback import TracebackException
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
MAX_LINES = 200
"""Of a longer traceback the first lines and the last ones are kept."""
CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"


def traceback_lines(error: ExcInfo) -> list[str]:
    """Return the lines of a traceback, oldest error first, as Python prints them.

    Each error's message and each of its notes is one item, even if it contains line breaks.
    """
    lines = list(_chain(TracebackException(*error, compact=True)))
    left_out = len(lines) - MAX_LINES
    if left_out <= 0:
        return lines
    half = MAX_LINES // 2
    return [*lines[:half], f"... {left_out} lines are left out ...", *lines[-half:]]


def _chain(error: TracebackException) -> Iterator[str]:
    if error.__cause__ is not None:
        yield from _chain(error.__cause__)
        yield CAUSE
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _chain(error.__context__)
        yield CONTEXT
    yield from _one(error)


def _one(error: TracebackException) -> Iterator[str]:
    if error.stack:
        yield "Traceback (most recent call last):"
    for entry in error.stack.format():
        yield from entry.rstrip("\n").split("\n")
    for message in error.format_exception_only():
        yield message.rstrip("\n")
    for number, each in enumerate(error.exceptions or (), 1):
        yield f"  {number} of the group:"
        yield from (f"  {line}" for line in _chain(each))
