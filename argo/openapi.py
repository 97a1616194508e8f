"""Adds to the API's description the errors that many operations share."""

from http import HTTPStatus
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

REFUSED = {"application/json": {"schema": {"$ref": "#/components/schemas/Refused"}}}


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
        for path in schema["paths"].values():
            for operation in path.values():
                for status in _refusals(operation):
                    answer = {"description": status.phrase, "content": REFUSED}
                    operation["responses"].setdefault(status.value, answer)
        return schema


def _refusals(operation: dict[str, Any]) -> list[HTTPStatus]:
    found = []
    if operation.get("security"):
        found += [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE]
    if "requestBody" in operation:
        found += [HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_TIMEOUT]
        found.append(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if any(each["in"] == "path" for each in operation.get("parameters", ())):
        found.append(HTTPStatus.NOT_FOUND)  # a line break or a slash leads nowhere
    if operation.get("parameters") or "requestBody" in operation:
        found.append(HTTPStatus.UNPROCESSABLE_ENTITY)
    return found
