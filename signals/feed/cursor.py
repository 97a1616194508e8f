"""Cursors of the feed: how far a reader has read, in one opaque text that never expires.

A cursor holds the index that was read last, and for each journal the last of its lines up to there.
The lines are what counts: after a restore or a rebuild the same lines may get other indexes, and
only the lines say what the reader has seen.
"""

import base64
import binascii
import hashlib
import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from argo.errors import FieldError, InvalidInput
from signals.journal import Offset

NOW = "now"
_HEAD = struct.Struct("!BQ")
_PLACE = struct.Struct("!6sIQ")
_CHECK = struct.Struct("!I")
_VERSION = 1
MOST_INDEX = 2**63 - 1
Tag = bytes
"""The first bytes of a hash of a journal's identity."""
Seen = Mapping[Tag, Offset]
"""Where the last line begins that was seen of each journal."""


class Cursor(NamedTuple):
    """The index that was read last, and the lines that were seen up to there."""

    index: int  # type: ignore[assignment]  # it hides a tuple's method
    seen: Seen

    def text(self) -> str:
        """Return the cursor as readers get it."""
        packed = _HEAD.pack(_VERSION, self.index) + b"".join(
            _PLACE.pack(tag, *self.seen[tag]) for tag in sorted(self.seen)
        )
        packed += _CHECK.pack(zlib.crc32(packed))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def has_seen(self, tag: Tag, line: Offset) -> bool:
        """Return whether the reader has passed this line."""
        return tag in self.seen and line <= self.seen[tag]


START = Cursor(0, {})


def cursor_of(text: str) -> Cursor:
    """Return the cursor that a text means. Raises InvalidInput if it is none."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return _unpacked(packed)
    except (ValueError, struct.error, binascii.Error):
        message = (
            "is not a cursor of this feed: send the `next` of an earlier answer or the `id` of an "
            "event unchanged, `now` to begin at the end, or nothing to begin at the start"
        )
        raise InvalidInput([FieldError("after", message)]) from None


def tag_of(journal: str) -> Tag:
    """Return the short name of a journal, from its identity."""
    return hashlib.sha256(journal.encode()).digest()[:6]


def _unpacked(packed: bytes) -> Cursor:
    content = packed[: -_CHECK.size]
    if _CHECK.unpack(packed[-_CHECK.size :])[0] != zlib.crc32(content):
        raise ValueError(packed)
    version, index = _HEAD.unpack(content[: _HEAD.size])
    if version != _VERSION or index > MOST_INDEX:
        raise ValueError(packed)
    places = _PLACE.iter_unpack(content[_HEAD.size :])
    return Cursor(index, {tag: Offset(segment, byte) for tag, segment, byte in places})
