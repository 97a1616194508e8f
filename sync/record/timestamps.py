"""Has a checkpoint stamped by one authority (RFC 3161), and keeps its answer."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import close_old_connections

from signals.clock import Clock, utc_now
from signals.models import RecordCheckpoint
from signals.record.formats.checkpoints import first_signed
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import parse_note
from signals.record.formats.stamps import MOST_STAMP_BYTES
from signals.record.proving.checkpoints import quorum
from signals.record.timestamps import (
    CONTENT_TYPE,
    StampVerifier,
    certificates,
    check_answer,
    stamp_request,
)
from signals.record.witnessing.marking import mark
from sync.record import stamps
from sync.record.witnesses import TIMEOUT, UNWELL
from sync.retry import SyncError
from sync.service import Answer
from sync.webhooks.posting import Exchanged, NoReply, exchange


@dataclass(frozen=True)
class AuthorityService:
    """Asks one authority for time stamps; a `name` is the size of a stored checkpoint.

    With a `verifier` an answer is kept only if the authority's certificates verify it.
    """

    url: str
    verifier: StampVerifier | None = None
    timeout: float = TIMEOUT
    clock: Clock = utc_now

    key_digest: ClassVar[str] = ""

    def send(self, name: str, body: bytes, *, retries: int = 0) -> Answer:
        """Have a checkpoint stamped as it was first signed. Raises SyncError."""
        try:
            return self._send(name)
        finally:
            close_old_connections()  # this thread may wait long for its next work

    def _send(self, name: str) -> Answer:
        row = RecordCheckpoint.objects.filter(size=int(name)).first()
        if row is None:
            raise SyncError(f"the checkpoint of size {name} is not kept any more", permanent=True)
        note = parse_note(row.note.encode())
        message = first_signed(note, note.text.partition("\n")[0])
        request = stamp_request(message)
        reply = self._ask(request.data)
        if reply.status != HTTPStatus.OK:
            is_unwell = reply.status in UNWELL
            raise SyncError(
                f"the authority answers {reply.status}",
                permanent=not is_unwell, status=reply.status, is_transport=is_unwell,
            )  # fmt: skip
        try:
            time = check_answer(reply.body, message, request.nonce, self.verifier)
        except BadRecord as error:
            raise SyncError(str(error), permanent=True, status=reply.status) from None
        stamps.keep(self.url, row, reply.body)
        if not quorum().witnesses:
            mark(row, self.clock())
        return Answer(reply.status, f"stamped at {time:%Y-%m-%d %H:%M:%S} UTC")

    def _ask(self, request: bytes) -> Exchanged:
        close_old_connections()  # an authority that hangs must not hold one
        allowed = {(urlsplit(self.url).hostname or "").lower()}
        try:
            return exchange(
                "POST", self.url, request, {"Content-Type": CONTENT_TYPE},
                timeout=self.timeout, allowed=allowed, most=MOST_STAMP_BYTES,
            )  # fmt: skip
        except NoReply as error:
            raise SyncError(str(error), permanent=False, is_transport=True) from error


def verifier() -> StampVerifier | None:
    """Return what verifies answers by RECORD_STAMP_CERTIFICATES; None without that file.

    Raises BadRecord if there is no certificate in it, and OSError if it cannot be read.
    """
    if not settings.RECORD_STAMP_CERTIFICATES:
        return None
    return StampVerifier(certificates(Path(settings.RECORD_STAMP_CERTIFICATES).read_bytes()))
