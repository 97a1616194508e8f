"""Edits outcomes as programs and people ask for it: one, only if it is as they saw it, or many."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from argo.errors import ArgoError, Conflict, FieldError, InvalidInput, NotFound
from signals import acts
from signals.journal import Journal
from signals.ledger.outcome_history import RecordedOutcome, read_outcome
from signals.ledger.outcomes import (
    locked_signal,
    outcome_faults,
    profit_loss_pct,
    record_outcome,
)
from signals.ledger.validation import Price, Why, faults_of
from signals.models import OutcomeChange, Signal

ANY_TAG = "*"
"""Matches every outcome, as in `If-Match: *`."""
CHANGES = ("outcome", "exit_price")


class OutcomeEdit(BaseModel):
    """A change of an outcome. A field that is left out stays as it is, and null clears it.

    The profit or loss is computed.
    """

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["win", "loss", "breakeven", "expired"] | None = Field(
        None, description="Null opens the signal again"
    )
    exit_price: Price | None = None
    why: Why = Field(description="Kept with the change", examples=["target reached"])


class StaleTag(Conflict):
    """The outcome was changed since the caller read it."""

    status = 412


class Planned(NamedTuple):
    """An outcome to be recorded, after everything in it was checked."""

    outcome: str | None
    exit_price: float | None
    profit_loss_pct: float | None
    why: str


class Edit(NamedTuple):
    """One edit of many: the fields as in `OutcomeEdit`, and the tags that the outcome may have."""

    signal_id: str
    fields: Mapping[str, Any]
    tags: Collection[str] = (ANY_TAG,)


class Edited(NamedTuple):
    """The outcome after an edit; `changed` is False if it had these values before."""

    recorded: RecordedOutcome
    changed: bool


def planned(signal: Signal, fields: Mapping[str, Any]) -> Planned:
    """Return what an edit with these fields would record. Raises InvalidInput with every fault."""
    faults = edit_faults(OutcomeEdit, fields)
    if not any(fault.field in CHANGES for fault in faults):
        outcome, exit_price = _merged(signal, fields)
        faults += outcome_faults(signal, outcome, exit_price)
    if faults:
        raise InvalidInput(faults)
    percent = profit_loss_pct(signal.action, signal.entry_price, exit_price)
    return Planned(outcome, exit_price, percent, OutcomeEdit.model_validate(fields).why)


def edit_faults(model: type[OutcomeEdit], fields: Mapping[str, Any]) -> list[FieldError]:
    """Return every field that is invalid by itself."""
    faults = []
    if not any(name in fields for name in CHANGES):
        faults.append(FieldError("outcome", "is missing: give outcome, exit_price or both"))
    try:
        model.model_validate(fields)
    except ValidationError as error:
        faults += faults_of(error)
    return faults


def _merged(signal: Signal, fields: Mapping[str, Any]) -> tuple[str | None, float | None]:
    """Return outcome and exit price after the edit; those given are valid, each by itself."""
    exit_price = fields.get("exit_price", signal.exit_price)
    return fields.get("outcome", signal.outcome), None if exit_price is None else float(exit_price)


def edit_outcome(
    signal_id: str,
    fields: Mapping[str, Any],
    tags: Collection[str],
    *,
    who: str,
    now: datetime,
    journal: Journal,
    change_id: str = "",
    using: str = "default",
) -> Edited:
    """Change the outcome if its ETag is one of `tags`, or `tags` has ANY_TAG.

    If the caller gives the id of the change, and there is such a change, it is made already.

    The comparison and the change are one transaction, as in `record_outcome`. A weak tag matches
    nothing (RFC 9110, 13.1.1). Raises NotFound, StaleTag, and InvalidInput with every fault.
    """
    with transaction.atomic(using=using):
        signal = locked_signal(signal_id, using)
        before = read_outcome(signal_id, using=using)
        if change_id and _is_made(change_id, using):
            return Edited(before, changed=True)
        if ANY_TAG not in tags and before.etag not in tags:
            raise StaleTag(
                f"The outcome of {signal_id} is not the one that you have seen: its ETag is "
                f"{before.etag}. Read the outcome again, then decide."
            )
        wanted = planned(signal, fields)
        change = record_outcome(
            signal_id, outcome=wanted.outcome, exit_price=wanted.exit_price, why=wanted.why,
            who=who, now=now, journal=journal, change_id=change_id, using=using,
        )  # fmt: skip
        after = read_outcome(signal_id, using=using) if change else before
        if change:
            acts.record(
                acts.Kind.OUTCOME, f"{signal.action} {signal.symbol}", who=who, at=now,
                signal_id=signal_id, before=_words(change.before), after=_words(change.after),
                why=wanted.why, using=using,
            )  # fmt: skip
        return Edited(after, changed=change is not None)


def _is_made(change_id: str, using: str) -> bool:
    return OutcomeChange.objects.using(using).filter(change_id=change_id).exists()


def _words(state: Mapping[str, Any]) -> str:
    """Return an outcome for people: `win at 105 (+5%)`."""
    price, percent = state["exit_price"], state["profit_loss_pct"]
    at = "" if price is None else f" at {price:.6g}"
    return f"{state['outcome'] or 'open'}{at}{'' if percent is None else f' ({percent:+.4g}%)'}"


def edit_each(
    edits: Iterable[Edit | InvalidInput],
    *,
    who: str,
    now: datetime,
    journal: Journal,
    using: str = "default",
) -> list[Edited | ArgoError]:
    """Make each edit by itself; return its result or its error, in order.

    If they are of a request that comes again, those that are made already are not made twice.
    An item that could not be read is passed as its InvalidInput. Raises what is about no single
    edit, such as JournalError; the edits before it are made.
    """
    make = partial(edit_outcome, who=who, now=now, journal=journal, using=using)
    request = acts.current_request()
    return [
        _result(edit, partial(make, change_id=request.id_of(number) if request else ""))
        for number, edit in enumerate(edits)
    ]


def _result(edit: Edit | InvalidInput, make: Callable[..., Edited]) -> Edited | ArgoError:
    if isinstance(edit, InvalidInput):
        return edit
    try:
        return make(*edit)
    except (InvalidInput, NotFound, StaleTag) as error:
        return error
