"""Makes the bundle of a period: all its entries without a gap, and the lines that are shown."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connections

from argo.errors import Conflict, FieldError, InvalidInput
from signals.journal import Journal
from signals.record.bundle import Enclosed, line_bytes, write_bundle
from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import parse_note
from signals.record.formats.tiles import TileReader
from signals.record.log.disk import FOLDER
from signals.record.log.drafts import EPOCH, MICROSECOND
from signals.record.proving.checkpoints import (
    Cosigned,
    latest,
    latest_witnessed,
    quorum,
    witnessed_before,
)
from signals.record.proving.kept import earlier_checkpoints, log_keys, stamps_of
from signals.record.proving.lines import OwnLines
from signals.record.proving.revealing import Shows
from signals.record.proving.tiles import tiles_of
from signals.record.verifier.files import MIB, MOST_FILES, MOST_PACKED_BYTES
from signals.record.verifier.history import Revealed

MOST_PART_BYTES = 128 * MIB
"""Of the entries, and of the lines that are shown."""
MOST_CONSISTENCY = 1000
"""Earlier checkpoints that a bundle proves to continue."""
FIXED_FILES = 6
_RANGE = (
    "SELECT min(CASE WHEN id < %s THEN id END), max(CASE WHEN id < %s THEN id END), "
    "count(CASE WHEN id >= %s THEN 1 END) FROM record_entries WHERE at >= %s AND at < %s"
)


class Period(NamedTuple):
    """What a bundle is made of: the range of entries in the tree of a checkpoint."""

    checkpoint: Cosigned
    first: int
    last: int


class Made(NamedTuple):
    """What a bundle holds, for people and programs."""

    first: int
    last: int
    size: int
    shown: int
    witnesses: list[str]
    newer: int
    bytes: int


@dataclass(frozen=True)
class Maker:
    """Makes bundles from this machine's record and from `journals`, whose lines can be shown."""

    journals: Sequence[Journal]
    using: str = "default"

    def make(
        self, since: datetime, until: datetime, shows: Shows, known: Iterable[bytes] = ()
    ) -> tuple[bytes, Made]:
        """Return the bundle from the first to the last entry of a time, `until` not included.

        `known` are checkpoints that a reader has kept: the bundle proves that it continues them.
        Raises InvalidInput if the period has no entry or too many, and Conflict.
        """
        period, newer = self._period(since, until)
        tiles = tiles_of(period.checkpoint, self.using)
        entries = tiles.entries(period.first, period.last + 1)
        _check_size("entries", sum(map(len, entries)) + 2 * len(entries))
        shown = self._shown(period, shows)
        enclosed = self._enclosed(period, entries, shown, known)
        data = _packed(tiles, period, enclosed)
        checkpoint = period.checkpoint
        names = sorted(checkpoint.witnesses)
        return data, Made(
            period.first, period.last, checkpoint.size, len(shown), names, newer, len(data)
        )

    def _period(self, since: datetime, until: datetime) -> tuple[Period, int]:
        """Return the range, and how many entries of the time are newer than its checkpoint."""
        checkpoint = latest_witnessed(self.using) or latest(self.using)
        if checkpoint is None:
            raise Conflict(
                "There is no signed checkpoint here: run prove_record on the machine where "
                "RECORD_ORIGIN is set, after the record has begun."
            )
        begin, end = ((each - EPOCH) // MICROSECOND for each in (since, until))
        with connections[self.using].cursor() as cursor:
            cursor.execute(_RANGE, [checkpoint.size, checkpoint.size, checkpoint.size, begin, end])
            first, last, newer = cursor.fetchone()
        if first is None:
            text = f"there is no entry before the end of the checkpoint of size {checkpoint.size}"
            raise InvalidInput([FieldError("--since", f"{text} from {since} until {until}")])
        return Period(checkpoint, first, last), newer

    def _shown(self, period: Period, shows: Shows) -> list[Revealed]:
        """Return the lines that are shown. Raises InvalidInput if they are too many."""
        found, size = [], 0
        for journal in self.journals:
            for each in OwnLines(journal, self.using).between(period.first, period.last):
                if shows(each.line):
                    found.append(each)
                    size += len(line_bytes(each))
                    _check_size("lines", size)
        return sorted(found, key=lambda each: each.index)

    def _enclosed(
        self, period: Period, entries: list[bytes], shown: list[Revealed], known: Iterable[bytes]
    ) -> Enclosed:
        keys = log_keys()
        folder = Path(settings.DATA_DIR) / FOLDER
        earlier = earlier_checkpoints(folder, entries, period.checkpoint, keys)
        stamps = stamps_of([*earlier, period.checkpoint.note.encoded()], folder)
        _check_count(len(earlier) + len(stamps))
        before = witnessed_before(period.first, MOST_CONSISTENCY, self.using)
        sizes = {*before, *map(_size_of, known)}
        return Enclosed(
            quorum().policy(keys),
            lines=shown,
            earlier=earlier,
            stamps=stamps,
            known=sorted(size for size in sizes if 0 < size < period.checkpoint.size),
        )


def _packed(tiles: TileReader, period: Period, enclosed: Enclosed) -> bytes:
    file = io.BytesIO()
    write_bundle(file, tiles, period.checkpoint.note.encoded(), period.first, period.last, enclosed)
    data = file.getvalue()
    if len(data) > MOST_PACKED_BYTES:
        raise _too_large("bundle", len(data), MOST_PACKED_BYTES)
    return data


def _check_size(what: str, size: int) -> None:
    if size > MOST_PART_BYTES:
        raise _too_large(what, size, MOST_PART_BYTES)


def _check_count(count: int) -> None:
    if count > MOST_FILES - MOST_CONSISTENCY - FIXED_FILES:
        text = (
            f"this time has {count} checkpoints and stamps, more than a bundle holds: prove "
            "several shorter times, each with a bundle of its own"
        )
        raise InvalidInput([FieldError("--since", text)])


def _too_large(what: str, size: int, limit: int) -> InvalidInput:
    text = (
        f"the {what} of this time take {size / MIB:,.0f} MiB or more, and a reader's verifier "
        f"takes at most {limit // MIB} MiB: prove several shorter times, each with a bundle of its "
        "own"
    )
    return InvalidInput([FieldError("--since", text)])


def _size_of(known: bytes) -> int:
    try:
        return parse_checkpoint(parse_note(known).text).size
    except BadRecord as error:
        raise InvalidInput([FieldError("--known", f"is not a checkpoint: {error}")]) from None
