"""The description of the API: each operation says what it does, and what its answers are."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from argo.api import api

Schema = dict[str, Any]
OWN = ("argo", "signals", "sync", "execution")
FREE = frozenset({"votes"})
"""Fields of a posted signal whose objects may have any field: they are the sender's own."""


@pytest.fixture(scope="module")
def description() -> Schema:
    found: Schema = api.get_openapi_schema()
    return found


def operations(description: Schema) -> Iterator[tuple[str, Schema]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def untyped(schema: Schema, known: Schema, place: str, seen: frozenset[str]) -> Iterator[str]:
    """Yield the places of objects, lists and values in a schema that say nothing of themselves."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from untyped(known[name], known, f"{place}/{name}", seen | {name})
        return
    more = schema.get("additionalProperties")
    if schema.get("type") == "object" and not schema.get("properties") and more in (None, True, {}):
        yield place
    if schema.get("type") == "array" and not schema.get("items"):
        yield place
    if not schema.keys() - {"title", "description", "default", "example"}:
        yield place
    for name, each in _parts(schema, more):
        yield from untyped(each, known, f"{place}/{name}", seen)


def _parts(schema: Schema, more: object) -> Iterator[tuple[str, Schema]]:
    yield from schema.get("properties", {}).items()
    for name in ("anyOf", "oneOf", "allOf"):
        yield from ((name, each) for each in schema.get(name, ()))
    for name, each in (("items", schema.get("items")), ("*", more)):
        if isinstance(each, dict) and each:
            yield name, each


def test_each_operation_says_what_it_does(description: Schema) -> None:
    for call, operation in operations(description):
        assert operation["summary"], call
        assert operation["description"], call
        assert operation["tags"], call
        assert len(operation["summary"]) < 90, call


def test_no_answer_and_no_body_is_without_a_schema(description: Schema) -> None:
    known, found = description["components"]["schemas"], []
    for call, operation in operations(description):
        bodies = {f"{code}": each for code, each in operation["responses"].items()}
        bodies["body"] = operation.get("requestBody", {})
        for name, each in bodies.items():
            for kind in each.get("content", {}).values():
                places = untyped(kind.get("schema", {}), known, f"{call} {name}", frozenset())
                found += [place for place in places if not set(place.split("/")) & FREE]
    assert found == []


def test_every_refusal_has_one_form(description: Schema) -> None:
    for call, operation in operations(description):
        for code, answer in operation["responses"].items():
            if int(code) >= 400 and code != 503 and "health" not in call:
                text = str(answer["content"]["application/json"]["schema"])
                assert "Refused" in text or call.endswith(("/batch", "/outcomes")), (call, code)


def test_no_two_schemas_share_a_name(description: Schema) -> None:
    """Of two with one name the description would have the one that comes last."""
    known = description["components"]["schemas"].keys()
    found: dict[str, set[str]] = defaultdict(set)
    for each in _subclasses(BaseModel):
        if each.__name__ in known and each.__module__.partition(".")[0] in OWN:
            found[each.__name__].add(str(each.model_json_schema()))
    assert {name for name, schemas in found.items() if len(schemas) > 1} == set()


def _subclasses(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)
