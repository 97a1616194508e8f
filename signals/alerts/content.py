"""Decodes the body of an alert, whatever it holds, and makes its parts available by name."""

import base64
import json
import zlib
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

import re2

from argo.errors import FieldError, InvalidInput
from signals.alerts.cleaning import cleaned
from signals.intake import BadBody, parse_json

MAX_BYTES = 64 * 1024
GZIP = b"\x1f\x8b"
MARKS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
MOST_PAIRS = 200
_NAME = re2.compile(r"[\w.\[\]-]{1,60}")
_PAIR = re2.compile(r"([A-Za-z_][\w.-]{0,60})\s{0,9}[=:]\s{0,9}(\"[^\"]*\"|'[^']*'|[^\s,;|&]+)")


class TooLarge(InvalidInput):
    """The body is larger than MAX_BYTES, as it came or unpacked."""

    status = 413
    code = "too_large"

    @classmethod
    def now(cls) -> "TooLarge":
        text = f"has more than {MAX_BYTES} bytes, the limit for one alert"
        return cls([FieldError("body", text)])


class Body(NamedTuple):
    """The body of an alert as text without its secrets.

    `is_base64` says that `kept` is base64: the body has characters that are no text. `fault` says
    why it cannot be read.
    """

    text: str
    kept: str
    is_base64: bool = False
    fault: str = ""


def body_of(raw: bytes, token: str = "") -> Body:
    """Return the body as text. Raises TooLarge."""
    fault = ""
    if len(raw) > MAX_BYTES:
        raise TooLarge.now()
    if raw.startswith(GZIP):
        raw, fault = _unpacked(raw)
    text = cleaned(_decoded(raw).rstrip("\0"), token)
    if "\0" in text:
        packed = base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
        return Body(text, packed, is_base64=True, fault=fault)
    return Body(text, text, fault=fault)


def kept_text(kept: str, *, is_base64: bool) -> str:
    """Return the text that `Body.kept` was made from."""
    return base64.b64decode(kept).decode("utf-8", "replace") if is_base64 else kept


def _unpacked(raw: bytes) -> tuple[bytes, str]:
    stream = zlib.decompressobj(wbits=31)
    try:
        found = stream.decompress(raw, MAX_BYTES + 1)
    except zlib.error as error:
        return raw, f"is damaged: it begins as gzip does, and cannot be unpacked ({error})"
    if len(found) > MAX_BYTES:
        raise TooLarge.now()
    return found, "" if stream.eof else "is damaged: its gzip data ends too early"


def _decoded(raw: bytes) -> str:
    """Return the text; bytes that are not UTF-8 are read as Latin-1, which loses none."""
    for mark, name in MARKS:
        if raw.startswith(mark):
            try:
                return raw.removeprefix(mark).decode() if name == "utf-8" else raw.decode(name)
            except UnicodeDecodeError:
                break
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class Content:
    """The parts of an alert: its JSON object if it is one, its pairs, and its text.

    Raises InvalidInput if it is empty, holds several alerts, or is JSON with a fault.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if not self.text:
            raise BadBody.because("is empty")
        self.json: dict[str, Any] | None = _object_in(self.text)

    @cached_property
    def pairs(self) -> dict[str, str]:
        """The values by name, in small letters, of a form or of `name=value` in plain text."""
        if self.json is not None:
            return {}
        form = _form(self.text)
        found = form if form else [(n, v.strip("\"'")) for n, v in _PAIR.findall(self.text)]
        pairs: dict[str, str] = {}
        for name, value in found[:MOST_PAIRS]:
            pairs.setdefault(name.lower(), value)
        return pairs


def _object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object that the text is, or that a form carries; None without one."""
    for candidate in _candidates(text):
        if candidate[:1] in ("{", "["):
            return _one_object(candidate)
    return None


def _candidates(text: str) -> list[str]:
    """Return the texts that may be JSON: itself, unquoted, and the one value of a form."""
    found = [text]
    if text[:3].lower() in ("%7b", "%5b"):
        found.append(unquote_plus(text).rstrip("="))
    if len(form := _form(text)) == 1:
        found.append(form[0][1].strip())
    return found


def _form(text: str) -> list[tuple[str, str]]:
    if "=" not in text or any(character.isspace() for character in text):
        return []
    try:
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS)
    except ValueError:
        return []
    return found if all(_NAME.fullmatch(name) for name, _ in found) else []


def _one_object(text: str) -> dict[str, Any]:
    try:
        found = parse_json(text.encode("utf-8", "replace"))
    except BadBody:
        if _has_more(text):
            raise _several() from None
        raise
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, list):
        raise _several() if found else BadBody.because("is an empty list")
    if not isinstance(found, dict):
        raise BadBody.because("must be one JSON object")
    return found


def _has_more(text: str) -> bool:
    """Return whether one JSON value is followed by another."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip(" \t\r\n,;")[:1] in ("{", "[")


def _several() -> BadBody:
    return BadBody.because("holds more than one alert: send each by itself")
