"""Stores what could not be processed, complete and with the reason, for a person to look at."""

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from signals.journal import Line
from signals.models import DeadLetter, JournalCursor

logger = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A journal line that could not be processed, and why."""

    kind: DeadLetter.Kind
    line: Line
    reason: str
    signal_id: str = ""


def store_dead_letters(
    faults: Iterable[Fault], cursor: JournalCursor, *, at: datetime, using: str
) -> None:
    """Store each fault as a dead letter, once, and log it at ERROR."""
    for fault in faults:
        offset, payload = fault.line
        DeadLetter.objects.using(using).get_or_create(
            journal=cursor,
            segment=offset[0],
            byte=offset[1],
            kind=fault.kind,
            digest=hashlib.sha256(payload).hexdigest(),
            defaults={
                "signal_id": fault.signal_id,
                "reason": fault.reason,
                "payload": payload,
                "created_at": at,
            },
        )
        logger.error(
            "Dead letter (%s) at segment %d, byte %d%s: %s",
            fault.kind, *offset, f", {fault.signal_id}" if fault.signal_id else "", fault.reason,
            extra={"signal_id": fault.signal_id},
        )  # fmt: skip


def unresolved(using: str = "default") -> int:
    """Return how many dead letters are not resolved."""
    return DeadLetter.objects.using(using).filter(resolved_at=None).count()
