"""A flusher on the database of the test, and a stored handler."""

from collections.abc import Iterator

import pytest

from signals.journal import Journal
from signals.ledger.flush import Flusher
from tests.signals.ledger.flush.helpers import Handled, execute


@pytest.fixture
def flusher(journal: Journal, using: str) -> Flusher:
    return Flusher(journal, using=using)


@pytest.fixture
def handled(using: str) -> Iterator[Handled]:
    execute(using, "CREATE TABLE handled (id bigint, signal_id text)")
    yield Handled(using)
    execute(using, "DROP TABLE handled")
