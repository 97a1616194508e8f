"""Outcome changes as journal lines, and how one is applied to the signal it is about.

The journal has a line for each change too, so that it alone can rebuild every row.
"""

from typing import Any, NamedTuple

import orjson

from signals.journal import Line
from signals.ledger.dead_letters import Fault
from signals.ledger.records import BadLine
from signals.models import DeadLetter, JournalCursor, OutcomeChange, Signal
from signals.rows import insert, update

CHANGEABLE = ("outcome", "exit_price", "profit_loss_pct", "order_id")


class Change(NamedTuple):
    """One change: who, when and why, and the changeable columns before and after."""

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
    """The signal is not in the state that the change starts from."""


def encode_change(change: Change) -> bytes:
    """The change's journal line."""
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
    """The change that a journal line holds under `change`. Raises BadLine."""
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
        raise BadLine(f"is no outcome change: it lacks {error}") from None
    return StoredChange(change, line)


def stored_change(row: OutcomeChange) -> Change:
    """The change that a row of `outcome_changes` keeps; its signal is to be selected with it."""
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
    """The changeable columns as they are."""
    return {name: getattr(signal, name) for name in CHANGEABLE}


def make(change: Change, signal: Signal, cursor: JournalCursor, *, using: str) -> OutcomeChange:
    """Change the row and say so in `outcome_changes`, inside the caller's transaction.

    Raises DoesNotFit where the row is not as `change.before` says.
    """
    if not update(Signal, signal.pk, change.after, only_if=change.before, using=using):
        raise DoesNotFit(f"the signal is not as the change found it: {change.before}")
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
    """Make a journaled change that the database does not have yet; why not, where it cannot be."""
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
