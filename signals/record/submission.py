"""What is sent to a witness (C2SP tlog-witness): a checkpoint that continues an earlier one."""

from typing import NamedTuple

from signals.record.formats.encoding import BadRecord, base64_text, decimal, hash_lines

MOST_PROOF_LINES = 63
MOST_SUBMISSION_BYTES = 64 * 1024
SIZE_TYPE = "text/x.tlog.size"
"""The content type of the answer that names the size which the witness knows."""


class Submission(NamedTuple):
    """A signed checkpoint, and the proof that it continues the checkpoint of size `old`."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encoded(self) -> bytes:
        """Return the body of the request."""
        lines = [f"old {self.old}", *map(base64_text, self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


def parse_submission(data: bytes) -> Submission:
    """Return what a request submits; the checkpoint is not read yet. Raises BadRecord."""
    head, separator, checkpoint = data.partition(b"\n\n")
    if not separator or not checkpoint or not head.startswith(b"old "):
        raise BadRecord(
            "the body has a line `old <size>`, proof lines, an empty line and a checkpoint"
        )
    try:
        first, _, proof = (head + b"\n").decode("ascii").partition("\n")
    except UnicodeDecodeError:
        raise BadRecord("only the checkpoint may have other characters than ASCII") from None
    old = decimal(first.removeprefix("old "))
    return Submission(old, tuple(hash_lines(proof, MOST_PROOF_LINES)), checkpoint)
