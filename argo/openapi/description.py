"""Adds to the API's description what many operations share, and the examples."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from argo.openapi.examples import REQUESTS, answer_to

Operation = dict[str, Any]
JSON = "application/json"
REFUSED = {JSON: {"schema": {"$ref": "#/components/schemas/Refused"}}}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!#-Z^-~]{1,255}$"},
    "description": "The same key with the same request gets the same answer again, and acts once",
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}


class DescribedAPI(NinjaAPI):
    """Describes the errors that follow from keys, parameters, bodies and the database."""

    _schema: OpenAPISchema | None = None

    def get_openapi_schema(self, **how: Any) -> OpenAPISchema:  # noqa: ANN401  # passed on
        """Return the description. It is made once: that takes half a second, and anybody may ask
        for it."""
        if self._schema is None:
            self._schema = self._described(**how)
        return self._schema

    def _described(self, **how: Any) -> OpenAPISchema:  # noqa: ANN401
        schema = super().get_openapi_schema(**how)
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                if method == "post" and operation.get("security"):
                    operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
                for status in _statuses(method, operation):
                    content = {} if status == HTTPStatus.NOT_MODIFIED else {"content": REFUSED}
                    answer = {"description": status.phrase, **content}
                    operation["responses"].setdefault(status.value, answer)
                _add_examples(f"{method.upper()} {path}", operation)
        return schema


def _statuses(method: str, operation: Operation) -> Iterator[HTTPStatus]:
    """Yield the statuses that an operation may answer with, besides its own."""
    if operation.get("security"):
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
        yield HTTPStatus.SERVICE_UNAVAILABLE
    if method == "get" and JSON in operation["responses"].get(200, {}).get("content", {}):
        yield from (HTTPStatus.NOT_MODIFIED, HTTPStatus.PRECONDITION_FAILED)
    if method == "post":
        yield from (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)  # of the Idempotency-Key
    if "requestBody" in operation:
        yield from (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_TIMEOUT)
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if any(each["in"] == "path" for each in operation.get("parameters", ())):
        yield HTTPStatus.NOT_FOUND  # a line break or a slash leads nowhere
    if operation.get("parameters") or "requestBody" in operation:
        yield HTTPStatus.UNPROCESSABLE_ENTITY


def _add_examples(call: str, operation: Operation) -> None:
    """Add the example of the call: its parameters, its body, and the answer that it got."""
    request = REQUESTS.get(call)
    if request is None:
        return
    for parameter in operation.get("parameters", ()):
        values = request.path if parameter["in"] == "path" else request.query
        if parameter["in"] in ("path", "query") and parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
    if request.body is not None:
        operation["requestBody"]["content"][JSON]["example"] = request.body
    found = operation["responses"].get(request.status, {}).get("content", {}).get(JSON)
    if found is not None and (answer := answer_to(call)) is not None:
        found["example"] = answer
