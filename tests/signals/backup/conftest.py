"""A small installation to back up, and an empty one to restore into; on both databases.

Nothing writes to PostgreSQL's: it is migrated once.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from signals.backup import Installation, back_up, database
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from tests.databases import Spares, name_of
from tests.samples import signals

VERSION = "0.2.0"
ORIGIN, ON_SERVER, RESTORED = "origin", "server", "restored"
ON_BOTH = pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)


@pytest.fixture
def kind() -> str:
    """Run a test on SQLite only, if it is not marked ON_BOTH."""
    return "sqlite"


@pytest.fixture(autouse=True)
def with_databases(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def tracker(journal: Journal) -> SignalTracker:
    """Return a tracker that logs to the installation with SQLite."""
    return SignalTracker.with_parts(journal, Flusher(journal, using=ORIGIN), origin="python")


@pytest.fixture
def source(
    kind: str,
    journal: Journal,
    migrated_folder: Path,
    tmp_path: Path,
    tracker: SignalTracker,
    request: pytest.FixtureRequest,
) -> Iterator[Installation]:
    """Return an installation with four signals and two segments; SQLite has read them."""
    journal.path.with_name("secret.key").write_text("a secret")
    shutil.copy(migrated_folder / "signals.db", tmp_path / "signals.db")
    with _set_up(ORIGIN, "default", NAME=str(tmp_path / "signals.db")):
        for number, signal in enumerate(signals(4)):
            tracker.log_signal(signal)
            if number == 2:
                journal.path.rename(journal.segments.sealed_path(1))
        if kind == "sqlite":
            yield Installation(database(ORIGIN), journal)
            return
        name = name_of(request.getfixturevalue("migrated_postgresql"))
        with _set_up(ON_SERVER, "postgresql", NAME=name):
            yield Installation(database(ON_SERVER), journal)


@pytest.fixture
def backup(source: Installation, tmp_path: Path) -> Path:
    """Return the folder of a backup of it."""
    folder = tmp_path / "backup"
    back_up(folder, source, VERSION)
    return folder


@pytest.fixture
def target(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Return an installation with nothing in it, in another folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    journal = Journal(folder / "signals.log")
    with ExitStack() as stack:
        like, name = "default", str(folder / "signals.db")
        if kind == "postgresql":
            spares: Spares = request.getfixturevalue("spares")
            like, name = "postgresql", name_of(stack.enter_context(spares.empty()))
        stack.enter_context(_set_up(RESTORED, like, NAME=name))
        yield Installation(database(RESTORED), journal)
    journal.close()


@contextmanager
def _set_up(alias: str, like: str, **changes: str) -> Iterator[None]:
    """Give Django one more database."""
    connections.databases[alias] = connections.databases[like] | changes
    try:
        yield
    finally:
        connections[alias].close()
        if dispose := getattr(connections[alias], "dispose_pool", None):
            dispose()
        del connections[alias]
        del connections.databases[alias]
