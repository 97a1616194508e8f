"""A report as a file: JSON, CSV, or a page that is complete in itself."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpResponse, QueryDict

from argo.errors import FieldError, InvalidInput
from argo.reports.csv_file import figures_csv

Section = dict[str, Any]
Page = Callable[[Section], str]
FORMAT = "format"
TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
}
FORMATS = tuple(TYPES)


def format_of(given: QueryDict) -> str | None:
    """Take the format away from the parameters and return it. Raises `InvalidInput`."""
    found = given.pop(FORMAT, [])
    if not any(found):
        return None
    if len(found) > 1 or found[0] not in TYPES:
        raise InvalidInput([FieldError(FORMAT, f"must be one of {', '.join(TYPES)}")])
    return str(found[0])


def encode(form: str, report: Section, page: Page) -> bytes:
    """Return a report in this format; `page` makes a page of it."""
    if form == "csv":
        return figures_csv(report).encode()
    if form == "json":
        return json.dumps(report, indent=2, allow_nan=False).encode()
    return page(report).encode()


def download(name: str, form: str, report: Section, page: Page, now: datetime) -> HttpResponse:
    """Answer a report as a file, named after the day."""
    answer = HttpResponse(encode(form, report, page), content_type=TYPES[form])
    file = f"{name}-{now:%Y-%m-%d}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer
