"""Enters what the record says of itself: marks, heartbeats and keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connections, transaction

from signals.ahead import is_ahead
from signals.models import RecordHead
from signals.record.formats.entries import Entry
from signals.record.log.drafts import draft_of
from signals.record.log.refusals import FORK, RecordRefused
from signals.record.log.tables import append, is_open, locked_head
from signals.timestamps import utc_text


def enter_own(entries: Sequence[Entry], now: datetime, using: str = "default") -> int | None:
    """Enter these; return the index of the first, or None if the record is not open now.

    Raises BadRecord if the fields of an entry do not fit its kind.
    """
    drafts = list(map(draft_of, entries))
    with transaction.atomic(using=using):
        head = locked_head(using)
        if head is None or not is_open(head):
            return None
        return append(head, drafts, now, using)


def enter_mark(digest: str, now: datetime, using: str = "default") -> int | None:
    """Enter the digest, in hex, of a checkpoint with its cosignatures."""
    return enter_own([Entry(utc_text(now), "mark", digest=digest)], now, using)


def enter_heartbeat(
    head: RecordHead, every: timedelta, now: datetime, using: str = "default"
) -> int | None:
    """Enter a heartbeat if nothing was entered for so long; return its index, None if not."""
    if now - head.entered_at < every and not is_ahead(head.entered_at, now):
        return None
    with transaction.atomic(using=using):
        locked = locked_head(using)
        if locked is None or not is_open(locked) or locked.size != head.size:
            return None
        return append(locked, [draft_of(Entry(utc_text(now), "heartbeat"))], now, using)


def key_entry(verifier_key: str, now: datetime, using: str = "default") -> int | None:
    """Return the index of the entry of a new key; make it if there is none."""
    entry = Entry(utc_text(now), "key", note=verifier_key)
    with transaction.atomic(using=using):
        head = locked_head(using)
        if head is None or not is_open(head):
            return None
        note = draft_of(entry).note
        with connections[using].cursor() as cursor:
            cursor.execute(
                "SELECT max(id) FROM record_entries WHERE kind = 'key' AND note = %s", [note]
            )
            found: int | None = cursor.fetchone()[0]
        return append(head, [draft_of(entry)], now, using) if found is None else found


def stop(why: str, using: str = "default") -> RecordRefused:
    """Stop the record: nothing is entered or signed any more. Return the error to be raised."""
    with transaction.atomic(using=using):
        RecordHead.objects.using(using).filter(stopped="").update(stopped=why)
    return RecordRefused(FORK, why)
