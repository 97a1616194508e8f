"""Reads how a signal ended: who or what decided it, what was edited since, and the ETag of it."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from signals.ledger.outcomes import BY_POSITION
from signals.ledger.queries import named, no_such_signal
from signals.models import OutcomeChange, Signal

OUTCOME_COLUMNS = ("outcome", "exit_price", "profit_loss_pct")
_CHANGE = ("change_id", "who", "at", "why", "before", "after")


class PositionDecided(NamedTuple):
    """What a position decided when it closed; `at` is a text in UTC."""

    outcome: str
    exit_price: float | None
    profit_loss_pct: float | None
    at: str
    why: str


class RecordedOutcome(NamedTuple):
    """How a signal ended; `outcome` is None while it is open.

    The first outcome decides it, or later the one of its position, which is `position_decided`;
    `edited` is True if it was changed after that. `etag` is a strong entity tag of RFC 9110, with
    its quotes: another one after every change of the outcome.
    """

    signal_id: str
    outcome: str | None
    exit_price: float | None
    profit_loss_pct: float | None
    decided_by_position: bool
    edited: bool
    position_decided: PositionDecided | None
    etag: str


def read_outcome(signal_id: str, *, using: str = "default") -> RecordedOutcome:
    """Return the signal's outcome. Raises NotFound.

    One statement reads it with its changes, so that both are of one moment.
    """
    columns = ("signal_id", *OUTCOME_COLUMNS, *(f"changes__{name}" for name in _CHANGE))
    rows = list(named(signal_id).using(using).order_by("changes__id").values(*columns))
    if not rows:
        raise no_such_signal(signal_id)
    signal = Signal(**{name: rows[0][name] for name in ("signal_id", *OUTCOME_COLUMNS)})
    changes = [
        OutcomeChange(**{name: row[f"changes__{name}"] for name in _CHANGE})
        for row in rows
        if row["changes__change_id"] is not None
    ]
    return recorded(signal, changes)


def recorded(signal: Signal, changes: Iterable[OutcomeChange]) -> RecordedOutcome:
    """Return the signal's outcome, given all its changes, oldest first."""
    moves = [change for change in changes if _moved(change)]
    decided = next(iter(reversed(decisions(moves))), None)
    later = moves[moves.index(decided) + 1 :] if decided else moves
    position = decided if decided and decided.who == BY_POSITION else None
    return RecordedOutcome(
        signal.signal_id,
        signal.outcome,
        signal.exit_price,
        signal.profit_loss_pct,
        decided_by_position=position is not None,
        edited=any(decided or change.before.get("outcome") for change in later),
        position_decided=_decision(position) if position else None,
        etag=_tag(signal, moves[-1].change_id if moves else ""),
    )


def decisions(changes: Iterable[OutcomeChange]) -> list[OutcomeChange]:
    """Return the changes that decided the outcome: the first, and that of a position.

    All others are edits. An imported signal brings its outcome, so that every change of it is one.
    """
    found, had_one = [], False
    for change in changes:
        before, after = change.before.get("outcome"), change.after.get("outcome")
        decides = change.who == BY_POSITION or not had_one
        if decides and before is None and after is not None:
            found.append(change)
        had_one = had_one or before is not None or after is not None
    return found


def _moved(change: OutcomeChange) -> bool:
    """Return False for a change of the order alone."""
    return any(change.before.get(name) != change.after.get(name) for name in OUTCOME_COLUMNS)


def _decision(change: OutcomeChange) -> PositionDecided:
    values: dict[str, Any] = {name: change.after.get(name) for name in OUTCOME_COLUMNS}
    return PositionDecided(**values, at=change.at, why=change.why)


def _tag(signal: Signal, last_change: str) -> str:
    """Cover the values too: a script may change them without a change that is recorded."""
    values = [getattr(signal, name) for name in ("signal_id", *OUTCOME_COLUMNS)]
    digest = hashlib.sha256(orjson.dumps([*values, last_change])).hexdigest()
    return f'"{digest[:32]}"'
