"""Makes the events of the feed from their rows, as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connections

from signals.events import EventType
from signals.ledger.queries import flat, unnested
from signals.models import CHANGEABLE, OutcomeChange, Signal


class Entry(NamedTuple):
    """What the feed shows at an index: a signal or a change, by primary key.

    `byte` is where its line begins; None if it was entered without one.
    """

    index: int  # type: ignore[assignment]  # it hides a tuple's method
    signal: int | None
    change: int | None
    byte: int | None


def event_bodies(entries: Sequence[Entry], using: str) -> list[tuple[EventType, bytes]]:
    """Return type and JSON of each entry."""
    signals = _signals({each.signal for each in entries if each.signal}, using)
    changes = _changes({each.change for each in entries if each.change}, using)
    return [
        _body(EventType.SIGNAL_STORED, each.index, signals[each.signal], "received_at")
        if each.signal
        else _body(EventType.SIGNAL_OUTCOME, each.index, changes[each.change], "at")
        for each in entries
    ]


def _body(
    kind: EventType, index: int, data: Mapping[str, Any], time: str
) -> tuple[EventType, bytes]:
    event = {"index": index, "type": kind, "timestamp": data[time], "data": data}
    return kind, orjson.dumps(event)


def _signals(keys: Iterable[int], using: str) -> dict[int | None, dict[str, Any]]:
    """Return signals as they were stored, before every change: an event never changes.

    The changes are read last: so none is missing that has changed a row by now.
    """
    signals = Signal.objects.using(using).filter(pk__in=keys)
    found: dict[int | None, dict[str, Any]] = {row["id"]: unnested(row) for row in flat(signals)}
    for row, before in _first_changes(found, using):
        found[row] |= {name: before[name] for name in CHANGEABLE}
    for data in found.values():
        del data["id"]
    return found


def _first_changes(signals: Iterable[int | None], using: str) -> Iterable[tuple[int, Any]]:
    """Yield each changed signal, and the values before its first change."""
    changes = OutcomeChange.objects.using(using).filter(signal__in=signals).order_by("-id")
    return dict(changes.values_list("signal_id", "before")).items()


def _changes(keys: Iterable[int], using: str) -> dict[int | None, dict[str, Any]]:
    changes = OutcomeChange.objects.using(using).filter(pk__in=keys)
    rows = changes.values(
        "id", "change_id", "who", "at", "why", "before", "after",
        "signal__signal_id", "signal__sha256", "signal__symbol", "signal__strategy",
    )  # fmt: skip
    return {row["id"]: _plain(dict(row)) for row in rows}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return the values by the names that events have."""
    return {name.removeprefix("signal__"): row[name] for name in row if name != "id"}


def entries_after(index: int, limit: int, using: str) -> list[Entry]:
    """Return the next entries after an index."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT id, signal, change, byte FROM sequence_entries WHERE id > %s ORDER BY id "
            "LIMIT %s",
            [index, limit],
        )
        return list(map(Entry._make, cursor.fetchall()))
