"""The table of spellings: which instrument each symbol of the signals means.

The flush adds a spelling when it is first seen; the task that sums signals adds what a flush that
died, or a script, left out. A change of the rules (the operator's file, or a
new version of Argo) makes rows stale: a reader reads such a row anew, and `read_again` stores it.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from django.db import connections, transaction
from django.db.models import Model, Q, QuerySet

from argo.errors import InvalidInput
from signals.dialect import among
from signals.instruments import instrument, rules
from signals.models import InstrumentSpelling
from signals.rows import update_each

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound=Model)
_INSERT = """
INSERT INTO instrument_spellings (spelling, asset_type, instrument, rules) VALUES (%s, %s, %s, %s)
ON CONFLICT (spelling, asset_type) DO NOTHING
"""
_BETWEEN = "SELECT DISTINCT symbol, asset_type FROM signals WHERE id > %s AND id <= %s"


class Seen(NamedTuple):
    """A symbol as a signal has it, and the sender's word for its kind."""

    spelling: str
    asset_type: str


@dataclass(frozen=True)
class Spellings:
    """The spellings of the instruments that a symbol means.

    `names` are the symbols that their signals may have. `others` are those of the names that also
    mean another instrument, with the asset types that say so.
    """

    names: tuple[str, ...]
    others: tuple[Seen, ...] = ()

    def of(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Return the rows of these instruments; the rows are signals."""
        found = rows.filter(symbol=self.names[0]) if len(self.names) == 1 else (
            rows.filter(symbol__in=self.names)
        )  # fmt: skip
        for spelling, asset_type in self.others:
            found = found.exclude(symbol=spelling, asset_type=asset_type)
        return found


def learn(seen: Collection[Seen], *, using: str = "default") -> None:
    """Store the spellings that are not stored yet."""
    if not seen:
        return
    condition, parameter = among(using, "spelling", sorted({each.spelling for each in seen}))
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"SELECT spelling, asset_type FROM instrument_spellings WHERE {condition}",  # noqa: S608
            [parameter],
        )
        new = sorted(set(seen) - set(map(Seen._make, cursor.fetchall())))
        if new:
            with transaction.atomic(using=using):
                cursor.executemany(_INSERT, [_row(each) for each in new])


def seen_between(after: int, upto: int, *, using: str = "default") -> set[Seen]:
    """Return the spellings of the signals with primary keys after `after` and up to `upto`."""
    with connections[using].cursor() as cursor:
        cursor.execute(_BETWEEN, [after, upto])
        return set(map(Seen._make, cursor.fetchall()))


def _row(seen: Seen) -> tuple[str, ...]:
    """Return the row of a spelling; a stale one if the operator's file is invalid.

    An invalid file must not keep signals from being stored.
    """
    try:
        return (*seen, instrument(*seen).symbol, rules())
    except InvalidInput as error:
        logger.error("The spelling %s cannot be read: %s", seen.spelling, error)
        return (*seen, "", "")


def read_again(*, using: str = "default") -> int:
    """Store anew what the present rules make of stale rows; return how many there were."""
    current = rules()
    stale = {
        row.pk: {"instrument": instrument(row.spelling, row.asset_type).symbol, "rules": current}
        for row in _rows(using).filter(_stale())
    }
    update_each(InstrumentSpelling, stale, using=using)
    return len(stale)


def spellings_of(symbol: str, *, using: str = "default") -> Spellings:
    """Return the spellings of the instrument that a symbol means, in any spelling.

    If signals have exactly this symbol, it means what it means there.
    """
    text = symbol.strip().upper()
    meant = {name for _, name in _read(_rows(using).filter(spelling=text))}
    wanted = meant or {instrument(text).symbol}
    known = _read(_rows(using).filter(Q(instrument__in=wanted) | _stale()))
    names = {text, *wanted, *(seen.spelling for seen, name in known if name in wanted)}
    same = _read(_rows(using).filter(spelling__in=names))
    others = tuple(sorted(seen for seen, name in same if name not in wanted))
    return Spellings(tuple(sorted(names)), others)


def seen_spellings(symbol: str, *, using: str = "default") -> list[Seen]:
    """Return the spellings and asset types that signals of this instrument have."""
    wanted = instrument(symbol).symbol
    known = _read(_rows(using).filter(Q(instrument=wanted) | _stale()))
    return sorted(seen for seen, name in known if name == wanted)


def stale_names(*, using: str = "default") -> list[tuple[str, str]]:
    """Return each spelling whose row is stale, with its instrument by the present rules."""
    return [(seen.spelling, name) for seen, name in _read(_rows(using).filter(_stale()))]


def _read(rows: Iterable[InstrumentSpelling]) -> list[tuple[Seen, str]]:
    """Return each row's spelling with its instrument; a stale row is read by the present rules."""
    current = rules()
    return [
        (
            Seen(row.spelling, row.asset_type),
            row.instrument
            if row.rules == current
            else instrument(row.spelling, row.asset_type).symbol,
        )
        for row in rows
    ]


def _rows(using: str) -> QuerySet[InstrumentSpelling]:
    return InstrumentSpelling.objects.using(using)


def _stale() -> Q:
    """Return a condition that an index answers, as `<>` would not."""
    current = rules()
    return Q(rules__lt=current) | Q(rules__gt=current)
