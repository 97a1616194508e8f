"""Checkpoints (C2SP tlog-checkpoint) and the cosignatures of witnesses (tlog-cosignature)."""

import hashlib
from typing import NamedTuple

from signals.record.formats.ed25519 import is_valid
from signals.record.formats.encoding import (
    LARGEST,
    BadRecord,
    base64_text,
    decimal,
    hash_bytes,
)
from signals.record.formats.notes import Note, VerifierKey, is_key_name


class Checkpoint(NamedTuple):
    """How large the log `origin` was, and the root of its tree then."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint of a note's text. Raises BadRecord if it is not one."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[-1] or not is_key_name(lines[0]):
        raise BadRecord("a checkpoint has three lines: origin, size and root")
    origin, size, root, _ = lines
    found = Checkpoint(origin, decimal(size), hash_bytes(root))
    if found.size == 0 and found.root != hashlib.sha256(b"").digest():
        raise BadRecord("an empty tree has another root")
    return found


def first_signed(note: Note, origin: str) -> bytes:
    """Return the checkpoint as first signed: without cosignatures. Time stamps are of these."""
    own = tuple(line for line in note.signatures if line.name == origin)
    return Note(note.text, own).encoded()


def digest_of_checkpoint(data: bytes) -> str:
    """Return what a `mark` holds of a checkpoint with its cosignatures."""
    return hashlib.sha256(data).hexdigest()


def cosigned_message(text: str, time: int) -> bytes:
    """Return what a witness signs at a POSIX time."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosigned_at(note: Note, witness: VerifierKey) -> int | None:
    """Return the earliest POSIX time at which a witness cosigned; None if it did not.

    Raises BadRecord if a cosignature claims to be the witness's, and is not.
    """
    times = [_time_of(note, witness, each) for each in note.by(witness)]
    return min(times, default=None)


def _time_of(note: Note, witness: VerifierKey, signature: bytes) -> int:
    time = int.from_bytes(signature[:8], "big")
    message = cosigned_message(note.text, time)
    if time > LARGEST or not is_valid(witness.public, message, signature[8:]):
        raise BadRecord(f"the cosignature of {witness.name} is not valid")
    return time
