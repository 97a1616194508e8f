"""Any JSON, described as such: values that a sender chose, or that differ from case to case."""

from datetime import datetime

from typing_extensions import TypeAliasType

JsonValue = TypeAliasType(
    "JsonValue",
    "str | int | float | bool | datetime | list[JsonValue] | dict[str, JsonValue] | None",
)
"""A text, a number, true, false, null, a list or an object. A time is a text in ISO 8601."""
JsonObject = dict[str, JsonValue]
