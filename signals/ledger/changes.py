"""Writes outcome changes as journal lines, and applies them to their signals.

Each change has a journal line, so that the journal alone can rebuild every row.
"""

from typing import Any, NamedTuple

import orjson

from signals.journal import Line
from signals.ledger.dead_letters import Fault
from signals.ledger.records import BadLine
from signals.models import CHANGEABLE, DeadLetter, JournalCursor, OutcomeChange, Signal
from signals.rows import insert, update


class Change(NamedTuple):
    """One change: who made it, when and why, and the changeable columns before and after."""

    change_id: str
    signal_id: str
    sha256: str
    who: str
    at: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]


class StoredChange(NamedTuple):
    """A change and the journal line that it came from."""

    change: Change
    line: Line


class DoesNotFit(Exception):
    """The signal does not have the values that the change starts from."""


def encode_change(change: Change) -> bytes:
    """Return the change's journal line."""
    about: dict[str, Any] = {"id": change.change_id, "who": change.who, "why": change.why}
    about |= {"before": change.before, "after": change.after}
    return orjson.dumps(
        {
            "signal_id": change.signal_id,
            "sha256": change.sha256,
            "received_at": change.at,
            "origin": "outcome",
            "change": about,
        }
    )


def decode_change(fields: dict[str, Any], line: Line) -> StoredChange:
    """Return the change on a journal line. Raises BadLine if the line is not a change."""
    try:
        about = fields["change"]
        change = Change(
            about["id"],
            fields["signal_id"],
            fields["sha256"],
            about["who"],
            fields["received_at"],
            about["why"],
            {name: about["before"][name] for name in CHANGEABLE},
            {name: about["after"][name] for name in CHANGEABLE},
        )
    except (KeyError, TypeError) as error:
        raise BadLine(f"is not an outcome change: it lacks {error}") from None
    return StoredChange(change, line)


def stored_change(row: OutcomeChange) -> Change:
    """Return the change of a row of `outcome_changes`; select the row's signal with it."""
    return Change(
        row.change_id,
        row.signal.signal_id,
        row.signal.sha256,
        row.who,
        row.at,
        row.why,
        row.before,
        row.after,
    )


def state(signal: Signal) -> dict[str, Any]:
    """Return the current values of the changeable columns."""
    return {name: getattr(signal, name) for name in CHANGEABLE}


def make(change: Change, signal: Signal, cursor: JournalCursor, *, using: str) -> OutcomeChange:
    """Change the signal's row and add a row to `outcome_changes`, in the caller's transaction.

    Raises DoesNotFit if the signal does not have the values of `change.before`.
    """
    if not update(Signal, signal.pk, change.after, only_if=change.before, using=using):
        raise DoesNotFit(f"the signal no longer has the values before the change: {change.before}")
    row = OutcomeChange(
        change_id=change.change_id,
        signal=signal,
        journal=cursor,
        who=change.who,
        at=change.at,
        why=change.why,
        before=change.before,
        after=change.after,
    )
    insert(row, using=using)
    return row


def apply_change(stored: StoredChange, cursor: JournalCursor, *, using: str) -> Fault | None:
    """Apply a journaled change, unless the database has it; return a Fault if that fails."""
    change = stored.change
    if OutcomeChange.objects.using(using).filter(change_id=change.change_id).exists():
        return None
    signal = Signal.objects.using(using).filter(signal_id=change.signal_id).first()
    try:
        if signal is None:
            raise DoesNotFit("there is no such signal")
        make(change, signal, cursor, using=using)
    except DoesNotFit as error:
        return Fault(DeadLetter.Kind.CHANGE, stored.line, str(error), change.signal_id)
    return None
