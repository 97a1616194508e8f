"""Checks proof files: that the record holds a signal's journal line, and changes of its outcome."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import LINES, SALT_BYTES, Entry, digest_of
from signals.record.formats.proofs import Proof, parse_proof
from signals.record.formats.tree import leaf_hash, root_by_inclusion
from signals.record.verifier.brackets import posix
from signals.record.verifier.check import Asked
from signals.record.verifier.history import History, Revealed
from signals.record.verifier.lines import SignalLine, parse_line
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import Signed, check_quorum, signed_checkpoint
from signals.record.verifier.tree_check import check_known

NOT_COMPLETE = (
    "proof files cannot show that no other change of the outcome was entered: a bundle can, which "
    "has all entries of a time"
)


class Proved(NamedTuple):
    """A line that is in the record: its entry, its salt, and the checkpoint of its proof."""

    proof: Proof
    signed: Signed
    entry: Entry
    line: bytes


def check_proofs(
    files: Sequence[bytes], lines: Sequence[bytes], asked: Asked, report: Report
) -> None:
    """Check that each line, without its newline, is in the record by the proof of the same number.

    The first one is the signal's, the others are changes of its outcome.
    """
    if len(files) != len(lines):
        message = f"{len(lines)} lines are given, and {len(files)} proofs: each line has its own"
        report.fault("proof", f"{message}; those of outcomes are named by --outcome")
    pairs = zip(files, lines, strict=False)
    results = [_proved_line(file, line, asked, report) for file, line in pairs]
    found = [each for each in results if each is not None]
    _check_one_log(found, report)
    _proof_facts(results, asked, report)
    _check_proved_lines(found, report)


def _proved_line(data: bytes, line: bytes, asked: Asked, report: Report) -> Proved | None:
    """Return the line's place in the record; otherwise note why it has none."""
    try:
        proof = parse_proof(data)
    except BadRecord as error:
        report.fault("proof", error)
        return None
    signed = signed_checkpoint(proof.checkpoint, asked.policy, report, "the checkpoint")
    if signed is None:
        return None
    check_quorum(signed, asked.policy, report)
    _check_known(signed, asked, report)
    entry = _entry(proof, line, signed, report)
    if entry is None:
        _check_alone(line, report)
        return None
    return Proved(proof, signed, entry, line)


def _check_known(signed: Signed, asked: Asked, report: Report) -> None:
    if asked.known is not None:
        known = signed_checkpoint(asked.known, asked.policy, report, "the known checkpoint")
        if known is not None:
            check_known(known, signed, {}, None, report)


def _entry(proof: Proof, line: bytes, signed: Signed, report: Report) -> Entry | None:
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


def _check_alone(line: bytes, report: Report) -> None:
    """Check what a line says of itself: it tells a reader if the line is what was changed."""
    with suppress(BadRecord):
        parsed = parse_line(line)
        if isinstance(parsed, SignalLine) and not parsed.is_whole:
            message = f"the signal {parsed.signal_id!r} has not the hash that it names"
            report.fault("hash", message)


def _candidates(extra: bytes, line: bytes) -> Iterator[Entry]:
    """Yield what the entry of a line can be; `extra` is its salt, and its time if it is not the
    line's own."""
    if len(extra) < SALT_BYTES:
        raise BadRecord(f"the proof has no salt of {SALT_BYTES} bytes in its line `extra`")
    salt, at = extra[:SALT_BYTES], extra[SALT_BYTES:].decode("latin-1")
    for kind in LINES:
        yield Entry(at or parse_line(line).received_at, kind, digest_of(salt, line))


def _check_one_log(found: Sequence[Proved], report: Report) -> None:
    """See that all proofs are of one log, and that it has one history as far as they show it."""
    if len({each.signed.checkpoint.origin for each in found}) > 1:
        report.fault("checkpoint", "the proofs are of different logs")
    roots: dict[int, bytes] = {}
    for each in found:
        checkpoint = each.signed.checkpoint
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            message = f"two checkpoints of {checkpoint.size} entries differ: two histories"
            report.fault("root", message)


def _check_proved_lines(found: Sequence[Proved], report: Report) -> None:
    """Check what the lines say, and how the signal ended by them."""
    history = History({each.proof.index: each.entry for each in found}, report)
    for each in found:
        history.add(Revealed(each.proof.index, each.proof.extra[:SALT_BYTES], each.line))
    history.follow()
    for number, followed in enumerate(history.signals.values()):
        if number:
            report.fault("line", "there is more than one signal: each has proofs of its own")
            return
        report.facts |= {"signal_id": followed.signal.signal_id, **followed.final_state()}
        report.remark(NOT_COMPLETE)


def _proof_facts(results: Sequence[Proved | None], asked: Asked, report: Report) -> None:
    shown = [None if each is None else _proof_fact(each, asked) for each in results]
    report.facts |= shown[0] if shown and shown[0] else {}
    report.facts["outcomes"] = [each for each in shown[1:] if each is not None]


def _proof_fact(each: Proved, asked: Asked) -> dict[str, Any]:
    signed = each.signed
    existed_by = asked.policy.existed_by(signed.times)
    return {
        "origin": signed.checkpoint.origin,
        "size": signed.size,
        "index": each.proof.index,
        "kind": each.entry.kind,
        "claimed_time": each.entry.at,
        "existed_by": None if existed_by is None else str(posix(existed_by) or existed_by),
        "witnesses": {name: str(posix(at) or at) for name, at in signed.times.items()},
    }
