"""Reads pages of rows by primary key, newest or oldest first, a bounded number at a time."""

from typing import Any, Generic, NamedTuple, TypeVar

from django.db.models import F, Model, OuterRef, QuerySet, Subquery

STRETCH = 20_000
"""Rows that one page looks at, at most, if no index finds those that pass."""
Row = TypeVar("Row", bound=Model)


class Page(NamedTuple, Generic[Row]):
    """Rows, and the primary key after which the next page begins; None on the last page."""

    rows: list[Row]
    following: int | None


class Direction(NamedTuple):
    """The order of a list by its primary key: how Django sorts by it, the lookup of what follows a
    key, and that of what does not come after it."""

    order: str
    follows: str
    upto: str


NEWEST_FIRST, OLDEST_FIRST = (
    Direction("-pk", "pk__lt", "pk__gte"),
    Direction("pk", "pk__gt", "pk__lte"),
)


def indexed_page(
    chosen: QuerySet[Row], limit: int, after: int | None, to: Direction = NEWEST_FIRST
) -> Page[Row]:
    """Return a page of rows that an index finds, or of a whole table.

    For few rows that an index finds, order them by `by_index` first, in the same direction.
    """
    if after is not None:
        chosen = chosen.filter(**{to.follows: after})
    found = list((chosen if chosen.query.order_by else chosen.order_by(to.order))[: limit + 1])
    return Page(found[:limit], found[limit - 1].pk if len(found) > limit else None)


def by_index(chosen: QuerySet[Row], to: Direction = NEWEST_FIRST) -> QuerySet[Row]:
    """Sort few rows by a computed key, so that the database does not walk the table's."""
    key = F("pk") + 0
    return chosen.order_by(key.desc() if to is NEWEST_FIRST else key.asc())


def scanned_page(
    chosen: QuerySet[Row],
    limit: int,
    after: int | None,
    among: QuerySet[Row] | None = None,
    to: Direction = NEWEST_FIRST,
) -> Page[Row]:
    """Return a page of rows that no index finds, after looking at a bounded number of rows.

    It may be short, or empty, and still have a next page. Only rows of `among` are looked at, which
    an index must find in the order of their keys; without it, rows of the whole table.
    """
    walked = chosen.model._default_manager.all() if among is None else among
    if after is not None:
        begin = {to.follows: after}
        chosen, walked = chosen.filter(**begin), walked.filter(**begin)
    keys = walked.order_by(to.order).values_list("pk", flat=True)
    last = next(iter(keys[STRETCH - 1 : STRETCH]), None)
    if last is not None:
        chosen = chosen.filter(**{to.upto: last})
    found = list(chosen.order_by(to.order)[: limit + 1])
    return Page(found[:limit], found[limit - 1].pk if len(found) > limit else last)


def by_key(model: type[Model], path: str) -> Subquery:
    """Return a column of the row that belongs to each row of `model`, such as `signal__symbol`.

    The other row is looked up by its key. With a join the database could choose to walk the other
    table instead, all of it.
    """
    name, _, column = path.partition("__")
    field: Any = model._meta.get_field(name)
    key = OuterRef(field.attname if field.concrete else "pk")
    return Subquery(field.related_model._default_manager.filter(pk=key).values(column)[:1])
