"""Processes a dead letter again, after its cause was fixed."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from argo.errors import Conflict
from signals import acts
from signals.dialect import refusal_of
from signals.journal import Line, Offset
from signals.ledger.changes import StoredChange, apply_change, decode_change
from signals.ledger.records import BadLine, decode, json_object
from signals.ledger.store import ROW_ERRORS, StoredHandler, store_one_by_one
from signals.models import DeadLetter, LateEntry, OutcomeChange
from signals.timestamps import utc_text


class StillDead(Conflict):
    """The dead letter still cannot be processed."""


def retry(
    letter: DeadLetter,
    *,
    now: datetime,
    handlers: Sequence[StoredHandler] = (),
    who: str = acts.COMMAND_LINE,
    using: str = "default",
) -> None:
    """Store the signal, or apply the outcome change, and mark the letter resolved.

    The feed shows it at its end: readers have passed the place of its line.

    Raises StillDead, with the reason, if that still fails.
    """
    line = Line(Offset(letter.segment, letter.byte), bytes(letter.payload))
    with transaction.atomic(using=using):
        try:
            _process(line, letter, now, handlers, using)
        except BadLine as bad:
            raise StillDead(f"the line {bad}") from None
        except (*ROW_ERRORS, TypeError, ValueError) as error:
            raise StillDead(refusal_of(error)) from error
        DeadLetter.objects.using(using).filter(pk=letter.pk).update(resolved_at=now)
        _record(acts.Kind.RETRY, letter, "stored", who, now, using)


def resolve(letter: DeadLetter, *, who: str, now: datetime, using: str = "default") -> bool:
    """Mark the letter as resolved as it is; return False if it was resolved before."""
    with transaction.atomic(using=using):
        waiting = DeadLetter.objects.using(using).filter(pk=letter.pk, resolved_at=None)
        if not waiting.update(resolved_at=now):
            return False
        _record(acts.Kind.RESOLVE, letter, "resolved", who, now, using)
        return True


def _record(
    kind: acts.Kind, letter: DeadLetter, end: str, who: str, now: datetime, using: str
) -> None:
    about = f"dead letter at {letter.segment}:{letter.byte} ({letter.kind})"
    acts.record(kind, about, who=who, at=now, signal_id=letter.signal_id,
                before=letter.reason, after=end, using=using)  # fmt: skip


def _process(
    line: Line, letter: DeadLetter, now: datetime, handlers: Sequence[StoredHandler], using: str
) -> None:
    fields = json_object(line)
    if "change" in fields:
        _apply(decode_change(fields, line), letter, using)
        return
    at, record = utc_text(now), decode(fields, line)
    result = store_one_by_one([record], letter.journal, at, using=using)
    for refusal in result.conflicts + result.refused:
        raise StillDead(refusal.reason)
    for handler in handlers if result.stored else ():
        handler(result.stored)
    for stored in result.stored:
        LateEntry.objects.using(using).create(signal=stored.id)


def _apply(stored: StoredChange, letter: DeadLetter, using: str) -> None:
    fault = apply_change(stored, letter.journal, using=using)
    if fault is not None:
        raise StillDead(fault.reason)
    change = OutcomeChange.objects.using(using).get(change_id=stored.change.change_id)
    LateEntry.objects.using(using).create(change=change.pk)
