"""What witnesses have seen of a record, before this machine signs anything."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

from django.conf import settings

from signals.record.formats.checkpoints import parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import parse_note
from signals.record.log.disk import Signed
from signals.record.log.keys import KeyFiles
from signals.record.log.refusals import UNASKED, RecordRefused
from signals.record.proving.checkpoints import quorum
from signals.record.quorum import NamedWitness
from signals.witness.keys import origin_digest
from sync.record.witnesses import ask
from sync.webhooks.posting import NoReply

TIMEOUT = 10.0


def checkpoints(origin: str) -> list[Signed]:
    """Return the checkpoints of a record that its witnesses have cosigned last.

    So many must answer that at least one has seen whatever enough of them have cosigned. Raises
    RecordRefused if fewer answer: an older copy of the record could otherwise sign a fork.
    """
    enough = quorum()
    if not enough.witnesses or not KeyFiles(Path(settings.DATA_DIR), origin).exists:
        return []  # without a key nothing was ever signed here
    with ThreadPoolExecutor(len(enough.witnesses), thread_name_prefix="seen") as pool:
        found = list(pool.map(lambda each: _seen_by(each, origin), enough.witnesses))
    answers = [each for each in found if each is not None]
    needed = len(enough.witnesses) - enough.least + 1
    if len(answers) < needed:
        raise RecordRefused(
            UNASKED,
            f"{len(answers)} of {len(enough.witnesses)} witnesses say what they have seen of "
            f"{origin}, and {needed} must.",
        )
    return [signed for each in answers for signed in each]


def _seen_by(witness: NamedWitness, origin: str) -> list[Signed] | None:
    """Return the checkpoint that a witness has, in a list, which is empty if it has none.

    Return None if it does not answer as a witness does.
    """
    try:
        reply = ask(witness.url, "GET", f"{origin_digest(origin)}/checkpoint", b"", TIMEOUT)
        if reply.status == HTTPStatus.NOT_FOUND:
            return []
        if reply.status != HTTPStatus.OK:
            return None
        note = parse_note(reply.body)
        checkpoint = parse_checkpoint(note.text)
    except (NoReply, BadRecord):
        return None
    return [Signed(checkpoint, note)] if checkpoint.origin == origin else None
