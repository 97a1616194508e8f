"""Where a signal is in the public record, and what is proved of the time at which it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from signals.models import RecordCheckpoint, RecordEntry
from signals.record.formats.checkpoints import cosigned_at, digest_of_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note, parse_note
from signals.record.log.disk import FOLDER
from signals.record.log.standing import standing_of
from signals.record.proving.checkpoints import cosigned, quorum
from signals.record.proving.kept import CHECKPOINTS
from signals.record.quorum import Quorum
from signals.record.verifier.brackets import posix

MOST_LOOKED_AT = 100
"""Checkpoints that are looked at for a bracket; they are an hour apart."""


@dataclass(frozen=True)
class Place:
    """The entry of a signal.

    `kind` is `signal` or `history`, `at` the time that the entry has. `signed_size` is the size of
    the first checkpoint here that holds it; None if none does yet. The signal was entered after
    `made_after` and existed by `existed_by`, as the witnesses have signed; None if that is not
    proved.
    """

    entry: int
    kind: str
    at: datetime
    signed_size: int | None
    made_after: datetime | None
    existed_by: datetime | None


def place_of(signal: int, using: str = "default") -> Place | None:
    """Return the place of a signal, by its primary key; None if it has no entry.

    Raises InvalidInput if the settings name a witness that cannot be read.
    """
    standing = standing_of(signal, using)
    if standing is None:
        return None
    return Place(
        standing.entry,
        standing.kind,
        standing.at,
        standing.signed.size if standing.signed else None,
        _made_after(standing.mark, using),
        _existed_by(standing.entry, using),
    )


def _existed_by(entry: int, using: str) -> datetime | None:
    """Return when enough witnesses had signed the first checkpoint that they did of an entry."""
    enough = quorum()
    larger = RecordCheckpoint.objects.using(using).filter(size__gt=entry).order_by("size")
    rows = larger.filter(cosignatures__time__isnull=False).distinct()
    for row in rows.prefetch_related("cosignatures")[:MOST_LOOKED_AT]:
        times = sorted(_times(cosigned(row).note, enough).values())
        if 0 < enough.least <= len(times):
            return posix(times[enough.least - 1])
    return None


def _made_after(mark: int | None, using: str) -> datetime | None:
    """Return the time that a mark proves: nobody could know it earlier."""
    note = None if mark is None else _marked(RecordEntry.objects.using(using).get(pk=mark), using)
    if note is None:
        return None
    enough = quorum()
    times = sorted(_times(note, enough).values(), reverse=True)
    return posix(times[enough.least - 1]) if 0 < enough.least <= len(times) else None


def _marked(mark: RecordEntry, using: str) -> Note | None:
    """Return the checkpoint that a mark is of; None if this machine does not have it."""
    digest = bytes(mark.digest or b"").hex()
    try:
        kept = Path(settings.DATA_DIR) / FOLDER / CHECKPOINTS / digest
        return parse_note(kept.read_bytes())
    except (FileNotFoundError, BadRecord):
        pass  # another machine signs, and keeps it
    rows = RecordCheckpoint.objects.using(using).filter(is_marked=True, size__lte=mark.pk)
    for row in rows.order_by("-size").prefetch_related("cosignatures")[:MOST_LOOKED_AT]:
        note = cosigned(row).note
        if digest_of_checkpoint(note.encoded()) == digest:
            return note
    return None


def _times(note: Note, enough: Quorum) -> Mapping[str, int]:
    """Return when each witness of the settings cosigned, in POSIX time."""
    found = ((each.name, cosigned_at(note, each.key)) for each in enough.witnesses)
    return {name: at for name, at in found if at is not None}
