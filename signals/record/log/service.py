"""Builds what enters and what publishes from the settings."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from signals.config import journal
from signals.dialect import is_shared
from signals.journal import Journal
from signals.ledger.ownership import ensure_owner
from signals.locks import FileLock
from signals.record.log.disk import Disk, Signed
from signals.record.log.entering import Enterer
from signals.record.log.giving_way import FlushFirst
from signals.record.log.keys import KeyFiles
from signals.record.log.opening import Opening
from signals.record.log.publishing import Publisher
from signals.record.log.tables import head_of
from signals.wakeup import WakeUp

LOCK_FILE = "record.lock"
LINGER = 0.4
"""Seconds in which new lines wait for others, so that one transaction enters them all, and new
entries, so that one checkpoint holds them all: the flush has the database for itself between."""


def enterer() -> Enterer:
    """Return what enters the lines of this machine's journal; it lets the flush go first."""
    own = journal()
    return Enterer(
        own,
        max_lines=settings.SIGNAL_FLUSH_ROWS,
        guard=partial(ensure_owner, own),
        accounts=accounts,
        waits=_flush_first(own),
    )


@cache
def _flush_first(own: Journal) -> FlushFirst:
    """Return this process's turns, which go on from one task to the next."""
    return FlushFirst(own)


def enterer_of_past(source: Journal) -> Enterer:
    """Return what enters the lines of a journal that is adopted, as history."""
    return Enterer(source, accounts=accounts, is_past=True)


def accounts() -> Iterable[str]:
    """Return the names of the accounts that signals may be decided for."""
    found: Iterable[str] = import_string(settings.RECORD_ACCOUNTS)()
    return found


def publisher() -> Publisher | None:
    """Return what publishes the record; None if RECORD_ORIGIN is not set on this machine."""
    if not settings.RECORD_ORIGIN:
        return None
    return _publisher(settings.DATA_DIR, settings.RECORD_ORIGIN, settings.RECORD_HEARTBEAT)


@cache
def _publisher(folder: Path, origin: str, heartbeat: float) -> Publisher:
    """Return this process's publisher, which asks witnesses once."""
    return Publisher(opening(), FileLock(folder / LOCK_FILE), timedelta(seconds=heartbeat))


def opening() -> Opening:
    """Return what begins and goes on with the record of RECORD_ORIGIN."""
    return Opening(
        settings.RECORD_ORIGIN,
        owner_of(journal()),
        Disk(settings.DATA_DIR),
        KeyFiles(settings.DATA_DIR, settings.RECORD_ORIGIN),
        seen=_seen,
    )


def owner_of(source: Journal) -> str:
    """Return a name of a data folder that stays when the machine boots, and that no copy has.

    It is the journal's identity with the number that the file system gave to the folder.
    """
    identity = source.identity  # also makes the folder
    return f"{identity}:{source.path.parent.stat().st_ino:x}"


def _seen(origin: str) -> list[Signed]:
    return [each for path in settings.RECORD_SEEN_BY for each in import_string(path)(origin)]


def wake_enter(count: int) -> None:
    """Ask a worker to enter `count` more lines, if there is a record. Return at once."""
    has_worker = settings.RECORD_ORIGIN or is_shared("default")
    if count and has_worker and head_of() is not None:
        _enter_wakeup().notify(count)


def wake_publish(count: int) -> None:
    """Ask the machine that owns the record to publish `count` more entries. Return at once."""
    if count:
        _publish_wakeup().notify(count)


@cache
def _enter_wakeup() -> WakeUp:
    return WakeUp(
        "signals.tasks.enter_record",
        linger=LINGER,
        expires=settings.SIGNAL_BATCH_TIMEOUT,
    )


@cache
def _publish_wakeup() -> WakeUp:
    return WakeUp(
        "signals.tasks.publish_record",
        linger=LINGER,
        expires=settings.SIGNAL_BATCH_TIMEOUT,
    )
