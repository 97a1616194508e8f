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


def read_object(body: bytes) -> dict[str, object]:
    """Return the JSON object in the body. Raises BadBody if it is not one."""
    found = _json(body)
    if not isinstance(found, dict):
        raise BadBody("must be one JSON object; send several to /api/signals/batch")
    return found


def read_batch(body: bytes) -> list[object]:
    """Return the items of a JSON array or of NDJSON; a line that is not JSON becomes a BadBody.

    Raises BadBody if the array cannot be read, or if there is no item or more than 10,000.
    """
    items = _array(body) if body.lstrip()[:1] == b"[" else list(_lines(body))
    if not items:
        raise BadBody("is empty: send a JSON array of signals, or one signal on each line")
    if len(items) > BATCH_LIMIT:
        raise BadBody(f"has {len(items)} signals; the limit is {BATCH_LIMIT} for each request")
    return items


def refuse_unknown(request: HttpRequest, query: type[BaseModel]) -> None:
    """Raise InvalidInput if `query` lacks a parameter: a misspelt filter would let all pass."""
    takes = ", ".join(query.model_fields)
    unknown = sorted(request.GET.keys() - query.model_fields.keys())
    if unknown:
        raise InvalidInput([FieldError(name, f"is unknown; use {takes}") for name in unknown])


def _array(body: bytes) -> list[object]:
    found = _json(body)
    assert isinstance(found, list)  # noqa: S101  # it begins with [
    return found


def _lines(body: bytes) -> Iterator[object]:
    for line in body.splitlines():
        if line.strip():
            try:
                yield _json(line)
            except BadBody as bad:
                yield bad


def _json(text: bytes) -> object:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise BadBody(f"is not JSON: {error}") from None
