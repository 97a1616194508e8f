"""The checkpoints that can stand in a proof, with the cosignatures that they have."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from argo.errors import Conflict, FieldError, InvalidInput
from signals.models import RecordCheckpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note, parse_note, signature_line
from signals.record.quorum import Quorum, parse_quorum
from signals.record.signing import with_cosignatures

CHUNK = 50
"""Checkpoints that are read at once."""


class Cosigned(NamedTuple):
    """A signed checkpoint of `size` with all cosignatures, and the names of who cosigned."""

    size: int
    root: bytes
    note: Note
    witnesses: frozenset[str]


def quorum() -> Quorum:
    """Return the witnesses of the settings. Raises InvalidInput if one cannot be read."""
    try:
        return parse_quorum(settings.RECORD_WITNESSES, settings.RECORD_WITNESSES_NEEDED)
    except BadRecord as error:
        raise InvalidInput([FieldError("RECORD_WITNESSES", str(error))]) from None


def cosigned(row: RecordCheckpoint) -> Cosigned:
    """Return a stored checkpoint with its cosignatures."""
    rows = sorted(row.cosignatures.all(), key=lambda each: each.pk)
    note = with_cosignatures(
        parse_note(row.note.encode()), *(signature_line(each.line) for each in rows)
    )
    names = frozenset(each.witness for each in rows if each.time is not None)
    return Cosigned(row.size, bytes(row.root), note, names)


def witnessed(rows: QuerySet[RecordCheckpoint]) -> Iterator[Cosigned]:
    """Yield those of the rows that enough witnesses have cosigned, in the order of the rows."""
    enough = quorum()
    cosigned_ones = rows.filter(cosignatures__time__isnull=False).distinct()
    for row in cosigned_ones.prefetch_related("cosignatures").iterator(chunk_size=CHUNK):
        found = cosigned(row)
        if enough.is_reached(found.witnesses):
            yield found


def earliest_with(index: int, using: str = "default") -> Cosigned:
    """Return the first witnessed checkpoint that holds an entry, which proves the earliest time.

    Without one it is the last checkpoint that was signed. Raises Conflict if none holds the entry.
    """
    rows = RecordCheckpoint.objects.using(using).filter(size__gt=index).order_by("size")
    found = next(witnessed(rows), None) or latest(using)
    if found is None or found.size <= index:
        raise Conflict(f"Entry {index} is not in a signed checkpoint yet: try again in a moment.")
    return found


def latest(using: str = "default") -> Cosigned | None:
    """Return the last checkpoint that was signed."""
    rows = RecordCheckpoint.objects.using(using).prefetch_related("cosignatures")
    row = rows.order_by("-size").first()
    return None if row is None else cosigned(row)


def latest_witnessed(using: str = "default") -> Cosigned | None:
    """Return the last checkpoint that enough witnesses have cosigned."""
    return next(witnessed(RecordCheckpoint.objects.using(using).order_by("-size")), None)


def witnessed_before(index: int, most: int, using: str = "default") -> list[int]:
    """Return the sizes of the last witnessed checkpoints that hold nothing from `index` on."""
    rows = RecordCheckpoint.objects.using(using).filter(size__lte=index).order_by("-size")
    return [each.size for each in islice(witnessed(rows), most)]
