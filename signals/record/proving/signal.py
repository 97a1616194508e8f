"""Makes the proof file of one signal: that its line is in the record."""

import json
from typing import NamedTuple

from argo.errors import Conflict
from signals.journal import Journal
from signals.ledger.queries import row_of
from signals.record.bundle import make_proof
from signals.record.formats.entries import Entry, parse_entry
from signals.record.formats.proofs import Proof
from signals.record.proving.checkpoints import Cosigned, earliest_with
from signals.record.proving.lines import OwnLines
from signals.record.proving.tiles import tiles_of
from signals.record.verifier.history import Revealed


class SignalProof(NamedTuple):
    """A proof file, the line that it is about, and the checkpoint that it leads to."""

    proof: Proof
    line: Revealed
    checkpoint: Cosigned


def prove_signal(signal_id: str, journal: Journal) -> SignalProof:
    """Return the proof of a signal.

    It leads to the first witnessed checkpoint that holds the line. Raises NotFound if the line is
    not in this journal, and Conflict if it is not in a signed checkpoint yet.
    """
    line = OwnLines(journal).of_signal(row_of(signal_id))
    checkpoint = earliest_with(line.index)
    tiles = tiles_of(checkpoint)
    entry = parse_entry(tiles.entries(line.index, line.index + 1)[0])
    extra = line.salt + _time_of(entry, line)
    proof = make_proof(tiles, checkpoint.note.encoded(), line.index, extra)
    return SignalProof(proof, line, checkpoint)


def _time_of(entry: Entry, line: Revealed) -> bytes:
    """Return what a proof says of the entry's time: nothing if the line has the same."""
    try:
        same = json.loads(line.line)["received_at"] == entry.at
    except (ValueError, KeyError, TypeError):
        raise Conflict(f"The line of entry {line.index} is no signal.") from None
    return b"" if same else entry.at.encode("ascii")
