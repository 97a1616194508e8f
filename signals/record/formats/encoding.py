"""Strict base64 and decimals: each value has one spelling, so that nothing hides in another."""

import base64
import binascii
import re

HASH_BYTES = 32
LARGEST = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class BadRecord(ValueError):
    """What was read is not what the format allows; the message says why."""


def base64_text(data: bytes) -> str:
    """Return standard base64."""
    return base64.b64encode(data).decode("ascii")


def base64_bytes(text: str) -> bytes:
    """Return what base64 means. Raises BadRecord if it is not in its one canonical spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadRecord(f"{text[:80]!r} is not base64") from None
    if base64_text(data) != text:
        raise BadRecord(f"{text[:80]!r} is not canonical base64")
    return data


def hash_bytes(text: str) -> bytes:
    """Return a SHA-256 hash that is written in base64. Raises BadRecord."""
    data = base64_bytes(text)
    if len(data) != HASH_BYTES:
        raise BadRecord(f"{text[:80]!r} is not a hash of {HASH_BYTES} bytes")
    return data


def hash_lines(text: str, most: int) -> list[bytes]:
    """Return hashes, one a line, each line with its newline. Raises BadRecord."""
    if not text:
        return []
    if not text.endswith("\n"):
        raise BadRecord("the last hash has no newline: the file was cut off")
    lines = text[:-1].split("\n")
    if len(lines) > most:
        raise BadRecord(f"there are {len(lines)} hashes; no proof needs more than {most}")
    return [hash_bytes(line) for line in lines]


def decimal(text: str) -> int:
    """Return a number without sign and leading zeros, below 2**63. Raises BadRecord."""
    if not _DECIMAL.fullmatch(text) or int(text) > LARGEST:
        raise BadRecord(f"{text[:40]!r} is not a decimal number below 2**63")
    return int(text)
