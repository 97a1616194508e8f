"""What an answer adds up: a SELECT with its parameters, and which signals it leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connections

from signals.ledger.sums.periods import Span
from signals.ledger.sums.query import StatsQuery, bin_at
from signals.ledger.sums.statements import COUNTS

Row = tuple[Any, ...]


class Counted(NamedTuple):
    """Which signals an answer counts: all that are selected, if these are the defaults.

    A scan counts only signals of `since` and later. `pending` signals and outcome changes are
    stored, but neither summed nor counted yet.
    """

    since: str | None = None
    pending: int = 0


class Source(NamedTuple):
    """A SELECT of `columns(query)`, whose rows an answer groups and adds up."""

    rows: str
    parameters: dict[str, Any]
    counted: Counted


@dataclass
class Conditions:
    """Writes conditions, each as the end of a WHERE, and keeps their values by name."""

    values: dict[str, Any] = field(default_factory=dict)

    def compare(self, column: str, operator: str, value: object) -> str:
        """Return a comparison; nothing if the value is None."""
        if value is None:
            return ""
        return f" AND {column} {operator} {self._slot(value)}"

    def _slot(self, value: object) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"

    def among(self, column: str, values: Sequence[str]) -> str:
        """Return the condition that a column has one of these values; nothing without values."""
        if len(values) < 2:
            return self.compare(column, "=", next(iter(values), None))
        slots = ", ".join(map(self._slot, values))
        return f" AND {column} IN ({slots})"

    def unless(self, values: dict[str, str]) -> str:
        """Return the condition that not all of these columns have these values."""
        equal = (f"{column} = {self._slot(value)}" for column, value in values.items())
        return f" AND NOT ({' AND '.join(equal)})"

    def within(self, column: str, span: Span) -> str:
        """Return the condition that a text is in the span."""
        return self.compare(column, ">=", span.start) + self.compare(column, "<", span.end)

    def selected(self, query: StatsQuery, names: dict[str, str], *, binned: bool = True) -> str:
        """Return the query's conditions on values; `names` has the columns with other names.

        `binned` says that confidences are bins.
        """
        where = "".join(
            self.among(names.get(name, name), values) for name, values in query.equalities().items()
        )
        if binned and query.min_confidence:
            column = names.get("confidence", "confidence")
            where += self.compare(column, ">=", bin_at(query.min_confidence))
        return where


def needed(query: StatsQuery) -> tuple[str, ...]:
    """Return the values of a signal that the answer needs: to group by, or to select."""
    values = [*query.keys, *query.equalities(), *(["confidence"] if query.min_confidence else [])]
    return tuple(name for name in dict.fromkeys(values) if name != "outcome")


def columns(query: StatsQuery) -> tuple[str, ...]:
    """Return the columns that the answer needs: its keys, the outcome and the counts."""
    return tuple(dict.fromkeys((*query.keys, "outcome", *COUNTS)))


def select(
    using: str, statement: str, parameters: dict[str, Any] | Sequence[Any] = ()
) -> list[Row]:
    """Run a statement and return its rows."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
        return rows
