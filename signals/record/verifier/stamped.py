"""Which checkpoints authorities have stamped, and when (RFC 3161)."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime

from signals.record.formats.encoding import BadRecord
from signals.record.formats.stamps import parse_stamp
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import Signed

VerifyStamp = Callable[[bytes, bytes], datetime]
"""Verifies a time stamp of some bytes, and returns its time. Raises BadRecord."""


def stamped_times(
    stamps: Iterable[tuple[str, bytes]],
    checkpoints: Iterable[Signed],
    verify: VerifyStamp | None,
    report: Report,
) -> list[tuple[Signed, datetime]]:
    """Return each checkpoint that has a verified stamp, with its time; without `verify` none is."""
    by_imprint = {hashlib.sha256(each.first_signed).hexdigest(): each for each in checkpoints}
    found = []
    for name, data in stamps:
        try:
            stamp = parse_stamp(data)
            if stamp.imprint not in by_imprint:
                raise BadRecord("is of something else than a checkpoint that is here")
            signed = by_imprint[stamp.imprint]
            if verify is not None:
                found.append((signed, verify(data, signed.first_signed)))
            else:
                report.remark(_not_verified(name, stamp.imprint, stamp.time, signed.size))
        except BadRecord as error:
            report.fault("stamp", f"{name}: {error}")
    return found


def _not_verified(name: str, imprint: str, time: datetime, size: int) -> str:
    return (
        f"{name} states {time.isoformat()} of the checkpoint of size {size}: not verified here. "
        f"Run: openssl ts -verify -digest {imprint} -in {name} -CAfile <the authority's "
        "certificates>"
    )
