"""Decides and records how a signal ended: win, loss, breakeven or expired."""

import math
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from argo.errors import Conflict, FieldError, InvalidInput
from signals import metrics
from signals.dialect import for_update
from signals.journal import Journal
from signals.ledger.announcing import announce_outcome
from signals.ledger.changes import Change, encode_change, make, state
from signals.ledger.queries import no_such_signal
from signals.models import JournalCursor, OutcomeChange, Signal
from signals.rows import select_one
from signals.timestamps import utc_text

_SIGNAL = "SELECT * FROM signals WHERE signal_id = %s"
OUTCOMES = ("win", "loss", "breakeven", "expired")
BY_POSITION = "monitor"
"""Who changes an outcome when the signal's position closes; no key and no user has this name."""
NEGLIGIBLE = 1e-6
"""Percent: less than one tick of an instrument, more than the rounding of an average price."""


class AlreadyEnded(Conflict):
    """The signal already has an outcome, and the caller asked to set only an open one."""


def profit_loss_pct(action: str, entry_price: float, exit_price: float | None) -> float | None:
    """Return profit or loss in percent of the entry price, by the seed's formula; never rounded.

    BUY: (exit - entry) / entry * 100; SELL: (entry - exit) / entry * 100. None without an exit
    price.
    """
    if exit_price is None:
        return None
    gain = exit_price - entry_price if action == "BUY" else entry_price - exit_price
    return gain / entry_price * 100


def outcome_of(percent: float, *, expired: bool = False) -> str:
    """Return the outcome for a profit or loss in percent: breakeven if it is less than NEGLIGIBLE.

    A trade that ended because its time was over is `expired`, whatever it made.
    """
    if expired:
        return "expired"
    if abs(percent) < NEGLIGIBLE:
        return "breakeven"
    return "win" if percent > 0 else "loss"


def record_outcome(
    signal_id: str,
    *,
    outcome: str | None,
    exit_price: float | None,
    who: str,
    why: str,
    now: datetime,
    journal: Journal,
    only_if_open: bool = False,
    change_id: str = "",
    using: str = "default",
) -> OutcomeChange | None:
    """Set outcome and exit price, compute the profit or loss, and record who changed it and why.

    It is one transaction, journaled before it commits. `change_id` is a new one unless the caller
    gives it. Return the change, or None if nothing would
    change. Raises InvalidInput, NotFound, and AlreadyEnded if `only_if_open` is set and the signal
    has an outcome.
    """
    with transaction.atomic(using=using):
        signal = locked_signal(signal_id, using)
        if only_if_open and signal.outcome is not None:
            raise AlreadyEnded(f"Signal {signal_id} has ended already: {signal.outcome}.")
        check(signal, outcome, exit_price, why)
        after = {
            "outcome": outcome,
            "exit_price": exit_price,
            "profit_loss_pct": profit_loss_pct(signal.action, signal.entry_price, exit_price),
        }
        return _change(signal, after, who, why, now, journal, using, change_id)


def record_order(
    signal_id: str,
    order_id: str | None,
    *,
    who: str,
    why: str,
    now: datetime,
    journal: Journal,
    using: str = "default",
) -> OutcomeChange | None:
    """Record which order trades the signal; None if no order does.

    Call it inside a transaction, best as the last step: it is journaled before that commits.
    Return the change, or None if nothing would change. Raises NotFound.
    """
    with transaction.atomic(using=using):
        signal = locked_signal(signal_id, using)
        return _change(signal, {"order_id": order_id}, who, why, now, journal, using)


def locked_signal(signal_id: str, using: str) -> Signal:
    """Return the signal, locked until the caller's transaction ends. Raises NotFound."""
    if "\0" in signal_id:  # PostgreSQL refuses it in a parameter
        raise no_such_signal(signal_id)
    signal = select_one(Signal, _SIGNAL + for_update(using), [signal_id], using=using)
    if signal is None:
        raise no_such_signal(signal_id)
    return signal


def _change(
    signal: Signal,
    after: dict[str, Any],
    who: str,
    why: str,
    now: datetime,
    journal: Journal,
    using: str,
    change_id: str = "",
) -> OutcomeChange | None:
    before = state(signal)
    after = before | after
    if before == after:
        return None
    change = Change(
        change_id or uuid4().hex, signal.signal_id, signal.sha256, who, utc_text(now), why,
        before, after,
    )  # fmt: skip
    cursor = JournalCursor.objects.using(using).of(journal.identity)
    row = make(change, signal, cursor, using=using)
    journal.append([encode_change(change)])
    if before["outcome"] != after["outcome"]:
        metrics.OUTCOMES.labels(after["outcome"] or "open").inc()
    announce_outcome(change, signal)
    return row


def check(signal: Signal, outcome: str | None, exit_price: float | None, why: str) -> None:
    """Raise InvalidInput, with every fault, if this outcome cannot be recorded."""
    faults = outcome_faults(signal, outcome, exit_price)
    if not why.strip():
        faults.append(FieldError("why", "say why the outcome is recorded or changed"))
    if faults:
        raise InvalidInput(faults)


def outcome_faults(
    signal: Signal, outcome: str | None, exit_price: float | None
) -> list[FieldError]:
    """Return why the signal cannot have this outcome and this exit price."""
    faults = []
    if outcome is not None and outcome not in OUTCOMES:
        faults.append(FieldError("outcome", f"must be one of {', '.join(OUTCOMES)}, or empty"))
    if exit_price is not None and not _is_price(exit_price):
        faults.append(FieldError("exit_price", "must be a finite number above 0, or empty"))
    return faults or _contradictions(signal, outcome, exit_price)


def derived_outcome(signal: Signal, exit_price: float | None) -> str:
    """Return the outcome that follows from the exit price. Raises InvalidInput if none does."""
    if faults := outcome_faults(signal, None, exit_price):
        raise InvalidInput(faults)
    percent = profit_loss_pct(signal.action, signal.entry_price, exit_price)
    if percent is None:
        raise InvalidInput([FieldError("exit_price", "is needed: the outcome follows from it")])
    return outcome_of(percent)


def _contradictions(
    signal: Signal, outcome: str | None, exit_price: float | None
) -> list[FieldError]:
    """Compare an outcome and an exit price that are valid each by itself."""
    if exit_price is None:
        is_needed = outcome not in (None, "expired")
        fault = FieldError("exit_price", f"is needed for the outcome {outcome}")
        return [fault] if is_needed else []
    if not _is_price(signal.entry_price):  # of an imported signal
        message = f"gives no profit or loss: the signal's entry price is {signal.entry_price}"
        return [FieldError("exit_price", message)]
    percent = profit_loss_pct(signal.action, signal.entry_price, exit_price) or 0.0
    if not math.isfinite(percent):
        return [FieldError("exit_price", "is too far from the entry price: no number can hold it")]
    if outcome in (None, "expired", outcome_of(percent)):
        return []
    message = f"is not a {outcome}: at this exit price it is {percent:+.4g}%"
    return [FieldError("outcome", message)]


def _is_price(value: float) -> bool:
    return math.isfinite(value) and value > 0
