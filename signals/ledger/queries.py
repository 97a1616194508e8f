"""Reads the ledger: one signal, or a page of signals by keyset."""

import base64
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from argo.errors import FieldError, InvalidInput, NotFound
from signals.ledger.instants import Place, has_instants, newest, newest_by_text, within
from signals.ledger.records import CONTEXT, MADE
from signals.ledger.spellings import Spellings, spellings_of
from signals.ledger.validation import Label
from signals.models import OutcomeChange, Signal
from signals.timestamps import instant_text, parse_utc

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
    after = None if query.after is None else _place(query.after)
    found = (_by_instant if has_instants() else _by_text)(query, after)
    wanted = found[: query.limit]
    following = _mark(wanted[-1][0]) if len(found) > query.limit else None
    return [row for _, row in wanted], following


def _by_text(query: PageQuery, after: Place | None) -> list[tuple[Place, dict[str, Any]]]:
    """Return one signal more than the page has, each with its place: by the timestamps alone."""
    names = query.spellings.names if query.spellings else ()
    signals = newest_by_text(
        query.apply(Signal.objects.all()), query.limit + 1, after=after, symbols=names
    )
    rows = list(_flat(signals)[: query.limit + 1])
    return [(Place(row["timestamp"], row["id"]), _unnested(row)) for row in rows]


def _by_instant(query: PageQuery, after: Place | None) -> list[tuple[Place, dict[str, Any]]]:
    """Return the same if there are timestamps that do not sort by time."""
    places = newest(
        query.selected(Signal.objects.all()), query.limit + 1, since=query.since,
        until=query.until, after=after, symbols=query.spellings.names if query.spellings else (),
    )  # fmt: skip
    signals = Signal.objects.filter(pk__in=[place.row for place in places])
    rows = {row["id"]: row for row in _flat(signals)}
    return [(place, _unnested(rows[place.row])) for place in places]


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


def _mark(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place.row} {place.at}".encode()).decode()


def _place(mark: str) -> Place:
    """Return the place that a mark names, one of an older version too."""
    try:
        row, _, at = base64.urlsafe_b64decode(mark).decode().partition(" ")
        if "\0" in at or not 0 <= int(row) < 2**63:
            raise ValueError(mark)
    except ValueError:  # binascii.Error is one
        message = "must be the `next` of an earlier page, unchanged"
        raise InvalidInput([FieldError("after", message)]) from None
    instant = instant_text(at)
    return Place(at if instant is None else instant, int(row))
