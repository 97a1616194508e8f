"""What the owner of a record keeps beside its tiles: earlier checkpoints, stamps, and the keys."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from argo.errors import Conflict
from signals.record.formats.checkpoints import first_signed, parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import parse_entry
from signals.record.formats.notes import Note, VerifierKey, is_signed, parse_note
from signals.record.formats.stamps import parse_stamp
from signals.record.log.keys import KeyFiles
from signals.record.proving.checkpoints import Cosigned

CHECKPOINTS, STAMPS = "checkpoints", "stamps"


def log_keys() -> list[VerifierKey]:
    """Return the keys of this machine's record: past ones, the current one and the next.

    Raises Conflict if the record belongs to another machine.
    """
    if not settings.RECORD_ORIGIN:
        raise Conflict("Run this on the machine where RECORD_ORIGIN is set: it has the record.")
    files = KeyFiles(Path(settings.DATA_DIR), settings.RECORD_ORIGIN)
    return list(dict.fromkeys([*files.past(), *(each.key for each in files.both())]))


def earlier_checkpoints(
    folder: Path, entries: Iterable[bytes], last: Cosigned, keys: Sequence[VerifierKey]
) -> list[bytes]:
    """Return the checkpoints that marks among the entries name, without the last one."""
    found = []
    for data in entries:
        entry = parse_entry(data)
        if entry.kind != "mark":
            continue
        with suppress(FileNotFoundError):
            kept = (folder / CHECKPOINTS / str(entry.digest)).read_bytes()
            if kept != last.note.encoded() and _is_of(kept, keys):
                found.append(kept)
    return list(dict.fromkeys(found))


def _is_of(data: bytes, keys: Sequence[VerifierKey]) -> bool:
    """Return whether one of the keys signed the checkpoint: to a reader others prove nothing."""
    try:
        note = parse_note(data)
        return any(is_signed(note, key) for key in keys)
    except BadRecord:
        return False


def stamps_of(checkpoints: Iterable[bytes], folder: Path) -> dict[str, bytes]:
    """Return the time stamps of these checkpoints, by name without ending."""
    imprints = {hashlib.sha256(_first_signed(data)).hexdigest() for data in checkpoints}
    found = {}
    for path in sorted((folder / STAMPS).glob("*.tsr")):
        data = path.read_bytes()
        with suppress(BadRecord):
            if parse_stamp(data).imprint in imprints:
                found[path.stem] = data
    return found


def _first_signed(data: bytes) -> bytes:
    note: Note = parse_note(data)
    return first_signed(note, parse_checkpoint(note.text).origin)
