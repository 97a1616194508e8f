"""The journal: an append-only file of JSON lines, durable before it is acknowledged.

It knows nothing of signals or of Django: a line is bytes without a newline.
"""

from signals.journal.errors import JournalError, JournalReplaced
from signals.journal.journal import Journal
from signals.journal.lookup import LineLookup
from signals.journal.reader import Chunk, Line
from signals.journal.segments import START, Offset, Position, Segments

__all__ = [
    "START",
    "Chunk",
    "Journal",
    "JournalError",
    "JournalReplaced",
    "Line",
    "LineLookup",
    "Offset",
    "Position",
    "Segments",
]
