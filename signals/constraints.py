"""Constraints of the database that every app's tables share."""

from collections.abc import Iterable

from django.db.models import CheckConstraint, Q


def known_values(table: str, **columns: Iterable[str]) -> CheckConstraint:
    """Return a constraint: each column holds one of its values, or NULL.

    One constraint for all columns of a table, because adding one rebuilds the table on SQLite.
    """
    condition = Q()
    for column, values in columns.items():
        condition &= Q(**{f"{column}__in": [str(value) for value in values]})
    return CheckConstraint(condition=condition, name=f"{table}_known_values")
