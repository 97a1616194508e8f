"""Reads columns of JSON quickly: Django's own reading takes most of the time of a large read."""

import json
from typing import Any

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast


def as_text(column: str) -> Cast:
    """Return the column's text as the database has it, for `value_of`."""
    return Cast(column, TextField())


def value_of(text: str | None) -> Any:  # noqa: ANN401  # JSON
    """Return what a text of JSON means; None without one.

    Python's own reader takes what only a script can have stored, such as NaN.
    """
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
