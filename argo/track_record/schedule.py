"""Publishes the track records once a day, in a process of its own: it takes long and gives way."""

import sys
from datetime import datetime, timedelta

from django.conf import settings

from argo.errors import ArgoError
from argo.track_record import failure
from argo.track_record.published import folder, published
from argo.up.child import Spec
from argo.up.once import run_once
from signals.files import make_folder
from signals.locks import FileLock, LockedByAnother

EVERY = timedelta(days=1)
STOP_TIMEOUT = 15.0
NICENESS = 10


class NotPublished(ArgoError):
    """The process that publishes failed."""


def publish_due(now: datetime) -> bool:
    """Publish if the last time is a day ago, or if other strategies are to be shown.

    Return whether that was done. A failure is kept for health, and the next call tries again.
    Raises NotPublished.
    """
    if not settings.RECORD_STRATEGIES or not _is_due(now):
        return False
    make_folder(folder())
    lock = FileLock(folder() / "publish.lock")
    try:
        lock.acquire()
    except LockedByAnother:  # another worker is at it
        return False
    try:
        return _publish()
    finally:
        lock.release()


def _is_due(now: datetime) -> bool:
    found = published()
    if found is None or set(found.records) != set(settings.RECORD_STRATEGIES):
        return True
    return now - datetime.fromisoformat(found.made_at) >= EVERY


def _publish() -> bool:
    command = (sys.executable, str(settings.BASE_DIR / "manage.py"), "publish_track_records")
    spec = Spec("track records", command, 0, STOP_TIMEOUT, once=True, niceness=NICENESS)
    if (ended := run_once(spec)) is None:
        return False
    if ended.code:
        failure.keep(ended.why)
        raise NotPublished(f"The track records were not published: {ended.why}")
    failure.clear()
    return True
