"""Follows a record from outside: whatever it shows must continue the checkpoint that was kept.

A reader of the feed does so now and then, so that nobody can rewrite what was sent before.
"""

from signals.record.formats.encoding import BadRecord
from signals.record.formats.policy import Policy
from signals.record.formats.tiles import Read, TileReader
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import Signed, signed_checkpoint
from signals.record.verifier.tree_check import check_known


def follow(read: Read, policy: Policy, known: bytes | None, report: Report) -> bytes:
    """Return the checkpoint to keep: the record's own, or the known one if a fault was found.

    `known` is None for the first time. Of the record only the checkpoint and the few tiles that
    compare the two are read, so the newest entries need no witness yet. Faults are noted in
    `report`: the record is not signed by a log of the policy, was taken back, or has two histories.
    """
    data = _checkpoint(read, report)
    signed = signed_checkpoint(data, policy, report, "the checkpoint") if data else None
    kept = signed_checkpoint(known, policy, report, "the known checkpoint") if known else None
    if signed is not None and kept is not None:
        check_known(kept, signed, {}, _proof(read, kept, signed, report), report)
    if signed is not None:
        report.facts |= {
            "origin": signed.checkpoint.origin,
            "size": signed.size,
            "known_size": kept.size if kept else None,
            "witnesses": sorted(signed.times),
        }
    return known or b"" if report.faults else data


def _checkpoint(read: Read, report: Report) -> bytes:
    try:
        found = read("checkpoint")
    except BadRecord as error:
        report.fault("record", error)
        return b""
    if found is None:
        report.fault("record", "there is no file `checkpoint`: this is not a record")
    return found or b""


def _proof(read: Read, kept: Signed, signed: Signed, report: Report) -> list[bytes] | None:
    """Return the proof from the record's tiles; None if none is needed, or if tiles are missing."""
    if not 0 < kept.size < signed.size:
        return None
    try:
        return TileReader(read, signed.size).consistency(kept.size)
    except BadRecord as error:
        report.fault("tile", error)
        return None
