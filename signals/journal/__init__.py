"""The journal: an append-only file of JSON lines, durable before it is acknowledged.

It does not know signals or Django: a line is bytes without a newline.
"""

from signals.journal.errors import JournalError, JournalReplaced
from signals.journal.journal import Journal
from signals.journal.lookup import LineLookup
from signals.journal.reader import Chunk, Line, OpenSegment
from signals.journal.segments import START, JournalPosition, Offset, Segments

__all__ = [
    "START",
    "Chunk",
    "Journal",
    "JournalError",
    "JournalPosition",
    "JournalReplaced",
    "Line",
    "LineLookup",
    "Offset",
    "OpenSegment",
    "Segments",
]
