"""The filters of a report as a form, and as the parameters of an address."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args, get_origin

from django.http import QueryDict
from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from argo.reports.faults import invalid
from argo.reports.query import ReportQuery
from execution.types import Reason

ORDER = ("symbol", "action", "strategy", "regime", "origin", "period", "since", "until", "as_of")
"""The fields that come first."""
EXAMPLES = dict.fromkeys(("since", "until", "as_of"), "2026-11-01T00:00:00Z") | {
    "period": "this-month, 2026-11"
}


class Field(NamedTuple):
    """A field of the form; `name` is that of its parameter."""

    name: str
    label: str
    value: str
    choices: tuple[str, ...]
    hint: str
    placeholder: str


def fields_of(given: Mapping[str, str], prefix: str = "") -> list[Field]:
    """Return the fields with what was given; the names begin with `prefix`."""
    return [
        Field(
            name=f"{prefix}{name}",
            label=name.replace("_", " ").capitalize(),
            value=given.get(f"{prefix}{name}", ""),
            choices=_choices(name),
            hint=(ReportQuery.model_fields[name].description or "").replace("`", ""),
            placeholder=EXAMPLES.get(name, ""),
        )
        for name in dict.fromkeys((*ORDER, *ReportQuery.model_fields))
    ]


def query_of(given: QueryDict, prefix: str = "") -> ReportQuery:
    """Return the query that the parameters with this prefix give; an empty one does not limit it.

    Raises `InvalidInput`, also for a parameter that does not exist or is given twice.
    """
    mine = {name: values for name, values in given.lists() if name.startswith(prefix)}
    twice = [name for name, values in mine.items() if len(values) > 1]
    if twice:
        raise InvalidInput([FieldError(name, "is given more than once") for name in twice])
    values = {name.removeprefix(prefix): found for name, (found,) in mine.items() if found}
    try:
        return ReportQuery.model_validate(values)
    except ValidationError as error:
        raise invalid(error, prefix) from None


def _choices(name: str) -> tuple[str, ...]:
    if name == "reason":
        return tuple(sorted(Reason))
    for kind in get_args(ReportQuery.model_fields[name].annotation):
        if get_origin(kind) is Literal:
            return get_args(kind)
    return ()
