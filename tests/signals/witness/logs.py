"""A log of another owner, and what a witness is asked about it."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from signals.record.formats.checkpoints import Checkpoint
from signals.record.formats.tree import consistency_ranges, leaf_hash, root_of
from signals.record.signing import LogSigner, signed_note
from signals.record.submission import Submission

ORIGIN = "log.example/record"


@dataclass
class OtherLog:
    """A log in memory; its owner may lie by changing `leaves`."""

    signer: LogSigner = field(default_factory=lambda: LogSigner(ORIGIN, b"O" * 32))
    leaves: list[bytes] = field(default_factory=list)

    def grow(self, count: int, word: str = "entry") -> None:
        size = len(self.leaves)
        self.leaves += [leaf_hash(f"{word} {n}".encode()) for n in range(size, size + count)]

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint of the first `size` leaves, or of all."""
        leaves = self.leaves[:size]
        name = self.signer.key.name
        return signed_note(Checkpoint(name, len(leaves), root_of(leaves)), self.signer).encoded()

    def proof(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        size = len(self.leaves) if size is None else size
        return tuple(root_of(self.leaves[a:b]) for a, b in consistency_ranges(old, size))

    def submission(self, old: int, size: int | None = None) -> bytes:
        return Submission(old, self.proof(old, size), self.checkpoint(size)).encoded()


def add_checkpoint(body: bytes, **more: Any) -> HttpResponse:  # noqa: ANN401
    """Post to the witness."""
    return Client().post(  # type: ignore[return-value]
        "/witness/add-checkpoint", body, content_type="text/plain", **more
    )
