"""Checks a proof file: that the record holds one journal line."""

from collections.abc import Iterator

from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import LINES, SALT_BYTES, Entry, digest_of
from signals.record.formats.proofs import Proof, parse_proof
from signals.record.formats.tree import leaf_hash, root_by_inclusion
from signals.record.verifier.brackets import posix
from signals.record.verifier.check import Asked
from signals.record.verifier.lines import SignalLine, parse_line
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import Signed, check_quorum, signed_checkpoint
from signals.record.verifier.tree_check import check_known


def check_proof(data: bytes, line: bytes, asked: Asked, report: Report) -> None:
    """Check that the line, without its newline, is in the record of the proof's checkpoint."""
    try:
        proof = parse_proof(data)
    except BadRecord as error:
        report.fault("proof", error)
        return
    signed = signed_checkpoint(proof.checkpoint, asked.policy, report, "the checkpoint")
    if signed is None:
        return
    check_quorum(signed, asked.policy, report)
    _check_known(signed, asked, report)
    entry = _entry(proof, line, signed, report)
    _proof_facts(proof, signed, entry, asked, report)
    _check_line(line, report)


def _check_known(signed: Signed, asked: Asked, report: Report) -> None:
    if asked.known is not None:
        known = signed_checkpoint(asked.known, asked.policy, report, "the known checkpoint")
        if known is not None:
            check_known(known, signed, {}, None, report)


def _entry(proof: Proof, line: bytes, signed: Signed, report: Report) -> Entry | None:
    """Return the entry of the line that is in the tree; otherwise note why none is."""
    try:
        for entry in _candidates(proof.extra, line):
            leaf = leaf_hash(entry.encoded())
            root = root_by_inclusion(leaf, proof.index, signed.size, proof.hashes)
            if root == signed.checkpoint.root:
                return entry
    except BadRecord as error:
        report.fault("inclusion", error)
        return None
    message = "the line with this salt is not in the record: one of line, salt and proof is another"
    report.fault("inclusion", message)
    return None


def _candidates(extra: bytes, line: bytes) -> Iterator[Entry]:
    """Yield what the entry of a line can be; `extra` is its salt, and its time if it is not the
    line's own."""
    if len(extra) < SALT_BYTES:
        raise BadRecord(f"the proof has no salt of {SALT_BYTES} bytes in its line `extra`")
    salt, at = extra[:SALT_BYTES], extra[SALT_BYTES:].decode("latin-1")
    for kind in LINES:
        yield Entry(at or parse_line(line).received_at, kind, digest_of(salt, line))


def _check_line(line: bytes, report: Report) -> None:
    try:
        parsed = parse_line(line)
    except BadRecord as error:
        report.remark(f"the line {error}; it counts for nothing")
        return
    report.facts["signal_id"] = parsed.signal_id
    is_history = report.facts.get("kind") == "history"  # taken as it was
    if isinstance(parsed, SignalLine) and not parsed.is_whole and not is_history:
        report.fault("hash", f"the signal {parsed.signal_id!r} has not the hash that it names")


def _proof_facts(
    proof: Proof, signed: Signed, entry: Entry | None, asked: Asked, report: Report
) -> None:
    existed_by = asked.policy.existed_by(signed.times)
    report.facts |= {
        "origin": signed.checkpoint.origin,
        "size": signed.size,
        "index": proof.index,
        "kind": entry and entry.kind,
        "claimed_time": entry and entry.at,
        "existed_by": None if existed_by is None else str(posix(existed_by) or existed_by),
        "witnesses": {name: str(posix(at) or at) for name, at in signed.times.items()},
    }
