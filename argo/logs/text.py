"""Makes text from outside safe to write into a log: one line, and nothing that a terminal obeys."""

import re
from datetime import UTC, datetime

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: newline, carriage return, escape, NUL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters, invisible tags
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def timestamp(seconds: float) -> str:
    """Return a time, given in seconds since 1970, in UTC and with its milliseconds."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def escaped(text: str) -> str:
    """Return the text with each character that could forge a line or a terminal's commands
    replaced by its escape sequence, as `\\n` or `\\u202e`."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_escape, text)


def escaped_line(line: str) -> str:
    """Return the same, but keep tabs: in a line of the log they separate its parts."""
    return "\t".join(map(escaped, line.split("\t")))


def cut(text: str, length: int) -> str:
    """Return at most `length` characters of the text, and how many were left out."""
    left = len(text) - length
    return text if left <= 0 else f"{text[:length]}... ({left} more)"


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
