"""Lists of rows in the API: filters by every column, order, size, and the fields of the answer.

The filters are fields of a subclass of `PagedQuery`. Their names say what they mean: `min_NAME` and
`max_NAME` are the ends of a range, `NAME_since` and `NAME_until` those of the time `NAME_at`,
`symbol` is an instrument in any spelling, and any other one is the value of its column. No index
finds such rows: a page looks at a bounded number of them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from django.db.models import F, FloatField, Model, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce
from django.http import HttpResponse, JsonResponse
from ninja import Schema
from ninja.responses import NinjaJSONEncoder
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from signals.instruments import name_of
from signals.keyset import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    Direction,
    Page,
    by_index,
    by_key,
    indexed_page,
    scanned_page,
)
from signals.ledger.spellings import spellings_of
from signals.ledger.validation import Label

Row = TypeVar("Row", bound=Model)
Condition = tuple[str, str, object]
"""A column, Django's word for the comparison, and the value."""
Number = Annotated[float, Field(allow_inf_nan=False)]
Symbol = Annotated[Label, AfterValidator(name_of)]
"""Any spelling becomes the instrument's one name."""
SECOND = timedelta(seconds=1)
FIELDS = "Names of fields, separated by commas; without it an item has all"
LAST = datetime.max.replace(tzinfo=UTC)


def nothing_required(schema: dict[str, Any]) -> None:
    """Say that an item of a list may lack any field, because the caller can choose some."""
    schema.pop("required", None)


class ListItem(Schema):
    """An item of a list; a caller may ask for some of its fields only."""

    model_config = ConfigDict(json_schema_extra=nothing_required)


class PagedQuery(BaseModel):
    """Selects one page of rows, and the fields of its items.

    `item` describes an item. `paths` says where Django finds a column that has another name than
    the filter. Filters in `handled` are no conditions: the list itself applies them. Those in
    `contained` are texts that the column contains.
    """

    model_config = ConfigDict(extra="forbid")
    item: ClassVar[type[Schema]]
    paths: ClassVar[Mapping[str, str]] = {}
    handled: ClassVar[frozenset[str]] = frozenset()
    contained: ClassVar[frozenset[str]] = frozenset()

    fields_: str | None = Field(None, alias="fields", description=FIELDS)
    sort: Literal["-time", "time"] = Field("-time", description="`-time`: newest row first")
    after: int | None = Field(None, ge=0, lt=2**63, description="The `next` of the last page")
    limit: int = Field(100, ge=1, le=1000)

    @field_validator("fields_")
    @classmethod
    def _are_known(cls, text: str | None) -> str | None:
        known = cls.item.model_fields
        unknown = [name for name in (text or "").split(",") if name not in known]
        if text is not None and unknown:
            raise ValueError(f"has no {', '.join(unknown)}: it takes {', '.join(known)}")
        return text

    @property
    def direction(self) -> Direction:
        """Return the order that `sort` means."""
        return NEWEST_FIRST if self.sort == "-time" else OLDEST_FIRST

    @property
    def names(self) -> list[str]:
        """Return the names of the fields that an item has."""
        return self.fields_.split(",") if self.fields_ else [*self.item.model_fields]

    def conditions(self) -> Iterator[Condition]:
        """Yield what each column must meet."""
        own = type(self).model_fields.keys() - PagedQuery.model_fields.keys() - self.handled
        for name in sorted(own):
            if (value := getattr(self, name)) is not None:
                column, how, bound = self._condition(name, value)
                yield self.paths.get(column, column), how, bound

    def _condition(self, name: str, value: Any) -> Condition:  # noqa: ANN401  # of any column
        if name.startswith(("min_", "max_")):
            return name[4:], "gte" if name.startswith("min_") else "lte", value
        if name.endswith("_since"):
            return f"{name.removesuffix('_since')}_at", "gte", value.replace(microsecond=0)
        if name.endswith("_until"):
            return f"{name.removesuffix('_until')}_at", "lt", _after_second(value)
        if name == "symbol":  # rows of older versions may have other spellings
            return name, "in", spellings_of(value).names
        return name, "icontains" if name in self.contained else "exact", value


def selected(rows: QuerySet[Row], query: PagedQuery) -> QuerySet[Row]:
    """Return the rows that meet the conditions of the query."""
    for number, (path, how, value) in enumerate(query.conditions()):
        name = f"condition_{number}"
        rows = rows.alias(**{name: _value_of(rows.model, path, value)})
        rows = rows.filter(**{f"{name}__{how}": value})
    return rows


def page_of(
    rows: QuerySet[Row],
    query: PagedQuery,
    *,
    few: bool = False,
    among: QuerySet[Row] | None = None,
) -> Page[Row]:
    """Return the page of the rows that meet the conditions.

    `few` rows are found by an index; rows of `among` by one in the order of their keys.
    """
    chosen, to = selected(rows, query), query.direction
    if few:
        return indexed_page(by_index(chosen, to), query.limit, query.after, to)
    return scanned_page(chosen, query.limit, query.after, among, to)


def answer(page: Page[Any], query: PagedQuery) -> HttpResponse:
    """Return the page as JSON, with the fields that the query chooses."""
    names = set(query.names)
    items = [query.item.from_orm(row).model_dump(include=names) for row in page.rows]
    return JsonResponse({"items": items, "next": page.following}, encoder=NinjaJSONEncoder)


def _value_of(model: type[Model], path: str, value: object) -> Combinable:
    """Return a column as a computed value: the database would choose an index on it otherwise, and
    sort all rows that the index finds.

    Numbers are compared as such: exact ones are texts in SQLite.
    """
    column = by_key(model, path) if "__" in path else F(path)
    if isinstance(value, float | int):
        return Cast(column, FloatField())
    return column if isinstance(column, Subquery) else Coalesce(column, column)


def _after_second(moment: datetime) -> datetime:
    """Return the beginning of the next second, so that a range includes the second of its end."""
    begin = moment.replace(microsecond=0)
    return begin + SECOND if begin <= LAST - SECOND else LAST
