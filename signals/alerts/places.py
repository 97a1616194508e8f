"""Places in an alert where a field can come from, as mappings spell them.

`$.strategy.order.price` is a path into JSON (the singular queries of RFC 9535), `price=` a value of
a form or of `price=1.5` in plain text, and `/at ([0-9.]+)/` a regular expression of RE2 over the
text, which takes linear time; `/.../i` ignores capitals. Its group is the value.
"""

import re
from collections.abc import Callable
from typing import Any

import re2

from signals.alerts.cleaning import is_secret
from signals.alerts.content import Content

Place = Callable[[Content], Any]
"""Returns the value there, or None."""

LONGEST = 500
"""Characters of a place."""
_STEP = r"\.([A-Za-z_][\w-]*)|\[(\d{1,4})\]|\['([^']*)'\]"
_PATH = re.compile(rf"\$(?:{_STEP})+")
_PAIR = re.compile(r"([A-Za-z_][\w.-]{0,60})=")
_PATTERN = re.compile(r"/(.+)/(i?)", re.DOTALL)
MEMORY = 2**20
"""Bytes that RE2 may use for one expression."""


def place(text: str) -> Place:
    """Return the place that a text spells. Raises ValueError, which says how to spell one."""
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST} characters")
    if _PATH.fullmatch(text):
        return _path(text)
    if found := _PAIR.fullmatch(text):
        return _pair(found[1])
    if found := _PATTERN.fullmatch(text):
        return _pattern(found[1], ignores_case=bool(found[2]))
    raise ValueError(
        f"{text[:60]!r} is no place: write a JSON path ($.price), a name (price=), or a regular "
        "expression (/at ([0-9.]+)/)"
    )


def _path(text: str) -> Place:
    steps: list[str | int] = [
        int(index) if index else name or quoted for name, index, quoted in re.findall(_STEP, text)
    ]
    if any(isinstance(step, str) and is_secret(step) for step in steps):
        raise ValueError(f"{text!r} names a secret, which is taken out before the alert is read")

    def read(content: Content) -> Any:  # noqa: ANN401  # any JSON
        value: Any = content.json
        for step in steps:
            value = _step(value, step)
        return value

    return read


def _step(value: Any, step: str | int) -> Any:  # noqa: ANN401  # any JSON
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step] if isinstance(value, list) and step < len(value) else None


def _pair(name: str) -> Place:
    if is_secret(name):
        raise ValueError(f"{name}= names a secret, which is taken out before the alert is read")
    small = name.lower()
    return lambda content: content.pairs.get(small)


def _pattern(text: str, *, ignores_case: bool) -> Place:
    options = re2.Options()
    options.max_mem, options.log_errors = MEMORY, False
    options.case_sensitive = not ignores_case
    try:
        compiled = re2.compile(text, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        why = why.decode(errors="replace") if isinstance(why, bytes) else why
        raise ValueError(f"is no regular expression of RE2: {why}") from None
    if compiled.groups > 1:
        raise ValueError("has more than one group: mark the value alone, others as (?:...)")

    def read(content: Content) -> str | None:
        found = compiled.search(content.text)
        value = found and found.group(compiled.groups)
        return value if isinstance(value, str) else None

    return read
