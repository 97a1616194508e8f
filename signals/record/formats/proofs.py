"""Proof files (C2SP tlog-proof): that one entry is in the tree of a checkpoint."""

from dataclasses import dataclass

from signals.record.formats.encoding import (
    BadRecord,
    base64_bytes,
    base64_text,
    decimal,
    hash_lines,
)
from signals.record.formats.notes import MOST_NOTE_BYTES
from signals.record.formats.tree import MOST_HASHES

HEADER = "c2sp.org/tlog-proof@v1"
MOST_PROOF_BYTES = MOST_NOTE_BYTES + 2**17


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof file. `checkpoint` is a signed note; `extra` is not covered by any signature."""

    extra: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encoded(self) -> bytes:
        """Return the file's bytes."""
        extra = [f"extra {base64_text(self.extra)}"] if self.extra else []
        hashes = map(base64_text, self.hashes)
        lines = [HEADER, *extra, f"index {self.index}", *hashes, "", ""]
        return "\n".join(lines).encode() + self.checkpoint


def parse_proof(data: bytes) -> Proof:
    """Return the proof of a file. Raises BadRecord if it is not one."""
    head, separator, checkpoint = data.partition(b"\n\n")
    if len(data) > MOST_PROOF_BYTES or not separator or not checkpoint:
        raise BadRecord("a proof file has a proof, an empty line and a checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise BadRecord("a proof file has only ASCII before its checkpoint") from None
    if lines.pop(0) != HEADER:
        raise BadRecord(f"a proof file begins with {HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = base64_bytes(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise BadRecord("a proof file names the index of its entry")
    index = decimal(lines.pop(0).removeprefix("index "))
    hashes = hash_lines("".join(f"{line}\n" for line in lines), MOST_HASHES)
    return Proof(extra, index, tuple(hashes), checkpoint)
