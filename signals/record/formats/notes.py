"""Signed notes (C2SP signed-note): a text, and who signed it."""

import hashlib
import re
from typing import NamedTuple

from signals.record.formats.ed25519 import is_valid
from signals.record.formats.encoding import BadRecord, base64_bytes, base64_text

ED25519, COSIGNATURE = 0x01, 0x04
"""Types of keys: a log's, and a witness's."""
MOST_NOTE_BYTES = 2**20
MOST_SIGNATURES = 100
MOST_OF_A_KEY = 3
"""A witness may cosign a checkpoint again."""
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")


class VerifierKey(NamedTuple):
    """A public key with its name; `kind` is its type."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that a signature line begins with."""
        covered = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(covered).digest()[:4]

    def __str__(self) -> str:
        """Return the verifier key as text."""
        public = base64_text(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{public}"


class SignatureLine(NamedTuple):
    """One signature: `signature` is all after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """Return the line without its newline."""
        return f"\u2014 {self.name} {base64_text(self.key_id + self.signature)}"


class Note(NamedTuple):
    """A text that ends with a newline, and its signatures, which are not verified yet."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def encoded(self) -> bytes:
        """Return the note's bytes."""
        lines = "".join(f"{line}\n" for line in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def by(self, key: VerifierKey) -> list[bytes]:
        """Return the signatures that claim to be this key's.

        Raises BadRecord if there are more than a few: verifying them would take long.
        """
        wanted = key.name, key.key_id
        found = [line.signature for line in self.signatures if line[:2] == wanted]
        if len(found) > MOST_OF_A_KEY:
            raise BadRecord(f"there are {len(found)} signatures of {key.name}")
        return found


def parse_key(text: str) -> VerifierKey:
    """Return the key of a verifier key's text. Raises BadRecord."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise BadRecord(f"{text[:120]!r} is not a verifier key: <name>+<key id>+<key>")
    name, key_id, encoded = parts
    data = base64_bytes(encoded)
    if not is_key_name(name) or len(data) != 33:
        raise BadRecord(f"{text[:120]!r} is not the verifier key of an Ed25519 key")
    key = VerifierKey(name, data[0], data[1:])
    if key.kind not in (ED25519, COSIGNATURE):
        raise BadRecord(f"{text[:120]!r} is a key of type {key.kind:#04x}, which is not supported")
    if key.key_id.hex() != key_id:
        raise BadRecord(f"{text[:120]!r} has a wrong key id: it should be {key.key_id.hex()}")
    return key


def is_key_name(name: str) -> bool:
    """Return True if a key may have this name."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name))


def parse_note(data: bytes) -> Note:
    """Return the note of these bytes. Raises BadRecord if they are not one."""
    if len(data) > MOST_NOTE_BYTES:
        raise BadRecord(f"a signed note has at most {MOST_NOTE_BYTES} bytes, not {len(data)}")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise BadRecord("a signed note is UTF-8, and this is not") from None
    if _CONTROLS.search(whole):
        raise BadRecord("a signed note has no control characters, and this has")
    text, separator, signatures = whole.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise BadRecord("a signed note is a text, an empty line and signature lines")
    lines = signatures[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadRecord(f"there are {len(lines)} signatures; the limit is {MOST_SIGNATURES}")
    return Note(f"{text}\n", tuple(map(signature_line, lines)))


def signature_line(line: str) -> SignatureLine:
    """Return what a signature line says. Raises BadRecord if it is not one."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "\u2014" or not is_key_name(name):
        raise BadRecord(f"{line[:120]!r} is not a signature line")
    data = base64_bytes(encoded)
    if len(data) < 5:
        raise BadRecord(f"{line[:120]!r} has no signature")
    return SignatureLine(name, data[:4], data[4:])


def is_signed(note: Note, key: VerifierKey) -> bool:
    """Return True if the key signed the note's text.

    Raises BadRecord if a signature claims to be the key's, and is not.
    """
    claimed = note.by(key)
    for signature in claimed:
        if not is_valid(key.public, note.text.encode(), signature):
            raise BadRecord(f"the signature of {key.name} is not valid")
    return bool(claimed)
