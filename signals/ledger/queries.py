"""Reads the ledger: filters of signals, and one signal."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from argo.errors import NotFound
from signals.ledger.instants import within
from signals.ledger.records import CONTEXT, MADE
from signals.ledger.spellings import Spellings, spellings_of
from signals.ledger.validation import Label
from signals.models import OutcomeChange, Signal
from signals.timestamps import parse_utc

COLUMNS = tuple(field.attname for field in Signal._meta.concrete_fields)
PATHS = {
    **{name: name for name in COLUMNS},
    **{name: f"context__{name}" for name in (*MADE, *CONTEXT, "extra")},
}
"""The columns of a signal and of its context, as Django finds them."""
Moment = Annotated[datetime, BeforeValidator(parse_utc)]
"""Takes no number: 2012 would mean seconds since 1970, and every signal would pass."""


class SignalFilter(BaseModel):
    """Selects signals; a field that is left out does not limit them."""

    model_config = ConfigDict(extra="forbid")

    symbol: Label | None = None
    action: Literal["BUY", "SELL"] | None = None
    strategy: Label | None = None
    outcome: Literal["win", "loss", "breakeven", "expired", "open"] | None = None
    min_confidence: float | None = Field(None, ge=0, le=100)
    max_confidence: float | None = Field(None, ge=0, le=100)
    since: Moment | None = Field(None, description="A time with an offset; this second and later")
    until: Moment | None = Field(None, description="A time with an offset; this second and earlier")

    @cached_property
    def spellings(self) -> Spellings | None:
        """Return the spellings of the instrument that `symbol` means; None without a symbol."""
        return None if self.symbol is None else spellings_of(self.symbol)

    @property
    def has_index(self) -> bool:
        """Return whether an index answers it: it selects by symbol and time alone."""
        values = (self.action, self.strategy, self.outcome)
        return not any(
            value is not None for value in (*values, self.min_confidence, self.max_confidence)
        )

    def apply(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Return those of `signals` that pass."""
        return within(self.selected(signals), self.since, self.until)

    def selected(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Return those of `signals` that pass, at any time."""
        chosen = signals.filter(**self._equalities(), **self._ranges())
        return chosen if self.spellings is None else self.spellings.of(chosen)

    def count(self) -> int:
        """Return how many signals pass."""
        return self.apply(Signal.objects.all()).count()

    def _equalities(self) -> dict[str, Any]:
        wanted = {
            "action": self.action,
            "strategy": self.strategy,
            "outcome": self.outcome,
        }
        if self.outcome == "open":
            del wanted["outcome"]
            return {"outcome": None} | _given(wanted)
        return _given(wanted)

    def _ranges(self) -> dict[str, Any]:
        return _given(
            {
                "confidence__gte": self.min_confidence,
                "confidence__lte": self.max_confidence,
            }
        )


def no_such_signal(signal_id: str) -> NotFound:
    """Return the one error for a signal that is not in the database."""
    return NotFound(f"There is no signal {signal_id}, or it is not in the database yet.")


def signal_of(signal_id: str) -> Signal:
    """Return the signal. Raises `NotFound`."""
    found = named(signal_id).first()
    if found is None:
        raise no_such_signal(signal_id)
    return found


def find_row(signal_id: str) -> int | None:
    """Return the primary key of the signal's row, or None if there is no such signal."""
    return named(signal_id).values_list("pk", flat=True).first()


def row_of(signal_id: str) -> int:
    """Return the primary key of the signal's row. Raises `NotFound`."""
    row = find_row(signal_id)
    if row is None:
        raise no_such_signal(signal_id)
    return row


def named(signal_id: str) -> QuerySet[Signal]:
    """Select by id; nothing if it contains NUL, which PostgreSQL refuses in a parameter."""
    signals = Signal.objects.all()
    return signals.none() if "\0" in signal_id else signals.filter(signal_id=signal_id)


def one(signal_id: str) -> dict[str, Any]:
    """Return one signal with its context and its outcome changes. Raises `NotFound`."""
    row = flat(Signal.objects.filter(pk=row_of(signal_id))).get()
    return unnested(row) | {"changes": _changes(row["id"])}


def changes_of(signal_id: str) -> list[dict[str, Any]]:
    """Return every change of the signal's outcome and order, oldest first. Raises `NotFound`."""
    return _changes(row_of(signal_id))


def _changes(row: int) -> list[dict[str, Any]]:
    changes = OutcomeChange.objects.filter(signal=row).order_by("id")
    return [dict(each) for each in changes.values("who", "at", "why", "before", "after")]


def flat(
    signals: QuerySet[Signal], paths: Iterable[str] = PATHS.values()
) -> QuerySet[Signal, dict[str, Any]]:
    """Return their rows with these columns, whose names `unnested` makes plain."""
    rows: QuerySet[Signal, dict[str, Any]] = signals.values(*paths)
    return rows


def unnested(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `flat` with plain names."""
    return {name.removeprefix("context__"): value for name, value in row.items()}


def _given(conditions: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value is not None}
