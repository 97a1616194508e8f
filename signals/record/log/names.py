"""Strategies and accounts are entered by name before their first signal or decision."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connections

from signals.dialect import among
from signals.inserting import insert_typed
from signals.record.formats.entries import Entry
from signals.record.log.drafts import Draft, draft_of
from signals.timestamps import utc_text

NAME = {"kind": "text", "note": "text", "entry": "bigint"}
Name = tuple[str, str]
"""The kind of an entry and a name, as JSON."""


def unnamed(kind: str, notes: Iterable[str], using: str) -> list[Name]:
    """Return the names of this kind that have no entry, each once, in order."""
    wanted = list(dict.fromkeys(notes))
    if not wanted:
        return []
    condition, parameter = among(using, "note", wanted)
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT note FROM record_names WHERE kind = %s AND {condition}",  # noqa: S608
            [kind, parameter],
        )
        known = {row[0] for row in cursor.fetchall()}
    return [(kind, note) for note in wanted if note not in known]


def drafts_of(names: Sequence[Name], now: datetime) -> list[Draft]:
    """Return the entries that name them."""
    return [_draft(kind, note, utc_text(now)) for kind, note in names]


def _draft(kind: str, note: str, at: str) -> Draft:
    name: str = json.loads(note)
    return draft_of(Entry(at, kind, note=name))


def store(names: Sequence[Name], first: int, using: str) -> None:
    """Remember the names whose entries begin at this index, in the transaction that made them."""
    rows = [(*name, index) for index, name in enumerate(names, first)]
    insert_typed(using, "record_names", NAME, rows)
