"""A small installation to back up, and an empty one to restore into; on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections

from signals.backup import Installation, Manifest, back_up, database
from signals.journal import Journal
from signals.tracker import SignalTracker
from tests.databases import empty_postgresql
from tests.samples import signals

VERSION = "0.2.0"
RESTORED = "restored"


@pytest.fixture
def source(journal: Journal, tracker: SignalTracker, using: str) -> Installation:
    """Return an installation with three signals, one segment of them sealed."""
    journal.path.with_name("secret.key").write_text("a secret")
    for signal in signals(3):
        tracker.log_signal(signal)
    journal.path.rename(journal.segments.sealed_path(1))
    tracker.log_signal(signals(1)[0])
    return Installation(database(using), journal)


@pytest.fixture
def backup(source: Installation, tmp_path: Path) -> Path:
    """Return the folder of a backup of it."""
    folder = tmp_path / "backup"
    back_up(folder, source, VERSION)
    return folder


@pytest.fixture
def target(tmp_path: Path, using: str) -> Iterator[Installation]:
    """Return an installation with nothing in it, in another folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with _another(using, folder) as alias:
        journal = Journal(folder / "signals.log")
        yield Installation(database(alias), journal)
        journal.close()


@contextmanager
def _another(using: str, folder: Path) -> Iterator[str]:
    """Set up one more database, which is empty."""
    own = dict(connections.databases[using])
    if using == "default":
        yield from _with_alias(own | {"NAME": str(folder / "signals.db")})
    else:
        with empty_postgresql() as url:
            yield from _with_alias(own | {"NAME": url.rpartition("/")[2]})


def _with_alias(settings: dict[str, object]) -> Iterator[str]:
    connections.databases[RESTORED] = settings
    try:
        yield RESTORED
    finally:
        connections[RESTORED].close()
        del connections[RESTORED]
        del connections.databases[RESTORED]


def names(manifest: Manifest) -> set[str]:
    """Return the names of its files."""
    return set(manifest.files)
