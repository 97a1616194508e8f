"""Loggers whose lines a test reads."""

import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from argo.logs.lines import line_formatter


class Lines(logging.Handler):
    """A handler that makes the lines of the real one, and keeps them."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.setFormatter(line_formatter(style))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def last(self) -> str:
        return self.lines[-1]

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the last line, which is JSON."""
        found: dict[str, Any] = orjson.loads(self.last)
        return found


def _added(style: str) -> Iterator[Lines]:
    handler, root = Lines(style), logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


@pytest.fixture
def text_log() -> Iterator[Lines]:
    """Return the log's lines as text."""
    yield from _added("text")


@pytest.fixture
def json_log() -> Iterator[Lines]:
    """Return the log's lines as JSON."""
    yield from _added("json")
