"""The key of this Argo as a witness, in its data folder.

It is in no backup: a database that is restored has forgotten what was cosigned since, and with the
same key it would cosign a second history. After a restore a witness begins with a new key.
"""

import hashlib
import secrets
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from argo.errors import Conflict, FieldError, InvalidInput
from signals.files import make_once
from signals.record.formats.encoding import BadRecord, base64_bytes, base64_text
from signals.record.formats.notes import COSIGNATURE, is_key_name
from signals.record.signing import SEED_BYTES, WitnessSigner

FILE = "witness.key"
PREFIX = "PRIVATE+KEY"
LONGEST_NAME = 200


def key_path() -> Path:
    """Return where the key is."""
    return Path(settings.DATA_DIR) / FILE


def make_key(name: str, folder: Path | None = None) -> WitnessSigner:
    """Make this Argo, or that of another data folder, a witness for good; return its key.

    The name is a URL without its scheme, such as `argo.example/witness`. Raises InvalidInput, and
    Conflict if there is a key already.
    """
    if not is_key_name(name) or len(name) > LONGEST_NAME or not name.isprintable():
        text = f"must be 1 to {LONGEST_NAME} characters without spaces and +: argo.example/witness"
        raise InvalidInput([FieldError("--create", text)])
    folder = Path(settings.DATA_DIR) if folder is None else folder
    text = _encoded(name, secrets.token_bytes(SEED_BYTES))
    if (folder / FILE).exists():
        raise Conflict(_there(signer_in(folder)))
    make_once(folder / FILE, text)
    made = signer_in(folder)
    if made is None or _decoded(text).key != made.key:
        raise Conflict(_there(made))
    return made


def signer() -> WitnessSigner | None:
    """Return what signs; None if this Argo is no witness.

    Raises ImproperlyConfigured if the file holds no key.
    """
    return signer_in(Path(settings.DATA_DIR))


def signer_in(folder: Path) -> WitnessSigner | None:
    """Return what signs for the Argo with this data folder, as `signer` does for this one."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    try:
        return _decoded(text)
    except ValueError:
        raise ImproperlyConfigured(
            f"{path} holds no key of a witness. If it cannot be repaired, delete it and make a new "
            "one with witness --create NAME; those who trust the witness need the new key."
        ) from None


def _there(made: WitnessSigner | None) -> str:
    name = f" {made.key.name}" if made else ""
    return f"This Argo is the witness{name} already: see witness --list."


def _encoded(name: str, seed: bytes) -> str:
    """Return the key as Go's `note` package writes private keys."""
    data = base64_text(bytes([COSIGNATURE]) + seed)
    return f"{PREFIX}+{name}+{WitnessSigner(name, seed).key.key_id.hex()}+{data}"


def _decoded(text: str) -> WitnessSigner:
    """Return the signer of a key's text. Raises ValueError."""
    first, second, name, key_id, encoded = text.split("+", 4)
    data = base64_bytes(encoded)
    if f"{first}+{second}" != PREFIX or data[:1] != bytes([COSIGNATURE]):
        raise BadRecord("is not a witness's private key")
    made = WitnessSigner(name, data[1:])
    if made.key.key_id.hex() != key_id:
        raise BadRecord("has another key id")
    return made


def origin_digest(origin: str) -> str:
    """Return the SHA-256 of an origin in hex, which names the log in the witness's addresses."""
    return hashlib.sha256(origin.encode()).hexdigest()
