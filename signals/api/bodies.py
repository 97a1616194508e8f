"""Reads request bodies (one JSON object, a JSON array, or NDJSON); refuses unknown parameters."""

import io
from collections.abc import Iterable, Iterator
from itertools import islice

from django.http import HttpRequest
from ninja.parser import Parser
from pydantic import BaseModel

from argo.errors import FieldError, InvalidInput
from signals.intake import (
    BadBody,
    parse_array,
    parse_json,
    read_lines,
    repeats_refused,
    without_bom,
)
from signals.intake.lines import parse_line

BATCH_LIMIT = 10_000
LINES_FOR_EACH = 10
"""Lines, blank ones too, that a body may have for each item: to skip millions takes seconds."""


class StrictParser(Parser):
    """Parses the bodies that a schema describes, by the same rules as signals."""

    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        """Return the JSON object. Raises BadBody."""
        found = parse_json(request.body)
        if not isinstance(found, dict):
            raise BadBody.because("must be one JSON object")
        return found


def read_object(
    body: bytes, *, several_to: str = "/api/signals/batch", nan: bool = False
) -> dict[str, object]:
    """Return the JSON object in the body. Raises BadBody if it is not one.

    With `nan`, NaN and infinities are read, so that the caller can name the field.
    """
    found = parse_json(body, nan=nan)
    if not isinstance(found, dict):
        raise BadBody.because(f"must be one JSON object; send several to {several_to}")
    return found


def read_batch(
    body: bytes, *, limit: int = BATCH_LIMIT, what: str = "signal", nan: bool = False
) -> Iterable[object]:
    """Return the items of a JSON array or of NDJSON, in order; those of NDJSON are parsed one by
    one. An item that cannot be read is a BadBody.

    `what` names an item; `nan` is as in `read_object`. Raises BadBody if the array cannot be read,
    or if there is no item or more than `limit`.
    """
    text = without_bom(body).strip()
    if text[:1] == b"[":
        items = parse_array(text, nan=nan)
        _check_count(len(items), limit, what)
        return repeats_refused(text, items)
    if body.count(b"\n") + body.count(b"\r") > limit * LINES_FOR_EACH:
        raise BadBody.because(f"has too many lines for {limit} {what}s, the limit for each request")
    lines = [line for _, line in islice(read_lines(io.BytesIO(body)), limit + 1)]
    _check_count(len(lines), limit, what)
    return _parsed(lines, nan)


def refuse_unknown(request: HttpRequest, *queries: type[BaseModel]) -> None:
    """Raise InvalidInput for a parameter that `queries` lack, and for one that is given twice.

    A misspelled filter would let everything pass, and of two values one would not be used.
    """
    names = [info.alias or name for query in queries for name, info in query.model_fields.items()]
    takes = ", ".join(names)
    unknown = sorted(request.GET.keys() - set(names))
    faults = [FieldError(name, f"is unknown; use {takes}") for name in unknown]
    twice = [name for name in names if len(request.GET.getlist(name)) > 1]
    faults += [FieldError(name, "is given more than once; use one value") for name in twice]
    if faults:
        raise InvalidInput(faults)


def _parsed(lines: Iterable[bytes | BadBody], nan: bool) -> Iterator[object]:
    for line in lines:
        yield line if isinstance(line, BadBody) else parse_line(line, nan=nan)


def _check_count(count: int, limit: int, what: str) -> None:
    if not count:
        raise BadBody.because(f"is empty: send a JSON array of {what}s, or one {what} on each line")
    if count > limit:
        raise BadBody.because(f"has more than {limit} {what}s, the limit for each request")
