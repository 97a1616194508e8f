"""Takes secrets out of an alert before anything else sees it."""

import re
from typing import Any
from urllib.parse import unquote_plus

import orjson
import re2

from signals.ledger.secrets import HIDDEN, KEY, is_name_of_secret

NAMES = frozenset({"key", "pass", "pin", "license", "licenseid"})
"""Names of secrets in alerts, in small letters and digits alone, beside those of signals."""
HINTS = (
    "pass", "key", "token", "secret", "auth", "jwt", "bearer", "pwd", "pin", "cred", "cookie",
    "licen", "\\u", "%",
)  # fmt: skip
"""Texts without one of these have no named secret: most alerts."""
_NAME = re2.compile(r"([\w%.-]{1,60})[\"']?\s{0,9}[:=]\s{0,9}")
"""A name and what joins it to its value: in JSON, in forms and in plain text."""
_VALUE = re.compile(r"\"(?:[^\"\\]|\\.){0,4000}\"|'[^']{0,4000}'|[^\s,;&|{}\[\]]+")


def is_secret(name: str) -> bool:
    """Return whether a field with this name holds a secret, whatever its value."""
    return "".join(filter(str.isalnum, name.lower())) in NAMES or is_name_of_secret(name)


def cleaned(text: str, token: str = "") -> str:
    """Return the text with `***` in the place of each secret, and of the hook's own token."""
    if token:
        text = text.replace(token, HIDDEN)
    text = KEY.sub(HIDDEN, text)
    small = text.lower()
    if not any(hint in small for hint in HINTS):
        return text
    found = _json(text)
    masked = _masked(found)
    if masked is not found:
        return orjson.dumps(masked).decode()
    return _without_named(text)


def _json(text: str) -> Any:  # noqa: ANN401  # any JSON
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _masked(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """Return the value without its secrets; the value itself if it has none."""
    if isinstance(value, str):
        inner = cleaned(value)
        return value if inner == value else inner
    if isinstance(value, list):
        items = [_masked(each) for each in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        kept = {cleaned(name): _masked_field(name, each) for name, each in value.items()}
        is_same = kept.keys() == value.keys() and all(kept[name] is value[name] for name in value)
        return value if is_same else kept
    return value


def _masked_field(name: str, value: Any) -> Any:  # noqa: ANN401  # any JSON
    if is_secret(name):
        return value if value in (None, "", HIDDEN) else HIDDEN
    return _masked(value)


def _without_named(text: str) -> str:
    """Return the text without the values of names of secrets, wherever these stand."""
    kept, done = list[str](), 0
    for found in _NAME.finditer(text):
        if found.start() < done or not is_secret(unquote_plus(found.group(1))):
            continue
        if value := _VALUE.match(text, found.end()):
            quote = value[0][0] if value[0][0] in "\"'" else ""
            kept += [text[done : found.end()], f"{quote}{HIDDEN}{quote}"]
            done = value.end()
    return "".join([*kept, text[done:]])
