"""Nodes that share one database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.signals.feed.helpers import Node


@pytest.fixture
def node(tmp_path: Path, using: str) -> Iterator[Node]:
    made = Node(tmp_path / "one", using)
    yield made
    made.journal.close()


@pytest.fixture
def other(tmp_path: Path, using: str) -> Iterator[Node]:
    made = Node(tmp_path / "two", using)
    yield made
    made.journal.close()
