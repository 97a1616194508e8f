"""Nodes that share one database and one record."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.signals.record.log.helpers import ORIGIN, Node


@pytest.fixture
def node(tmp_path: Path, using: str) -> Iterator[Node]:
    """Return the node that signs; its record has begun."""
    made = Node(tmp_path / "one", using)
    made.publish()
    yield made
    made.journal.close()


@pytest.fixture
def other(tmp_path: Path, using: str) -> Iterator[Node]:
    made = Node(tmp_path / "two", using)
    yield made
    made.journal.close()


@pytest.fixture
def own(tmp_path: Path, settings: Settings) -> Iterator[Node]:
    """Return this installation, as the settings have it, which signs and shows its record."""
    settings.RECORD_ORIGIN, settings.RECORD_PUBLIC = ORIGIN, True
    made = Node(tmp_path, "default")
    made.publish()
    yield made
    made.journal.close()
