"""Signs checkpoints, as the log and as a witness."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signals.record.formats.checkpoints import Checkpoint, cosigned_message
from signals.record.formats.notes import (
    COSIGNATURE,
    ED25519,
    Note,
    SignatureLine,
    VerifierKey,
    parse_key,
)

SEED_BYTES = 32


class Signer:
    """A private key with its name; it signs as a log or as a witness, never as both."""

    def __init__(self, name: str, seed: bytes, kind: int) -> None:
        """Raises ValueError if the name is not a key's, or the seed has not 32 bytes."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self.key = parse_key(str(VerifierKey(name, kind, public)))

    def _line(self, before: bytes, message: bytes) -> SignatureLine:
        return SignatureLine(self.key.name, self.key.key_id, before + self._private.sign(message))


class LogSigner(Signer):
    """The key of a log."""

    def __init__(self, origin: str, seed: bytes) -> None:
        super().__init__(origin, seed, ED25519)

    def sign(self, text: str) -> SignatureLine:
        """Return the signature of a checkpoint's text."""
        return self._line(b"", text.encode())


class WitnessSigner(Signer):
    """The key of a witness."""

    def __init__(self, name: str, seed: bytes) -> None:
        super().__init__(name, seed, COSIGNATURE)

    def cosign(self, text: str, time: int) -> SignatureLine:
        """Return the cosignature of a checkpoint's text at a POSIX time."""
        return self._line(time.to_bytes(8, "big"), cosigned_message(text, time))


def signed_note(checkpoint: Checkpoint, *signers: LogSigner) -> Note:
    """Return the checkpoint, signed; during a rotation two keys sign it."""
    text = checkpoint.text()
    return Note(text, tuple(signer.sign(text) for signer in signers))


def with_cosignatures(note: Note, *lines: SignatureLine) -> Note:
    """Return the note with more signature lines; those that it has are not repeated."""
    new = (line for line in lines if line not in note.signatures)
    return Note(note.text, (*note.signatures, *dict.fromkeys(new)))
