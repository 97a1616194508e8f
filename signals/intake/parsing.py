"""Parses JSON strictly: UTF-8 only, no key twice, no more than a limited size."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from argo.errors import FieldError, InvalidInput
from signals.intake.text import HEAD_BYTES, check_encoding, not_utf8, without_bom

MAX_ITEM_BYTES = 2**20
"""Bytes of one item, such as a signal: its fields, with all that is allowed, take less."""
TOO_LONG = f"has more than {MAX_ITEM_BYTES} bytes, the limit for one signal"
MAX_VALUES = 250_000
"""Objects and arrays in one body: each takes up to 100 times the memory of its own text."""
LONGEST_NAME = 100
"""Characters of a field's name in an error."""


class BadBody(InvalidInput):
    """What was sent cannot be read: it is not JSON, or contradicts itself."""

    status = 400
    code = "body"

    @classmethod
    def because(cls, message: str) -> "BadBody":
        return cls([FieldError("body", message)])

    @classmethod
    def repeats(cls, name: str) -> "BadBody":
        return cls([FieldError(name[:LONGEST_NAME], "is given twice: send it once")])


class _Repeating(dict[str, Any]):
    """An object that has a key twice; `name` is that key."""

    name = ""


def parse_json(text: bytes, *, nan: bool = False) -> Any:  # noqa: ANN401  # any JSON
    """Return the JSON value of one item.

    With `nan`, NaN and infinities are read, so that the caller can name the field. Raises BadBody
    if it is not JSON, has more than MAX_ITEM_BYTES, or if an object in it has a key twice.
    """
    if len(text) > MAX_ITEM_BYTES:
        raise BadBody.because(TOO_LONG)
    found = _parsed(text, nan)
    if _repeats(text, found) and (name := _repeated(_marked(text))) is not None:
        raise BadBody.repeats(name)
    return found


def parse_array(text: bytes, *, nan: bool = False) -> list[Any]:
    """Return the items of a JSON array; `repeats_refused` says in which a key is twice.

    Raises BadBody if it is not a JSON array, or would take too much memory.
    """
    values = text.count(b"{") + text.count(b"[")
    if values > MAX_VALUES:
        raise BadBody.because(
            f"has {values} objects and arrays; the limit is {MAX_VALUES}. Send less at a time"
        )
    found = _parsed(text, nan)
    if not isinstance(found, list):
        raise BadBody.because("is not a JSON array")
    return found


def repeats_refused(text: bytes, items: list[Any]) -> list[Any]:
    """Return the items of the array `text` with a BadBody for each in which a key is twice."""
    if not _repeats(text, items):
        return items
    items.clear()  # two copies of it would take too much memory
    return [_or_bad(item) for item in _marked(text)]


def _or_bad(item: object) -> object:
    name = _repeated(item)
    return item if name is None else BadBody.repeats(name)


def _parsed(text: bytes, nan: bool) -> object:
    text = without_bom(text)
    try:
        return from_json(text, allow_inf_nan=nan)
    except ValueError as error:
        raise BadBody.because(_why_not(text, error)) from None


def _why_not(text: bytes, error: ValueError) -> str:
    try:
        check_encoding(text[:HEAD_BYTES])
    except ValueError as other:
        return str(other)
    return not_utf8(text) or f"is not JSON: {error}"


def _repeats(text: bytes, found: object) -> bool:
    """Return whether an object has a key twice.

    The parser drops all but the last, so that the text has more quotes than the parsed strings.
    """
    quotes = text.count(b'"')
    if b"\\" in text:  # those inside of strings do not count
        quotes -= text.replace(b"\\\\", b"").count(b'\\"')
    return quotes != 2 * _count_strings(found)


def _count_strings(value: object) -> int:
    if isinstance(value, str):
        return 1
    if isinstance(value, dict):
        return len(value) + _count_in(value.values())
    return _count_in(value) if isinstance(value, list) else 0


def _count_in(values: Any) -> int:  # noqa: ANN401  # a list, or the values of a dictionary
    count = 0
    for value in values:
        if type(value) is str:
            count += 1
        elif type(value) in (dict, list):
            count += _count_strings(value)
    return count


def _marked(text: bytes) -> Any:  # noqa: ANN401  # any JSON
    """Parse what was parsed before, and keep which objects have a key twice."""
    try:
        return json.loads(without_bom(text), object_pairs_hook=_object)
    except ValueError as error:  # an integer of thousands of digits
        raise BadBody.because(f"is not JSON: {error}") from None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    marked, seen = _Repeating(made), set[str]()
    marked.name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return marked


def _repeated(value: object) -> str | None:
    """Return a key that an object in `value` has twice, or None."""
    if isinstance(value, _Repeating):
        return value.name
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((name for each in inner if (name := _repeated(each)) is not None), None)
