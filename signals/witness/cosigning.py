"""Cosigns checkpoints: each is checked and stored in one conditional update, then it is signed.

Of two requests that continue the same checkpoint one wins; the other learns the new size. So no
two histories are ever cosigned, whatever processes do at the same time.
"""

import logging
from datetime import datetime
from typing import ClassVar

from argo.errors import ArgoError
from signals.models import WatchedLog
from signals.record.formats.checkpoints import Checkpoint, parse_checkpoint
from signals.record.formats.encoding import BadRecord, base64_text, hash_bytes
from signals.record.formats.notes import Note, SignatureLine, VerifierKey, is_signed, parse_note
from signals.record.formats.tree import roots_by_consistency
from signals.record.signing import WitnessSigner, with_cosignatures
from signals.record.submission import Submission, parse_submission
from signals.witness.logs import keys_of

logger = logging.getLogger(__name__)


class Refused(ArgoError):
    """The checkpoint is not cosigned: the request cannot be read, or contradicts itself."""

    status = 400


class UnknownLog(Refused):
    """The witness does not watch this log."""

    status: ClassVar[int] = 404


class NotSigned(Refused):
    """No key that the witness knows has signed the checkpoint."""

    status = 403


class OtherSize(Refused):
    """The witness knows another size than the proof begins with; `size` is that one."""

    status = 409

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"The witness knows the size {size}: prove from there.")


class NotContinued(Refused):
    """The checkpoint does not continue what the witness knows."""

    status = 422


def cosign(data: bytes, signer: WitnessSigner, now: datetime) -> SignatureLine:
    """Return the cosignature of a submitted checkpoint, durable in the database. Raises Refused."""
    submission, note, checkpoint = _read(data)
    log = WatchedLog.objects.filter(origin=checkpoint.origin).exclude(keys="").first()
    if log is None:
        raise UnknownLog(f"This witness does not watch the log {checkpoint.origin[:200]!r}.")
    note = _signed_by(keys_of(log), note)
    if log.size == checkpoint.size and log.root != base64_text(checkpoint.root):
        _keep_contradiction(log, note, now)
    if submission.old > checkpoint.size:
        raise Refused(f"old {submission.old} is above the checkpoint's size {checkpoint.size}.")
    if submission.old != log.size:
        raise OtherSize(log.size)
    _check_continued(log, submission, checkpoint)
    line = signer.cosign(note.text, int(now.timestamp()))
    if not _store(log, checkpoint, with_cosignatures(note, line), now):
        raise OtherSize(WatchedLog.objects.get(pk=log.pk).size)
    return line


def last_cosigned(digest: str) -> str | None:
    """Return the last cosigned checkpoint of the log whose origin has this SHA-256, if any."""
    found = WatchedLog.objects.filter(origin_sha256=digest).values_list("checkpoint", flat=True)
    return found.first() or None


def _read(data: bytes) -> tuple[Submission, Note, Checkpoint]:
    try:
        submission = parse_submission(data)
        note = parse_note(submission.checkpoint)
        return submission, note, parse_checkpoint(note.text)
    except BadRecord as error:
        raise Refused(f"The request cannot be read: {error}.") from None


def _signed_by(keys: list[VerifierKey], note: Note) -> Note:
    """Return the note with the signatures of these keys alone. Raises NotSigned without any."""
    found = [key for key in keys if _is_signed(note, key)]
    if not found:
        raise NotSigned("No key that this witness knows for this log has signed the checkpoint.")
    names = {(key.name, key.key_id) for key in found}
    return Note(note.text, tuple(line for line in note.signatures if line[:2] in names))


def _is_signed(note: Note, key: VerifierKey) -> bool:
    try:
        return is_signed(note, key)
    except BadRecord:
        return False


def _check_continued(log: WatchedLog, submission: Submission, checkpoint: Checkpoint) -> None:
    """Raise NotContinued if the proof does not lead from the known root to the new one."""
    if log.size == 0:
        if submission.proof:
            raise NotContinued("A proof from size 0 has no hashes.")
        return
    known = hash_bytes(log.root)
    try:
        roots = roots_by_consistency(log.size, checkpoint.size, known, submission.proof)
    except BadRecord as error:
        raise NotContinued(f"The proof is not one: {error}.") from None
    if roots != (known, checkpoint.root):
        raise NotContinued(f"The proof does not lead from size {log.size} to this checkpoint.")


def _keep_contradiction(log: WatchedLog, note: Note, now: datetime) -> None:
    """Keep the proof that the log's owner has signed two histories: the first one stays."""
    logger.error("The log %s has signed two roots of the size %d", log.origin, log.size)
    first = WatchedLog.objects.filter(pk=log.pk, contradiction="")
    first.update(contradiction=note.encoded().decode(), contradicted_at=now)


def _store(log: WatchedLog, checkpoint: Checkpoint, note: Note, now: datetime) -> bool:
    """Store the checkpoint if the log is as it was read; return whether it was."""
    unchanged = WatchedLog.objects.filter(pk=log.pk, size=log.size, root=log.root, keys=log.keys)
    return (
        unchanged.update(
            size=checkpoint.size,
            root=base64_text(checkpoint.root),
            checkpoint=note.encoded().decode(),
            cosigned_at=now,
        )
        == 1
    )
