"""Reads pages of signals by keyset. No page reads more than a bounded number of rows."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from django.db.models import QuerySet
from pydantic import BaseModel, ConfigDict, Field, field_validator

from signals.dialect import snapshot
from signals.ledger.by_confidence import ranked
from signals.ledger.column_filter import ColumnFilter
from signals.ledger.instants import (
    DOWN,
    UP,
    Order,
    Place,
    has_instants,
    newest,
    newest_by_text,
)
from signals.ledger.marks import Rank, mark, place_of, rank_of
from signals.ledger.queries import PATHS, SignalFilter, flat
from signals.ledger.scan import scan
from signals.ledger.validation import Label
from signals.models import Signal

Row = dict[str, Any]
Sort = Literal["-time", "time", "-confidence", "confidence"]
FIELDS = "Names of fields, separated by commas; without it an item has all fields of a signal"


class Chosen(BaseModel):
    """Selects the fields of an answer."""

    model_config = ConfigDict(extra="forbid")
    known_fields: ClassVar[Mapping[str, str]] = PATHS
    """The fields that can be chosen, and where Django finds them."""

    fields_: str | None = Field(None, alias="fields", description=FIELDS)

    @field_validator("fields_")
    @classmethod
    def _are_known(cls, text: str | None) -> str | None:
        unknown = [name for name in (text or "").split(",") if name not in cls.known_fields]
        if text is not None and unknown:
            raise ValueError(f"has no {', '.join(unknown)}: it takes {', '.join(cls.known_fields)}")
        return text

    @property
    def paths(self) -> dict[str, str]:
        """Return where Django finds each field of the answer, by its name."""
        if self.fields_ is None:
            return dict(PATHS)
        return {name: self.known_fields[name] for name in self.fields_.split(",")}


class PageQuery(ColumnFilter, Chosen):
    """Selects signals, and one page of them."""

    sort: Sort = Field("-time", description="`-` is descending: newest or highest first")
    limit: int = Field(50, ge=1, le=1000)
    after: str | None = Field(None, description="The `next` of the previous page")

    @property
    def order(self) -> Order:
        """Return the order that `sort` means."""
        return DOWN if self.sort.startswith("-") else UP


class LatestQuery(Chosen):
    """Selects the newest signals of all symbols or of one."""

    symbol: Label | None = None
    limit: int = Field(1, ge=1, le=100)


def page(query: PageQuery) -> tuple[list[Row], str | None]:
    """Return up to `limit` signals, newest first or as `sort` says, and the `after` of the next
    page.

    The latter is None on the last page. A page is found by an index on the time, on symbol and
    time, or on the confidence, never by counting. With a filter that has no index the page may be
    short, or empty, and still have a next one: it ends where a bounded scan ended. Raises
    InvalidInput if `after` is not the `next` of an earlier page by the same `sort`.
    """
    if query.signal_id is not None:
        return _page_of_one(query)
    if query.sort.endswith("confidence"):
        return _page_by_confidence(query)
    after = None if query.after is None else place_of(query.after)
    with snapshot():
        if query.has_index and not has_instants():
            return _page_by_text(query, after)
        places, end = _places(query, query.limit + 1, after, None, query.order)
        return _answer(query, places, end)


def find_places(
    wanted: SignalFilter, limit: int, after: str | None, among: QuerySet[Signal] | None = None
) -> tuple[list[Place], str | None]:
    """Return the places of one page of signals, and the `after` of the next page, as `page` does.

    Only signals of `among` pass, if it is given: its conditions are checked by a bounded scan.
    """
    start = None if after is None else place_of(after)
    with snapshot():
        found, end = _places(wanted, limit + 1, start, among, DOWN)
    if len(found) > limit:
        end = found[limit - 1]
    return found[:limit], None if end is None else mark(end)


def _page_of_one(query: PageQuery) -> tuple[list[Row], str | None]:
    """Return the signal with this id, if it passes; nothing comes after it."""
    signals = Signal.objects.all() if query.after is None else Signal.objects.none()
    return _rows(query, list(query.apply(signals).values_list("pk", flat=True))), None


def _page_by_confidence(query: PageQuery) -> tuple[list[Row], str | None]:
    after = None if query.after is None else rank_of(query.after)
    with snapshot():
        ranks, end = ranked(query, query.limit + 1, after, query.order)
        return _answer(query, ranks, end)


def _places(
    wanted: SignalFilter, count: int, after: Place | None, among: QuerySet[Signal] | None,
    order: Order,
) -> tuple[list[Place], Place | None]:  # fmt: skip
    """Return the places of up to `count` signals, and where a scan ended: None if it did not."""
    names = wanted.spellings.names if wanted.spellings else ()
    signals = Signal.objects.all()
    if not wanted.has_index or among is not None:
        return scan(wanted, count, after, among, order)
    if has_instants():
        range_: dict[str, Any] = {"since": wanted.since, "until": wanted.until, "after": after}
        chosen = wanted.selected(signals)
        return newest(chosen, count, symbols=names, order=order, **range_), None
    chosen = newest_by_text(wanted.apply(signals), count, after=after, symbols=names, order=order)
    return [Place(*row) for row in chosen.values_list("timestamp", "pk")[:count]], None


def _page_by_text(query: PageQuery, after: Place | None) -> tuple[list[Row], str | None]:
    """Return a page by the timestamps alone, in one query."""
    names = query.spellings.names if query.spellings else ()
    signals = newest_by_text(
        query.apply(Signal.objects.all()), query.limit + 1, after=after, symbols=names,
        order=query.order,
    )  # fmt: skip
    rows = list(flat(signals, _columns(query, "timestamp"))[: query.limit + 1])
    last = rows[query.limit - 1] if len(rows) > query.limit else None
    end = None if last is None else mark(Place(last["timestamp"], last["id"]))
    return [_item(query, row) for row in rows[: query.limit]], end


def _answer(
    query: PageQuery, places: "list[Place] | list[Rank]", end: Place | Rank | None
) -> tuple[list[Row], str | None]:
    """Return the signals at the first places, and the mark of where the next page begins."""
    rows = _rows(query, [place.row for place in places[: query.limit]])
    if len(places) > query.limit:
        end = places[query.limit - 1]
    return rows, None if end is None else mark(end)


def _rows(query: PageQuery, keys: list[int]) -> list[Row]:
    found = flat(Signal.objects.filter(pk__in=keys), _columns(query))
    rows = {row["id"]: row for row in found}
    return [_item(query, rows[key]) for key in keys]


def _columns(query: PageQuery, *also: str) -> list[str]:
    return list(dict.fromkeys(("id", *also, *query.paths.values())))


def _item(query: PageQuery, row: Row) -> Row:
    return {name: row[path] for name, path in query.paths.items()}
