"""Sends a dead letter through again, once what was wrong is mended."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from argo.errors import Conflict
from signals.journal import Line, Offset
from signals.ledger.changes import apply_change, decode_change
from signals.ledger.records import BadLine, decode, json_object
from signals.ledger.store import ROW_ERRORS, StoredHandler, store_one_by_one
from signals.models import DeadLetter


class StillDead(Conflict):
    """What was wrong with the dead letter still is."""


def retry(
    letter: DeadLetter,
    *,
    now: datetime,
    handlers: Sequence[StoredHandler] = (),
    using: str = "default",
) -> None:
    """Store the signal, or apply the outcome change, and mark the letter resolved.

    Raises StillDead with the reason.
    """
    line = Line(Offset(letter.segment, letter.byte), bytes(letter.payload))
    with transaction.atomic(using=using):
        try:
            _process(line, letter, handlers, using)
        except BadLine as bad:
            raise StillDead(f"the line {bad}") from None
        except (*ROW_ERRORS, TypeError, ValueError) as error:
            raise StillDead(f"it is refused: {error}") from error
        DeadLetter.objects.using(using).filter(pk=letter.pk).update(resolved_at=now)


def _process(line: Line, letter: DeadLetter, handlers: Sequence[StoredHandler], using: str) -> None:
    fields = json_object(line)
    if "change" in fields:
        fault = apply_change(decode_change(fields, line), letter.journal, using=using)
        if fault is not None:
            raise StillDead(fault.reason)
        return
    outcome = store_one_by_one([decode(fields, line)], letter.journal, using=using)
    for refusal in outcome.conflicts + outcome.refused:
        raise StillDead(refusal.reason)
    for handler in handlers if outcome.stored else ():
        handler(outcome.stored)
