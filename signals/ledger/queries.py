"""Reads the ledger: one signal, or a page of signals by keyset."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from argo.errors import FieldError, InvalidInput, NotFound
from signals.ledger.records import CONTEXT, MADE
from signals.ledger.spellings import Spellings, spellings_of
from signals.ledger.validation import Label
from signals.models import OutcomeChange, Signal
from signals.timestamps import parse_utc, range_end, range_start

COLUMNS = tuple(field.attname for field in Signal._meta.concrete_fields)
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

    def apply(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Return those of `signals` that pass."""
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
                "timestamp__gte": self.since and range_start(self.since),
                "timestamp__lt": self.until and range_end(self.until),
            }
        )


class PageQuery(SignalFilter):
    """Selects signals, and one page of them."""

    limit: int = Field(50, ge=1, le=1000)
    after: str | None = Field(None, description="The `next` of the previous page")


class LatestQuery(BaseModel):
    """Selects the newest signals of all symbols or of one."""

    model_config = ConfigDict(extra="forbid")

    symbol: Label | None = None
    limit: int = Field(1, ge=1, le=100)


def page(query: PageQuery) -> tuple[list[dict[str, Any]], str | None]:
    """Return up to `limit` signals, newest first, and the `after` of the next page.

    The latter is None on the last page. Every page costs the same: it is found by an index
    (signals_time or signals_symbol_time), never by counting; an instrument with several spellings
    costs as much as that many pages. Raises InvalidInput if `after` is not the `next` of an
    earlier page.
    """
    signals, limit = query.apply(Signal.objects.all()), query.limit
    if query.after is not None:
        timestamp, row = _position(query.after)
        signals = signals.filter(timestamp__lte=timestamp).exclude(timestamp=timestamp, id__gte=row)
    names = query.spellings.names if query.spellings else ()
    rows = list(_flat(_newest(signals, names, limit + 1))[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return [_unnested(row) for row in rows], _mark(rows[-1]) if more else None


def _newest(signals: QuerySet[Signal], names: Sequence[str], count: int) -> QuerySet[Signal]:
    """Return the signals, newest first: at least the first `count` of them.

    With several names the newest of each are found by the index; the database would sort them all.
    """
    ordered = signals.order_by("-timestamp", "-id")
    if len(names) < 2:
        return ordered
    newest = (ordered.filter(symbol=name).values_list("pk", flat=True)[:count] for name in names)
    rows = [row for each in newest for row in each]
    return Signal.objects.filter(pk__in=rows).order_by("-timestamp", "-id")


def batches(wanted: SignalFilter, size: int = 5000) -> Iterator[list[dict[str, Any]]]:
    """Yield all signals that pass, oldest row first, in batches; each is a short read."""
    signals, last = _flat(wanted.apply(Signal.objects.all())), 0
    while rows := list(signals.filter(id__gt=last).order_by("id")[:size]):
        yield [_unnested(row) for row in rows]
        last = rows[-1]["id"]


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
    row = _flat(Signal.objects.filter(pk=row_of(signal_id))).get()
    return _unnested(row) | {"changes": _changes(row["id"])}


def changes_of(signal_id: str) -> list[dict[str, Any]]:
    """Return every change of the signal's outcome and order, oldest first. Raises `NotFound`."""
    return _changes(row_of(signal_id))


def _changes(row: int) -> list[dict[str, Any]]:
    changes = OutcomeChange.objects.filter(signal=row).order_by("id")
    return [dict(each) for each in changes.values("who", "at", "why", "before", "after")]


def _flat(signals: QuerySet[Signal]) -> QuerySet[Signal, dict[str, Any]]:
    rows: QuerySet[Signal, dict[str, Any]] = signals.values(
        *COLUMNS, *(f"context__{name}" for name in (*MADE, *CONTEXT, "extra"))
    )
    return rows


def _unnested(row: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("context__"): value for name, value in row.items()}


def _given(conditions: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value is not None}


def _mark(row: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['id']} {row['timestamp']}".encode()).decode()


def _position(mark: str) -> tuple[str, int]:
    try:
        row, _, timestamp = base64.urlsafe_b64decode(mark).decode().partition(" ")
        parse_utc(timestamp)
        return timestamp, int(row)
    except (binascii.Error, ValueError):
        message = "must be the `next` of an earlier page, unchanged"
        raise InvalidInput([FieldError("after", message)]) from None
