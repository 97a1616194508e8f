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
        has = f"more than {limit}" if size is None else str(size)
        text = f"has {has} bytes; the limit is {limit} (API_MAX_BODY_BYTES). Send less at a time"
        return cls([FieldError("body", text)])


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
        """Return `size` bytes, fewer only at the end; all that is left without a size."""
        pieces, left = [], self._limit + 1 if size is None or size < 0 else size
        while left > 0 and (piece := self._stream.read(min(left, READ_AT_ONCE))):
            self._count += len(piece)
            if self._count > self._limit:
                raise BodyTooLarge.over(self._limit)
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Do nothing: the stream is the server's."""
