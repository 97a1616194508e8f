"""Keeps what could not be processed, whole and with the reason, where a person can see it."""

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
    """Make each fault a dead letter, once, and say so at ERROR."""
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
            "Dead letter (%s) at %d:%d %s: %s",
            fault.kind, *offset, fault.signal_id, fault.reason,
        )  # fmt: skip


def unresolved(using: str = "default") -> int:
    """How many dead letters wait for a person."""
    return DeadLetter.objects.using(using).filter(resolved_at=None).count()
