"""Makes the proof files of one signal: that its line, and each change of its outcome, is in the
record."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from argo.errors import Conflict, NotFound
from signals.journal import Journal
from signals.ledger.queries import row_of
from signals.models import OutcomeChange, SignalContext
from signals.record.bundle import make_proof
from signals.record.formats.entries import Entry, parse_entry
from signals.record.formats.proofs import Proof
from signals.record.proving.checkpoints import Cosigned, earliest_with
from signals.record.proving.lines import OwnLines
from signals.record.proving.tiles import tiles_of
from signals.record.verifier.history import Revealed


class LineProof(NamedTuple):
    """A proof file, the line that it is about, and the checkpoint that it leads to."""

    proof: Proof
    line: Revealed
    checkpoint: Cosigned


class SignalProof(NamedTuple):
    """The proof of a signal, and those of the changes of its outcome in their order."""

    signal: LineProof
    outcomes: list[LineProof]


def prove_signal(signal_id: str, journals: Sequence[Journal]) -> SignalProof:
    """Return the proofs of a signal.

    Each leads to the first witnessed checkpoint that holds its line. Raises NotFound if a line is
    in none of these journals, and Conflict if one is not in a signed checkpoint yet.
    """
    signal, lines = row_of(signal_id), list(map(OwnLines, journals))
    context = SignalContext.objects.get(pk=signal)
    own = _with(lines, context.journal_id, "The signal's line")
    changes = OutcomeChange.objects.filter(signal=signal).order_by("at", "pk")
    outcomes = [
        _with(lines, each.journal_id, "The line of an outcome change").of_change(each.pk)
        for each in changes
    ]
    return SignalProof(_proved(own.of_signal(signal)), list(map(_proved, outcomes)))


def _with(lines: Sequence[OwnLines], journal: int | None, what: str) -> OwnLines:
    found = next((each for each in lines if each.key == journal), None)
    if found is None:
        raise NotFound(
            f"{what} is in the journal of another machine: prove it there, or name the folder of "
            "that journal with --journal FOLDER."
        )
    return found


def _proved(line: Revealed) -> LineProof:
    checkpoint = earliest_with(line.index)
    tiles = tiles_of(checkpoint)
    entry = parse_entry(tiles.entries(line.index, line.index + 1)[0])
    extra = line.salt + _time_of(entry, line)
    proof = make_proof(tiles, checkpoint.note.encoded(), line.index, extra)
    return LineProof(proof, line, checkpoint)


def _time_of(entry: Entry, line: Revealed) -> bytes:
    """Return what a proof says of the entry's time: nothing if the line has the same."""
    try:
        same = json.loads(line.line)["received_at"] == entry.at
    except (ValueError, KeyError, TypeError):
        raise Conflict(f"The line of entry {line.index} cannot be read.") from None
    return b"" if same else entry.at.encode("ascii")
