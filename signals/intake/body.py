"""Reads request bodies whose length is not known before, within the limit."""

from typing import Protocol

from argo.errors import FieldError, InvalidInput

READ_AT_ONCE = 65536


class BodyTooLarge(InvalidInput):
    """The body is larger than API_MAX_BODY_BYTES."""

    status = 413
    code = "too_large"

    @classmethod
    def over(cls, limit: int, size: int | None = None) -> "BodyTooLarge":
        has = f"has more than {limit} bytes" if size is None else f"has {size} bytes"
        limited = "the limit" if size is None else f"the limit is {limit}"
        text = f"{has}, {limited}" if size is None else f"{has}; {limited}"
        return cls([FieldError("body", f"{text} (API_MAX_BODY_BYTES). Send less at a time")])


class Readable(Protocol):
    """What a web server gives to read a body from."""

    def read(self, size: int = -1, /) -> bytes: ...


class CountedStream:
    """A body in chunks: the server has decoded them, and its stream ends where the body ends.

    Raises BodyTooLarge as soon as more than `limit` bytes were read.
    """

    def __init__(self, stream: Readable, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._count = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, or all; b"" at the end."""
        if size is not None and size >= 0:
            return self._counted(self._stream.read(min(size, READ_AT_ONCE)))
        return b"".join(iter(lambda: self._counted(self._stream.read(READ_AT_ONCE)), b""))

    def close(self) -> None:
        """Do nothing: the stream is the server's."""

    def _counted(self, data: bytes) -> bytes:
        self._count += len(data)
        if self._count > self._limit:
            raise BodyTooLarge.over(self._limit)
        return data
