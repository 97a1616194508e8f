"""Processes a dead letter again, after its cause was fixed."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from argo.errors import Conflict
from signals.journal import Line, Offset
from signals.ledger.changes import apply_change, decode_change
from signals.ledger.records import BadLine, decode, json_object
from signals.ledger.store import ROW_ERRORS, StoredHandler, store_one_by_one
from signals.models import DeadLetter
from signals.timestamps import utc_text


class StillDead(Conflict):
    """The dead letter still cannot be processed."""


def retry(
    letter: DeadLetter,
    *,
    now: datetime,
    handlers: Sequence[StoredHandler] = (),
    using: str = "default",
) -> None:
    """Store the signal, or apply the outcome change, and mark the letter resolved.

    Raises StillDead, with the reason, if that still fails.
    """
    line = Line(Offset(letter.segment, letter.byte), bytes(letter.payload))
    with transaction.atomic(using=using):
        try:
            _process(line, letter, now, handlers, using)
        except BadLine as bad:
            raise StillDead(f"the line {bad}") from None
        except (*ROW_ERRORS, TypeError, ValueError) as error:
            raise StillDead(f"the database refused it: {error}") from error
        DeadLetter.objects.using(using).filter(pk=letter.pk).update(resolved_at=now)


def _process(
    line: Line, letter: DeadLetter, now: datetime, handlers: Sequence[StoredHandler], using: str
) -> None:
    fields = json_object(line)
    if "change" in fields:
        fault = apply_change(decode_change(fields, line), letter.journal, using=using)
        if fault is not None:
            raise StillDead(fault.reason)
        return
    at, record = utc_text(now), decode(fields, line)
    result = store_one_by_one([record], letter.journal, at, using=using)
    for refusal in result.conflicts + result.refused:
        raise StillDead(refusal.reason)
    for handler in handlers if result.stored else ():
        handler(result.stored)
