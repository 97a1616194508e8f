"""The salt key of a journal: 32 random bytes beside it, without which no digest tells anything."""

import secrets
from pathlib import Path

from argo.errors import Conflict
from signals.files import kept_text, make_folder
from signals.journal import Journal

SALT_FILE = "signals.salt"
BYTES = 32


class BadSaltKey(Conflict):
    """The file of a salt key does not hold one."""


def salt_path(journal: Journal) -> Path:
    """Return the file that holds the salt key of a journal."""
    return journal.path.with_name(SALT_FILE)


def salt_key(journal: Journal) -> bytes:
    """Return the salt key of a journal; make it the first time, durably.

    Raises BadSaltKey.
    """
    path = salt_path(journal)
    try:
        make_folder(path.parent)
        key = bytes.fromhex(kept_text(path, lambda: secrets.token_bytes(BYTES).hex()))
    except OSError as error:
        raise BadSaltKey(f"The salt key {path} cannot be read or made: {error.strerror}.") from None
    except ValueError:
        key = b""
    if len(key) != BYTES:
        raise BadSaltKey(
            f"{path} does not hold a salt key, which is {2 * BYTES} hexadecimal digits: put it "
            "back from a backup. Without it no line can be proved."
        )
    return key
