"""What a person decides about the record: who signs it, if it goes on, and how it ends."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from django.db import connections, transaction

from argo.errors import Conflict, NotFound
from signals import acts
from signals.models import RecordHead
from signals.record.formats.entries import Entry
from signals.record.formats.notes import parse_note
from signals.record.log.checkpoints import last_checkpoint
from signals.record.log.drafts import draft_of
from signals.record.log.opening import Opening
from signals.record.log.tables import HEAD, append, head_of, locked_head
from signals.rows import update
from signals.timestamps import utc_text

ABOUT = "the public record"
TABLES = (
    "record_cosignatures", "record_checkpoints", "record_names", "record_runs", "record_cursors",
    "record_entries", "record_heads",
)  # fmt: skip


class Ended(NamedTuple):
    """A record that has ended: its origin, and its last checkpoint with the signatures."""

    origin: str
    note: str


def claim(opening: Opening, now: datetime) -> None:
    """Let this data folder sign from now on. Raises NotFound if there is no record."""
    with transaction.atomic(using=opening.using):
        head = _head(opening)
        update(RecordHead, HEAD, {"owner": opening.owner, "refused": ""}, using=opening.using)
        _keep(f"signed from {opening.owner}", head.owner, now)


def resume(opening: Opening, now: datetime) -> int:
    """Go on from the last checkpoint in the database, although the folder is lost.

    Return its size. Raises Conflict if the folder is there, and NotFound without a checkpoint.
    """
    last = last_checkpoint(opening.using)
    if last is None:
        raise NotFound("The database has no signed checkpoint to go on from.")
    if opening.disk.last() is not None:
        raise Conflict("data/record is there: the record goes on by itself.")
    with transaction.atomic(using=opening.using):
        _keep(f"resumed from its checkpoint of {last.size} entries", "", now)
        opening.disk.keep_signed(parse_note(last.note.encode()))
    return last.size


def begin_anew(opening: Opening, now: datetime) -> Ended | None:
    """End the record of another origin, and begin that of RECORD_ORIGIN; return the old one.

    The first entry of the new one names the old one with its last checkpoint. Killed in between, it
    goes on when it is called again. Raises Conflict if there is nothing to end, or if a record of
    this origin has ended already.
    """
    if opening.disk.has_ended(_ended_name(opening.origin)):
        raise Conflict(
            f"A record of {opening.origin} has ended already: a second one would contradict it. "
            "Set RECORD_ORIGIN to another origin."
        )
    head, on_disk = head_of(opening.using), opening.disk.last()
    origins = {head.origin if head else "", on_disk.checkpoint.origin if on_disk else ""}
    if not (others := origins - {"", opening.origin}):
        raise Conflict(f"There is no record of another origin than {opening.origin} to end.")
    ended = None
    if head is None or head.origin != opening.origin:
        ended = _ended(opening, head)
        _replace(opening, ended, now)
    for origin in others:
        opening.keys.retire(_ended_name(origin))
        opening.disk.put_away(_ended_name(origin))
    return ended


def _head(opening: Opening) -> RecordHead:
    head = locked_head(opening.using)
    if head is None:
        raise NotFound("There is no record in the database.")
    return head


def _ended(opening: Opening, head: RecordHead | None) -> Ended:
    """Return the record that ends, with its largest checkpoint: of the database, or on disk."""
    last, on_disk = last_checkpoint(opening.using), opening.disk.last()
    if on_disk is not None and (last is None or on_disk.size > last.size):
        return Ended(on_disk.checkpoint.origin, on_disk.note.encoded().decode())
    origin = head.origin if head else ""
    return Ended(origin, last.note if last else f"{origin}\n")


def _replace(opening: Opening, ended: Ended, now: datetime) -> None:
    entry = Entry(utc_text(now), "key", note=ended.note)
    with transaction.atomic(using=opening.using):
        locked_head(opening.using)
        forget(opening.using)
        head = RecordHead.objects.using(opening.using).create(
            pk=HEAD, origin=opening.origin, owner=opening.owner, begun_at=now, entered_at=now
        )
        append(head, [draft_of(entry)], now, opening.using)
        _keep(f"begun anew as {opening.origin}", ended.origin, now)


def forget(using: str) -> None:
    """Delete everything that the tables have of the record."""
    with connections[using].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def _ended_name(origin: str) -> str:
    return f"record-ended-{hashlib.sha256(origin.encode()).hexdigest()[:12]}"


def _keep(what: str, before: str, now: datetime) -> None:
    acts.record(acts.Kind.OTHER, ABOUT, who=acts.COMMAND_LINE, at=now, before=before, after=what)
