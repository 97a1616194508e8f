"""A cosignature counts from its earliest time, if it is the witness's and not of the future."""

import time

import pytest

from signals.record.formats.checkpoints import Checkpoint, cosigned_at
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note
from signals.record.signing import signed_note, with_cosignatures
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import CLOCK_TOLERANCE, Signed, signed_checkpoint
from tests.signals.record.sample import LOG, ORIGIN, WITNESSES, asked, codes

NOTE = signed_note(Checkpoint(ORIGIN, 5, bytes(range(32))), LOG)
ONE, TWO = WITNESSES[:2]


def judged(note: Note) -> tuple[Signed | None, set[str]]:
    report = Report()
    return signed_checkpoint(note.encoded(), asked().policy, report, "it"), codes(report)


def test_the_earliest_of_several_cosignatures_counts() -> None:
    lines = [ONE.cosign(NOTE.text, moment) for moment in (1_700_000_300, 1_700_000_100)]
    for order in (lines, lines[::-1]):
        assert cosigned_at(with_cosignatures(NOTE, *order), ONE.key) == 1_700_000_100


def test_a_cosignature_with_another_time_or_signature_is_refused() -> None:
    line = ONE.cosign(NOTE.text, 1_700_000_000)
    earlier = (1_600_000_000).to_bytes(8, "big") + line.signature[8:]
    theirs = TWO.cosign(NOTE.text, 1_700_000_000).signature
    for signature in (earlier, theirs, line.signature[:8] + bytes(64)):
        forged = with_cosignatures(NOTE, line._replace(signature=signature))
        with pytest.raises(BadRecord, match="not valid"):
            cosigned_at(forged, ONE.key)
        signed, found = judged(forged)
        assert signed is not None
        assert (signed.times, found) == ({}, {"cosignature"})


def test_a_cosignature_from_the_future_does_not_count() -> None:
    now = int(time.time())
    for late, expected in ((-60, set()), (CLOCK_TOLERANCE + 600, {"cosignature"})):
        signed, found = judged(with_cosignatures(NOTE, ONE.cosign(NOTE.text, now + late)))
        assert signed is not None
        assert (bool(signed.times), found) == (not expected, expected)
