"""Selects signals for analysis, as they are now or as they were known at a moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.db.models import Q, QuerySet
from pydantic import Field

from signals.ledger.outcome_history import OUTCOME_COLUMNS
from signals.ledger.queries import Moment, SignalFilter
from signals.ledger.validation import Label
from signals.models import CHANGEABLE, OutcomeChange, Signal
from signals.retrieval.nested import as_text, value_of
from signals.timestamps import moment_of, texts_upto

Row = dict[str, Any]


class Change(NamedTuple):
    """A change of a signal's outcome or order; `at` is a text in UTC."""

    at: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def is_of_outcome(self) -> bool:
        """Return False for a change of the order alone."""
        return any(self.before.get(name) != self.after.get(name) for name in OUTCOME_COLUMNS)


class Wanted(Protocol):
    """Selects signals, and completes their rows."""

    @property
    def as_of(self) -> datetime | None:
        """Return the moment that the rows are of; None for now."""

    def apply(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Return those of `signals` that pass."""

    def complete(self, rows: Sequence[Row]) -> list[Row]:
        """Complete the rows, at least one; return those that still pass."""


class Selection(SignalFilter):
    """Selects signals; a field that is left out does not limit them.

    With `as_of` only what was known then counts: signals that were received by then, each with its
    outcome and order as they were. The time that a signal claims plays no part in this.
    """

    regime: Label | None = None
    origin: Label | None = Field(None, description="`api`, `import`, `replay`, ...")
    as_of: Moment | None = Field(
        None, description="A time with an offset; only what was known then, by receipt"
    )

    def apply(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Return those of `signals` that pass; `complete` may still leave some of them out."""
        chosen = super().apply(signals)
        for name in ("regime", "origin"):
            if (wanted := getattr(self, name)) is not None:
                chosen = chosen.filter(**{f"context__{name}": wanted})
        if self.as_of is not None:
            last, whole = texts_upto(self.as_of)
            received = Q(context__received_at__lte=last) | Q(context__received_at=whole)
            chosen = chosen.filter(received)
        return chosen

    def complete(self, rows: Sequence[Row]) -> list[Row]:
        """Make the rows, at least one, what was known at `as_of`, and give each its `outcome_at`:
        when its outcome was recorded or last changed.

        Return those that still pass: an outcome may have changed after a row was selected.
        """
        changes = _changes([row["id"] for row in rows])
        for row in rows:
            row.update(_state(changes.get(row["id"], ()), self.as_of))
        return [row for row in rows if self._has_outcome(row["outcome"])]

    def _has_outcome(self, outcome: str | None) -> bool:
        wanted = None if self.outcome == "open" else self.outcome
        return self.outcome is None or outcome == wanted

    def _equalities(self) -> dict[str, Any]:
        """Leave out the outcome of an earlier moment, which `complete` compares."""
        wanted = super()._equalities()
        if self.as_of is not None:
            wanted.pop("outcome", None)
        return wanted


def among(column: str, keys: Sequence[int]) -> Q:
    """Return a condition that `column` is one of these keys, which are in order and at least one.

    If they are nearly without gaps it is a range, which also has the keys in the gaps: a list of
    thousands of keys takes longer to write than its rows to read.
    """
    if keys[-1] - keys[0] < 2 * len(keys):
        return Q(**{f"{column}__gte": keys[0], f"{column}__lte": keys[-1]})
    return Q(**{f"{column}__in": list(keys)})


def _changes(ids: Sequence[int]) -> dict[int, list[Change]]:
    """Return the changes of each signal that has any, oldest first."""
    rows = OutcomeChange.objects.filter(among("signal", ids)).order_by("id")
    found: dict[int, list[Change]] = defaultdict(list)
    texts = rows.values_list("signal_id", "at", as_text("before"), as_text("after"))
    for signal, at, before, after in texts:
        found[signal].append(Change(at, value_of(before), value_of(after)))
    return found


def _state(changes: Sequence[Change], as_of: datetime | None) -> Row:
    """Return the changeable columns as they were, if they differ from now, and `outcome_at`.

    Each change starts from the result of the one before. So what was known ends before the first
    change that came later, whatever the clocks of several machines said of the others.
    """
    known, state = list(changes), {}
    if as_of is not None:
        last, whole = texts_upto(as_of)
        for place, change in enumerate(changes):
            if not (change.at <= last or change.at == whole):
                known = known[:place]
                state = {name: change.before.get(name) for name in CHANGEABLE}
                break
    moved = [change.at for change in known if change.is_of_outcome]
    return state | {"outcome_at": moment_of(moved[-1]) if moved else None}
