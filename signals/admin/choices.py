"""Filters of admin lists by a value that a column has, out of known ones."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from signals.keyset import by_index, by_key

Choices = list[tuple[str, str]]
NONE = "none"
SIDES = ("BUY", "SELL")


def one_of(
    column: str,
    values: Iterable[str | tuple[str, str]],
    *,
    title: str = "",
    parameter: str = "",
    few: dict[str, Any] | None = None,
    walked: dict[str, Any] | None = None,
    none: str = "",
) -> type[admin.SimpleListFilter]:
    """Return a filter by `column`, which may be one of the row that a foreign key points to.

    The values are named here: finding those in use would take a scan. `few` and `walked`
    have, by value, the condition by which an index finds its rows: if they are few, or in the order
    of their keys. `none` offers, under this name, the rows without a value.
    """
    offered = [each if isinstance(each, tuple) else (each, each) for each in values]
    offered += [(NONE, none)] if none else []
    indexed, by_order = few or {}, walked or {}

    class OneOf(admin.SimpleListFilter):
        parameter_name = parameter or column

        def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
            return offered

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if not value:
                return queryset
            if value in by_order:
                self.walked = by_order[value]
                return queryset.filter(self.walked, **{column: value})
            if value in indexed:
                return by_index(queryset.filter(indexed[value], **{column: value}))
            return having(queryset, column, None if none and value == NONE else value)

    OneOf.title = title or column.rpartition("__")[2].replace("_", " ")
    return OneOf


def emptiness(column: str, *, yes: str, no: str) -> type[admin.SimpleListFilter]:
    """Return a filter by whether `column` is empty, with words for both."""

    class Emptiness(admin.SimpleListFilter):
        title = column.replace("_", " ")
        parameter_name = f"{column}__isempty"

        def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401
            return [("1", yes), ("0", no)]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            field = queryset.model._meta.get_field(column)
            empty = Q(**{f"{column}__isnull": True})
            if field.empty_strings_allowed:
                empty |= Q(**{column: ""})
            return {"1": queryset.filter(empty), "0": queryset.exclude(empty)}.get(
                str(self.value()), queryset
            )

    return Emptiness


def having(rows: QuerySet[Any], path: str, *values: Any) -> QuerySet[Any]:  # noqa: ANN401
    """Return the rows whose column is one of `values`, or is null if that is the only one.

    The column of another row is looked up by its key.
    """
    if "__" in path:
        rows = rows.alias(looked_up=by_key(rows.model, path))
        path = "looked_up"
    if values == (None,):
        return rows.filter(**{f"{path}__isnull": True})
    return rows.filter(**{f"{path}__in": values})
