"""The indexes that the queries need, and those that are missing in the database."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection
from django.db.models import Field, Index, Model

from argo.doctor.check import Finding, Repair, ok, problem

APPS = ("signals", "sync", "execution")
ADVICE = (
    "Run argo doctor --fix, which makes them again. On a large table this takes minutes, in which "
    "signals are accepted and stored later."
)


class Wanted(NamedTuple):
    """An index of a model. That of a column has the name that the database's maker gave it."""

    model: type[Model]
    index: Index
    column: str = ""

    def is_among(self, found: dict[str, dict[str, Any]]) -> bool:
        """Return whether the table's constraints, by their names, have it."""
        if not self.column:
            return self.index.name in found
        return any(each["index"] and each["columns"] == [self.column] for each in found.values())


def indexes() -> Finding:
    """Report the indexes of Argo's tables that are missing."""
    wanted = {model: list(_wanted(model)) for model in _models()}
    missing = [each for model in wanted for each in _missing(model, wanted[model])]
    if not missing:
        return ok(f"all {sum(map(len, wanted.values()))} exist")
    names = ", ".join(each.index.name for each in missing)
    return problem(f"Missing: {names}.", ADVICE, *map(_repair, missing))


def _models() -> Iterator[type[Model]]:
    return (model for model in apps.get_models() if model._meta.app_label in APPS)


def _wanted(model: type[Model]) -> Iterator[Wanted]:
    for index in model._meta.indexes:
        yield Wanted(model, index)
    for field in model._meta.local_fields:
        if field.db_index and not field.unique:
            yield _of_column(model, field)


def _of_column(model: type[Model], field: "Field[Any, Any]") -> Wanted:
    index = Index(fields=[field.name])
    index.set_name_with_model(model)
    return Wanted(model, index, str(field.column))


def _missing(model: type[Model], wanted: Sequence[Wanted]) -> list[Wanted]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return [each for each in wanted if not each.is_among(found)]


def _repair(missing: Wanted) -> Repair:
    return Repair(f"make the index {missing.index.name} again", partial(_make, missing))


def _make(missing: Wanted) -> None:
    with connection.schema_editor() as editor:
        editor.add_index(missing.model, missing.index)
