"""Verifies a checkpoint: the log's signatures, and enough witnesses."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from signals.record.formats.checkpoints import (
    Checkpoint,
    cosigned_at,
    digest_of_checkpoint,
    first_signed,
    parse_checkpoint,
)
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note, is_signed, parse_note
from signals.record.formats.policy import Policy
from signals.record.verifier.report import Report

CLOCK_TOLERANCE = 300
"""Seconds by which clocks may differ."""


class Signed(NamedTuple):
    """A checkpoint that the log has signed, and when its witnesses cosigned, in POSIX time."""

    checkpoint: Checkpoint
    note: Note
    digest: str
    times: dict[str, int]

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def first_signed(self) -> bytes:
        """Return the bytes that time stamps are of."""
        return first_signed(self.note, self.checkpoint.origin)


def signed_checkpoint(data: bytes, policy: Policy, report: Report, what: str) -> Signed | None:
    """Return the checkpoint if a log of the policy signed it; otherwise note why not."""
    try:
        note = parse_note(data)
        checkpoint = parse_checkpoint(note.text)
        _check_log(note, checkpoint, policy)
    except BadRecord as error:
        report.fault("checkpoint", f"{what}: {error}")
        return None
    times = _times(note, policy, report, what)
    return Signed(checkpoint, note, digest_of_checkpoint(data), times)


def check_quorum(
    signed: Signed, policy: Policy, report: Report, earlier: Iterable[Signed] = ()
) -> None:
    """Note a fault if fewer witnesses cosigned than the policy asks for.

    `earlier` are checkpoints that this one continues: if enough cosigned one of them, entries that
    came later are not witnessed yet, which is no fault.
    """
    if policy.is_satisfied(signed.times.keys()):
        return
    enough = [each.size for each in earlier if policy.is_satisfied(each.times.keys())]
    if enough:
        report.remark(
            f"the last {signed.size - max(enough)} of {signed.size} entries are newer than the "
            "last checkpoint that enough witnesses cosigned: nobody else vouches for them yet"
        )
    else:
        found = ", ".join(map(repr, signed.times)) or "none"
        report.fault(
            "witnesses",
            f"the policy asks for {policy.quorum!r} of its witnesses, and only these cosigned: "
            f"{found}",
        )


def _check_log(note: Note, checkpoint: Checkpoint, policy: Policy) -> None:
    keys = policy.keys_of(checkpoint.origin)
    if not keys:
        raise BadRecord(f"the policy names no key of the log {checkpoint.origin!r}")
    signed = [is_signed(note, key) for key in keys]  # each: a wrong signature must not hide
    if not any(signed):
        raise BadRecord(f"no key of the policy for {checkpoint.origin!r} signed it")


def _times(note: Note, policy: Policy, report: Report, what: str) -> dict[str, int]:
    found = {}
    for name, key in policy.witnesses.items():
        try:
            at = cosigned_at(note, key)
        except BadRecord as error:
            report.fault("cosignature", f"{what}: {error}")
            continue
        if at is not None and at > time.time() + CLOCK_TOLERANCE:
            report.fault("cosignature", f"{what}: {key.name} cosigned it in the future: {at}")
        elif at is not None:
            found[name] = at
    return found
