"""Checks and stores the cosignatures that a witness gives for a checkpoint."""

from datetime import datetime

from signals.models import RecordCheckpoint, RecordCosignature
from signals.record.formats.checkpoints import cosigned_at
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import (
    MOST_SIGNATURES,
    Note,
    SignatureLine,
    parse_note,
    signature_line,
)
from signals.record.quorum import NamedWitness
from signals.record.verifier.signatures import CLOCK_TOLERANCE


def store_cosignatures(
    row: RecordCheckpoint, witness: NamedWitness, answer: str, now: datetime, using: str = "default"
) -> int:
    """Store what a witness answered; return the POSIX time at which it cosigned.

    Lines of its name with another key are kept and not verified; others are left out. If it had
    cosigned before, its first answer stays: the time that it proves is the earlier one. Raises
    BadRecord if the witness has not cosigned this checkpoint, or its clock is wrong.
    """
    note = parse_note(row.note.encode())
    lines = [line for line in _lines(answer) if line.name == witness.name]
    own = [line for line in lines if line.key_id == witness.key.key_id]
    if not own:
        raise BadRecord(f"the answer has no signature by the key of {witness.name}")
    time = cosigned_at(Note(note.text, (own[0],)), witness.key) or 0
    _check_clock(time, row.signed_at, now)
    stored = RecordCosignature.objects.using(using).filter(checkpoint=row, witness=witness.name)
    first = stored.filter(time__isnull=False).order_by("time").first()
    if first is not None and first.time is not None:
        return first.time
    others = [line for line in lines if line.key_id != witness.key.key_id]
    for line, at in [(own[0], time), *((line, None) for line in others)]:
        RecordCosignature.objects.using(using).get_or_create(
            checkpoint=row, line=str(line), defaults={"witness": witness.name, "time": at}
        )
    return time


def _lines(answer: str) -> list[SignatureLine]:
    lines = answer.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadRecord(f"the answer has {len(lines)} lines; the limit is {MOST_SIGNATURES}")
    return list(map(signature_line, lines))


def _check_clock(time: int, signed_at: datetime, now: datetime) -> None:
    """Raise BadRecord if the witness states a time at which it cannot have cosigned."""
    if not signed_at.timestamp() - CLOCK_TOLERANCE <= time <= now.timestamp() + CLOCK_TOLERANCE:
        raise BadRecord(
            f"the witness states the POSIX time {time}, and here it is {now.timestamp():.0f}: one "
            "of the clocks is wrong"
        )
