"""Recognises encodings: every door reads UTF-8, with or without a byte order mark."""

import codecs

_OTHERS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
)
HEAD_BYTES = 4
"""The bytes at the beginning that tell encodings apart."""


def without_bom(data: bytes) -> bytes:
    """Return the text without the byte order mark that some programs write before UTF-8."""
    return data.removeprefix(codecs.BOM_UTF8)


def check_encoding(data: bytes) -> None:
    """Raise ValueError, which names the encoding, if the text does not begin as UTF-8 does."""
    for mark, name in _OTHERS:
        if data.startswith(mark):
            raise ValueError(f"is {name}: send it as plain UTF-8")
    if b"\0" in data[:HEAD_BYTES]:  # of a character outside the first 256, or a NUL
        raise ValueError("has a zero byte at its beginning, as UTF-16 and UTF-32 have: send UTF-8")


def not_utf8(data: bytes) -> str | None:
    """Return what is not UTF-8 in the text, or None."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return (
            f"is not UTF-8: it has the byte {data[error.start]:#04x} at {error.start}. Send it as "
            "UTF-8; it may be Latin-1 or Windows-1252"
        )
    return None
