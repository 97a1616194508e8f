"""Sends a checkpoint to one witness (C2SP tlog-witness), and keeps what it answers."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import urlsplit

from django.db import close_old_connections

from argo.errors import ArgoError
from signals.clock import Clock, utc_now
from signals.models import RecordCheckpoint
from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.encoding import BadRecord, decimal
from signals.record.formats.notes import is_signed, parse_note
from signals.record.log.checkpoints import last_checkpoint
from signals.record.log.own import stop
from signals.record.proving.checkpoints import cosigned
from signals.record.proving.kept import log_keys
from signals.record.proving.tiles import tiles_of
from signals.record.quorum import NamedWitness
from signals.record.submission import MOST_PROOF_LINES, SIZE_TYPE, Submission
from signals.record.witnessing.receiving import store_cosignatures
from signals.witness.keys import origin_digest
from sync.retry import SyncError
from sync.service import Answer
from sync.webhooks.posting import Exchanged, NoReply, exchange

TIMEOUT = 20.0
MOST_ANSWER_BYTES = 64 * 1024
UNWELL = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses that say that the witness does not work now, whatever it is asked."""
REASONS = {
    400: "it cannot read the request",
    403: "it knows no key that signed the checkpoint: send its owner the new verifier key",
    404: "it does not watch this record: send its owner the verifier key",
    409: "it knows another size",
    422: "it has seen other entries: the proof or the root is wrong for it",
}


@dataclass(frozen=True)
class WitnessService:
    """Submits checkpoints to one witness; a `name` is the size of a stored checkpoint."""

    witness: NamedWitness
    timeout: float = TIMEOUT
    clock: Clock = utc_now

    key_digest: ClassVar[str] = ""
    """There is no key to refuse: the witness knows the record by its signature."""

    def send(self, name: str, body: bytes, *, retries: int = 0) -> Answer:
        """Submit a checkpoint, and store the cosignature; the schedule tries again.

        Raises SyncError if the witness does not cosign it.
        """
        try:
            return self._send(name)
        finally:
            close_old_connections()  # this thread may wait long for its next work

    def _send(self, name: str) -> Answer:
        row = RecordCheckpoint.objects.filter(size=int(name)).first()
        if row is None:
            raise SyncError(f"the checkpoint of size {name} is not kept any more", permanent=True)
        known = self._last_cosigned(row)
        reply = self._submit(row, known)
        if reply.status == HTTPStatus.CONFLICT:
            size = self._size_in(reply)
            if size > row.size:
                return self._outdated(size, row, reply)
            if size != known:
                reply = self._submit(row, size)
        if reply.status != HTTPStatus.OK:
            raise self._refusal(reply, row)
        return self._stored(row, reply)

    def _last_cosigned(self, row: RecordCheckpoint) -> int:
        """Return the size that the witness knows, as far as its cosignatures tell."""
        rows = RecordCheckpoint.objects.filter(size__lte=row.size, cosignatures__time__isnull=False)
        newest = rows.filter(cosignatures__witness=self.witness.name).order_by("-size").first()
        return newest.size if newest else 0

    def _submit(self, row: RecordCheckpoint, known: int) -> Exchanged:
        """Send the checkpoint with the proof that it continues the one of size `known`."""
        found = cosigned(row)
        try:
            proof = tiles_of(found).consistency(known) if known else []
        except (ArgoError, BadRecord) as error:
            raise SyncError(str(error), permanent=False) from error
        body = Submission(known, tuple(proof[:MOST_PROOF_LINES]), row.note.encode()).encoded()
        return self._ask("POST", "add-checkpoint", body)

    def _ask(self, method: str, path: str, body: bytes = b"") -> Exchanged:
        close_old_connections()  # a witness that hangs must not hold one
        try:
            return ask(self.witness.url, method, path, body, self.timeout)
        except NoReply as error:
            raise SyncError(str(error), permanent=False, is_transport=True) from error

    def _outdated(self, size: int, row: RecordCheckpoint, reply: Exchanged) -> Answer:
        """Leave a checkpoint alone if the witness knows a larger one that is ours, as after an
        answer that was lost. Raises SyncError if we have no checkpoint of that size."""
        last = last_checkpoint()
        if last is None or last.size < size:
            text = f"it knows {size} entries, and the record has {last.size if last else 0}"
            raise SyncError(text, permanent=True, status=reply.status)
        return Answer(reply.status, f"it knows {size} entries already, and this has {row.size}")

    def _size_in(self, reply: Exchanged) -> int:
        """Return the size that the witness names. Raises SyncError if it names none."""
        try:
            if reply.content_type.partition(";")[0] != SIZE_TYPE:
                raise BadRecord(f"the answer 409 has not the type {SIZE_TYPE}")
            return decimal(reply.body.decode("ascii").removesuffix("\n"))
        except (BadRecord, UnicodeDecodeError) as error:
            raise SyncError(str(error), permanent=True, status=reply.status) from None

    def _stored(self, row: RecordCheckpoint, reply: Exchanged) -> Answer:
        try:
            text = reply.body.decode()
            store_cosignatures(row, self.witness, text, self.clock())
        except (BadRecord, UnicodeDecodeError) as error:
            raise SyncError(str(error), permanent=True, status=reply.status) from None
        return Answer(reply.status, "cosigned")

    def _refusal(self, reply: Exchanged, row: RecordCheckpoint) -> SyncError:
        if reply.status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            self._stop_at_fork(row)
        said = reply.body[:500].decode(errors="replace").replace("\0", "").strip()
        reason = REASONS.get(reply.status, "it answers what no witness should")
        is_unwell = reply.status in UNWELL
        return SyncError(
            f"{reply.status}: {said}" if is_unwell else f"{reply.status}, {reason} ({said})",
            permanent=not is_unwell,
            status=reply.status,
            is_transport=is_unwell,
        )

    def _stop_at_fork(self, row: RecordCheckpoint) -> None:
        """Stop the record if the witness shows that our own key has signed another history.

        A witness that only says so may lie.
        """
        shown = self._ask("GET", f"{origin_digest(_origin(row))}/checkpoint")
        try:
            note = parse_note(shown.body)
            seen = parse_checkpoint(note.text)
            ours = any(is_signed(note, key) for key in log_keys())
            if not ours or seen.origin != _origin(row) or not 0 < seen.size <= row.size:
                return
            same = tiles_of(cosigned(row)).hash_of(0, seen.size) == seen.root
        except BadRecord:
            return
        if not same:
            why = f"{self.witness.name} has cosigned other entries: the first {seen.size} differ."
            raise SyncError(str(stop(why)), permanent=True)


def ask(url: str, method: str, path: str, body: bytes, timeout: float) -> Exchanged:
    """Ask a witness; its owner named the address, so it may be inside our own networks.

    Raises NoReply.
    """
    allowed = {(urlsplit(url).hostname or "").lower()}
    return exchange(
        method, f"{url}/{path}", body, {"Content-Type": "text/plain; charset=utf-8"},
        timeout=timeout, allowed=allowed, most=MOST_ANSWER_BYTES,
    )  # fmt: skip


def _origin(row: RecordCheckpoint) -> str:
    return row.note.partition("\n")[0]
