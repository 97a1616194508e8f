"""Reads request bodies (one JSON object, a JSON array, or NDJSON); refuses unknown parameters."""

from collections.abc import Iterator

from django.http import HttpRequest
from pydantic import BaseModel
from pydantic_core import from_json

from argo.errors import FieldError, InvalidInput

BATCH_LIMIT = 10_000


class BadBody(InvalidInput):
    """The request body cannot be read."""

    status = 400
    code = "body"

    def __init__(self, message: str) -> None:
        super().__init__([FieldError("body", message)])


def read_object(
    body: bytes, *, several_to: str = "/api/signals/batch", nan: bool = False
) -> dict[str, object]:
    """Return the JSON object in the body. Raises BadBody if it is not one.

    With `nan`, NaN and infinities are read, so that the caller can name the field.
    """
    found = _json(body, nan)
    if not isinstance(found, dict):
        raise BadBody(f"must be one JSON object; send several to {several_to}")
    return found


def read_batch(
    body: bytes, *, limit: int = BATCH_LIMIT, what: str = "signal", nan: bool = False
) -> list[object]:
    """Return the items of a JSON array or of NDJSON; a line that is not JSON becomes a BadBody.

    `what` names an item; `nan` is as in `read_object`. Raises BadBody if the array cannot be read,
    or if there is no item or more than `limit`.
    """
    items = _array(body, nan) if body.lstrip()[:1] == b"[" else list(_lines(body, nan))
    if not items:
        raise BadBody(f"is empty: send a JSON array of {what}s, or one {what} on each line")
    if len(items) > limit:
        raise BadBody(f"has {len(items)} {what}s; the limit is {limit} for each request")
    return items


def refuse_unknown(request: HttpRequest, query: type[BaseModel]) -> None:
    """Raise InvalidInput for a parameter that `query` lacks, and for one that is given twice.

    A misspelled filter would let everything pass, and of two values one would not be used.
    """
    takes = ", ".join(query.model_fields)
    unknown = sorted(request.GET.keys() - query.model_fields.keys())
    faults = [FieldError(name, f"is unknown; use {takes}") for name in unknown]
    twice = [name for name in query.model_fields if len(request.GET.getlist(name)) > 1]
    faults += [FieldError(name, "is given more than once; use one value") for name in twice]
    if faults:
        raise InvalidInput(faults)


def _array(body: bytes, nan: bool) -> list[object]:
    found = _json(body, nan)
    assert isinstance(found, list)  # noqa: S101  # it begins with [
    return found


def _lines(body: bytes, nan: bool) -> Iterator[object]:
    for line in body.splitlines():
        if line.strip():
            try:
                yield _json(line, nan)
            except BadBody as bad:
                yield bad


def _json(text: bytes, nan: bool) -> object:
    try:
        return from_json(text, allow_inf_nan=nan)
    except ValueError as error:
        raise BadBody(f"is not JSON: {error}") from None
