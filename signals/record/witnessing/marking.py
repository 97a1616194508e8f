"""Marks checkpoints that enough witnesses have cosigned, or an authority has stamped.

The checkpoint with its cosignatures is kept in the record's folder under its digest, and a `mark`
enters that digest: nobody could know it earlier, so every later entry was made later.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from signals.locks import FileLock, LockedByAnother
from signals.models import RecordCheckpoint, RecordCosignature, RecordEntry
from signals.record.folder import TileFolder
from signals.record.formats.checkpoints import (
    cosigned_at,
    digest_of_checkpoint,
    first_signed,
    parse_checkpoint,
)
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note, parse_note
from signals.record.log.disk import Disk
from signals.record.log.own import enter_mark
from signals.record.log.service import LOCK_FILE
from signals.record.proving.checkpoints import cosigned, quorum
from signals.record.proving.kept import CHECKPOINTS
from signals.record.verifier.brackets import posix


def mark_witnessed(now: datetime, using: str = "default") -> int:
    """Keep and mark each checkpoint that enough witnesses have cosigned; return how many."""
    enough, marked = quorum(), 0
    rows = RecordCheckpoint.objects.using(using).filter(is_marked=False)
    rows = rows.filter(cosignatures__time__isnull=False).distinct().order_by("size")
    for row in rows.prefetch_related("cosignatures"):
        if enough.is_reached(cosigned(row).witnesses):
            marked += mark(row, now, using)
    return marked


def mark(row: RecordCheckpoint, now: datetime, using: str = "default") -> bool:
    """Keep a checkpoint with its cosignatures, show it, and enter its mark.

    Return False if it is marked already, or if the record takes no entries now.
    """
    note, folder = cosigned(row).note, Disk(Path(settings.DATA_DIR)).folder
    digest = digest_of_checkpoint(note.encoded())
    folder.keep(f"{CHECKPOINTS}/{digest}", note.encoded())
    _show(note, folder)
    with transaction.atomic(using=using):
        unmarked = RecordCheckpoint.objects.using(using).filter(pk=row.pk, is_marked=False)
        if not unmarked.exists() or enter_mark(digest, now, using) is None:
            return False
        unmarked.update(is_marked=True, kept=True)
    return True


def _show(note: Note, folder: TileFolder) -> None:
    """Show the cosignatures in the published checkpoint, unless a larger one is published."""
    lock = FileLock(Path(settings.DATA_DIR) / LOCK_FILE)
    with suppress(LockedByAnother):
        lock.acquire()
        try:
            published = folder.checkpoint()
            if published == parse_checkpoint(note.text):
                folder.publish(note)
        finally:
            lock.release()


def load_kept(using: str = "default") -> int:
    """Store the marked checkpoints that the database has lost, as after a rebuild; return how many.

    Only those are taken that the record has a mark of, and that the published tree continues.
    """
    disk, loaded = Disk(Path(settings.DATA_DIR)), 0
    last = disk.last()
    if last is None:
        return 0
    for note in _lost(disk.folder.path / CHECKPOINTS, using):
        with suppress(BadRecord):
            found = parse_checkpoint(note.text)
            tiles = disk.folder.tiles(last.size)
            if found.size <= last.size and tiles.hash_of(0, found.size) == found.root:
                _store(note, using)
                loaded += 1
    return loaded


def _lost(folder: Path, using: str) -> Iterator[Note]:
    """Yield the kept checkpoints with a mark that the database does not know as marked."""
    rows = RecordCheckpoint.objects.using(using).filter(is_marked=True)
    stored, marks = set(rows.values_list("size", flat=True)), set[str]()
    for path in sorted(folder.glob("*")):
        with suppress(BadRecord):
            note = parse_note(path.read_bytes())
            if parse_checkpoint(note.text).size in stored:
                continue
            marks = marks or _marks(using)
            if path.name in marks:
                yield note


def _marks(using: str) -> set[str]:
    rows = RecordEntry.objects.using(using).filter(kind=RecordEntry.Kind.MARK)
    return {bytes(digest or b"").hex() for digest in rows.values_list("digest", flat=True)}


def _store(note: Note, using: str) -> None:
    found = parse_checkpoint(note.text)
    times = {each.key: cosigned_at(note, each.key) for each in quorum().witnesses}
    known = [at for at in times.values() if at is not None]
    first = posix(min(known)) if known else None
    if first is None:
        return
    with transaction.atomic(using=using):
        row, _ = RecordCheckpoint.objects.using(using).update_or_create(
            size=found.size,
            defaults={
                "root": found.root,
                "note": first_signed(note, found.origin).decode(),
                "signed_at": first,
                "kept": True,
                "is_marked": True,
            },
        )
        for key, at in times.items():
            for line in note.signatures if at is not None else ():
                if line[:2] == (key.name, key.key_id):
                    RecordCosignature.objects.using(using).get_or_create(
                        checkpoint=row, line=str(line), defaults={"witness": key.name, "time": at}
                    )
