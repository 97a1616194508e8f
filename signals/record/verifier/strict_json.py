"""Reads JSON strictly: an object has no key twice, and numbers are finite."""

import json
import math
from typing import Any, NoReturn

from signals.record.formats.encoding import BadRecord


def json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object of these bytes. Raises BadRecord if they are not one."""
    try:
        found = json.loads(
            data.decode(),
            object_pairs_hook=_without_repeats,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise BadRecord("is JSON that is nested too deeply") from None
    except ValueError as error:
        raise BadRecord(f"is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadRecord("is not a JSON object")
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
