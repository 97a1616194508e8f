"""Writes tiles, signs checkpoints, and shows them: on the one machine that owns the record.

Entries and tiles are synced before the checkpoint is signed; the signed checkpoint is on disk, and
then in the database, before the folder shows it. Killed anywhere, the next run goes on there.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from signals.locks import FileLock, LockedByAnother
from signals.models import RecordHead
from signals.record.formats.checkpoints import Checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.log.checkpoints import check_checkpoint, last_checkpoint, store_checkpoint
from signals.record.log.disk import Disk, Signed
from signals.record.log.keys import KeyFiles
from signals.record.log.opening import Opening
from signals.record.log.own import enter_heartbeat, key_entry
from signals.record.log.refusals import DAMAGED, RecordRefused
from signals.record.log.tables import edge_of, entries_between, head_of
from signals.record.signing import LogSigner, signed_note

logger = logging.getLogger(__name__)
DAY = timedelta(days=1)


@dataclass
class Publisher:
    """Publishes the record of one data folder; `lock` is held by the process that does so."""

    opening: Opening
    lock: FileLock
    heartbeat: timedelta = DAY
    _has_asked: bool = False

    def publish(self) -> int:
        """Publish what was entered; return the size of the published record.

        Return 0 if another process publishes at this moment. Raises RecordRefused.
        """
        with suppress(LockedByAnother):
            self.lock.acquire()
            try:
                size = self._publish()
            except RecordRefused as refused:
                self._note(f"{refused.kind.code} {refused.sentence}")
                raise
            finally:
                self.lock.release()
            self._note("")
            return size
        return 0

    def _note(self, why: str) -> None:
        """Keep why the record was not signed last time, for health; empty if it was."""
        heads = RecordHead.objects.using(self.opening.using).filter(owner=self.opening.owner)
        if heads.exclude(refused=why).exists():
            heads.update(refused=why)
            if why:
                logger.warning("The record is not signed now: %s", why)

    @property
    def _disk(self) -> Disk:
        return self.opening.disk

    @property
    def _keys(self) -> KeyFiles:
        return self.opening.keys

    def _publish(self) -> int:
        head = self.opening.open(asks=not self._has_asked)
        self._has_asked = True
        using = self.opening.using
        enter_heartbeat(head, self.heartbeat, self.opening.clock(), using)
        rotation = self._rotation()
        head = head_of(using) or head
        if self._is_done(head):
            return head.size
        try:
            self._sign(head, rotation)
        except BadRecord as error:
            raise RecordRefused(DAMAGED, f"data/record cannot be written: {error}.") from None
        return head.size

    def _is_done(self, head: RecordHead) -> bool:
        """Return whether all entries are published, under the key that is to be used."""
        shown, signed = self._disk.published(), self._disk.signed()
        both = {each.size for each in (shown, signed) if each is not None}
        return both == {head.size} and None not in (shown, signed) and self._keys.next() is None

    def _rotation(self) -> int | None:
        """Return the index of the entry of the next key; None without a rotation."""
        following = self._keys.next()
        if following is None:
            return None
        return key_entry(str(following.key), self.opening.clock(), self.opening.using)

    def _sign(self, head: RecordHead, rotation: int | None) -> None:
        root = self._write_tiles(head)
        last = last_checkpoint(self.opening.using)
        signers = self._signers(head.size, last.size if last else 0, rotation)
        checkpoint = Checkpoint(self.opening.origin, head.size, root)
        note = signed_note(checkpoint, *signers)
        now = self.opening.clock()
        signed, owner, using = Signed(checkpoint, note), self.opening.owner, self.opening.using
        check_checkpoint(signed, owner, using)
        self._disk.keep_signed(note)
        store_checkpoint(signed, owner, now, using)
        self._disk.folder.publish(note)
        if rotation is not None and head.size > rotation:
            self._keys.promote()

    def _signers(self, size: int, before: int, rotation: int | None) -> list[LogSigner]:
        """Return who signs: both keys the first checkpoint that covers the new one's entry."""
        following = self._keys.next()
        current = self._keys.make() if not before else self._keys.current()
        if following is None or rotation is None or size <= rotation:
            return [current]
        return [current, following]

    def _write_tiles(self, head: RecordHead) -> bytes:
        """Write all entries and tiles up to the head; return the root."""
        folder, wanted = self._disk.folder, edge_of(head).root()
        shown = self._disk.published()
        root = folder.root(shown.size) if shown else folder.root(0)
        for portion in entries_between(shown.size if shown else 0, head.size, self.opening.using):
            root = folder.append(portion[0].index, [each.data for each in portion])
        if root != wanted:
            raise BadRecord("the tiles have another root than the tables")
        return root
