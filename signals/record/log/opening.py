"""Begins the record, or finds out why this machine may not go on with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from signals.clock import Clock, utc_now
from signals.models import RecordHead
from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import Entry, moment, parse_entry
from signals.record.formats.notes import Note, VerifierKey, is_signed
from signals.record.log.catching_up import catch_up
from signals.record.log.checkpoints import last_checkpoint, store_checkpoint
from signals.record.log.disk import Disk, Signed
from signals.record.log.drafts import draft_of
from signals.record.log.keys import KeyFiles
from signals.record.log.own import stop
from signals.record.log.refusals import (
    DAMAGED,
    FOLDER_LOST,
    FOREIGN,
    FORK,
    KEY_LOST,
    OTHER_ORIGIN,
    SEEN,
    RecordRefused,
)
from signals.record.log.tables import HEAD, append, head_of, locked_head
from signals.timestamps import utc_text

Seen = Callable[[str], Iterable[Signed]]
"""Returns the checkpoints of an origin that witnesses have seen; asked before anything is signed
for the first time. Raises RecordRefused if too few answer."""


@dataclass(frozen=True)
class Opening:
    """What it takes to go on with the record of `origin`; `owner` is this machine's data folder."""

    origin: str
    owner: str
    disk: Disk
    keys: KeyFiles
    using: str = "default"
    clock: Clock = utc_now
    seen: Seen = lambda origin: ()

    def open(self, *, asks: bool = True) -> RecordHead:
        """Return the head of the record after it has caught up; begin the record if it has none.

        `asks`: compare it with what witnesses have seen. Raises RecordRefused.
        """
        head, last = head_of(self.using), self.disk.last()
        if head is None:
            self._begin(last)
        self.check()
        if last is not None:
            self._catch_up(last)
        for each in self.seen(self.origin) if asks else ():
            self._compare(each)
        return self._head()

    def check(self) -> None:
        """Raise RecordRefused if this machine may not sign; change nothing."""
        head, last = head_of(self.using), self.disk.last()
        if last is not None and last.checkpoint.origin != self.origin:
            raise _other_origin("data/record is", last.checkpoint.origin, self.origin)
        if head is None:
            return
        if head.origin != self.origin:
            raise _other_origin("The database has", head.origin, self.origin)
        if head.owner != self.owner:
            raise RecordRefused(FOREIGN, f"{self.origin} is signed from another data folder.")
        if head.stopped:
            raise RecordRefused(FORK, head.stopped)
        if last is None and last_checkpoint(self.using) is not None:
            raise RecordRefused(FOLDER_LOST, "data/record and the last signed checkpoint are gone.")
        if last is not None and not self._is_own(last.note):
            raise RecordRefused(KEY_LOST, "record.key is another key than the record's.")

    def _head(self) -> RecordHead:
        head = head_of(self.using)
        assert head is not None  # noqa: S101  # it was begun
        return head

    def _begin(self, last: Signed | None) -> None:
        """Make the head, once: of a new record, or of the one that the folder has."""
        if last is None and self.keys.exists:
            sentence = "There is a key, and neither the database nor the folder has its record."
            raise RecordRefused(FOLDER_LOST, sentence)
        now = self.clock()
        begun_at = now if last is None or not last.size else self._begun_at(last.size)
        with transaction.atomic(using=self.using):
            _, is_new = RecordHead.objects.using(self.using).get_or_create(
                pk=HEAD,
                defaults={
                    "origin": self.origin,
                    "owner": self.owner,
                    "begun_at": begun_at,
                    "entered_at": now,
                    "restored": last.size if last else 0,
                },
            )
            head = locked_head(self.using)
            if is_new and head and not head.restored:
                append(head, [draft_of(Entry(utc_text(now), "heartbeat"))], now, self.using)

    def _begun_at(self, size: int) -> datetime:
        try:
            return moment(parse_entry(self.disk.folder.tiles(size).entries(0, 1)[0]).at)
        except BadRecord as error:
            raise RecordRefused(DAMAGED, f"data/record cannot be read: {error}.") from None

    def _catch_up(self, last: Signed) -> None:
        stored, head = last_checkpoint(self.using), self._head()
        checkpoint = last.checkpoint
        if (
            stored is not None
            and (stored.size, bytes(stored.root)) == checkpoint[1:]
            and head.size >= max(head.restored, stored.size)
        ):
            return
        tiles = self.disk.folder.tiles(last.size)
        catch_up(head, last.size, checkpoint.root, tiles, stored, self.using)
        if stored is None or stored.size < last.size:
            store_checkpoint(last, self.owner, self.clock(), self.using)

    def _compare(self, seen: Signed) -> None:
        """Compare with a checkpoint that a witness has. Raises RecordRefused."""
        if not self._is_own(seen.note):
            return
        last = self.disk.last()
        if last is None or seen.size > last.size:
            have = last.size if last else 0
            sentence = f"A witness has seen {seen.size} entries, and here are {have}."
            raise RecordRefused(SEEN, sentence)
        if self.disk.folder.tiles(last.size).hash_of(0, seen.size) != seen.checkpoint.root:
            why = f"A witness has seen other entries: the first {seen.size} differ."
            raise stop(why, self.using)

    def _is_own(self, note: Note) -> bool:
        """Return whether a key of this record signed it, also one from before a rotation.

        Those that are here sign again, because a key always signs a text the same way.
        """
        if any(each.sign(note.text) in note.signatures for each in self.keys.both()):
            return True
        return any(_has_signed(each, note) for each in self.keys.past())


def _has_signed(key: VerifierKey, note: Note) -> bool:
    try:
        return is_signed(note, key)
    except BadRecord:  # a signature that claims to be the key's, and is not
        return False


def _other_origin(who: str, other: str, origin: str) -> RecordRefused:
    return RecordRefused(
        OTHER_ORIGIN, f"{who} the record of {other}, and RECORD_ORIGIN is {origin}."
    )
