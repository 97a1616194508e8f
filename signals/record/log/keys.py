"""The log's private key: a file beside the journal that only its owner can read."""

import secrets
from pathlib import Path

from signals.files import kept_text, replace_synced, sync_folder
from signals.record.formats.notes import VerifierKey, parse_key
from signals.record.log.refusals import KEY_LOST, RecordRefused
from signals.record.signing import SEED_BYTES, LogSigner

KEY_FILE, NEXT_FILE, PAST_FILE = "record.key", "record-next.key", "record-past.keys"


class KeyFiles:
    """The key that signs, and during a rotation the next one."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self._origin = origin

    @property
    def exists(self) -> bool:
        """Return whether there is a key."""
        return (self._folder / KEY_FILE).exists()

    def current(self) -> LogSigner:
        """Return the key that signs. Raises RecordRefused if it is lost."""
        if not self.exists:
            raise RecordRefused(KEY_LOST, f"The key {self._folder / KEY_FILE} is gone.")
        return self._signer(KEY_FILE)

    def next(self) -> LogSigner | None:
        """Return the key to which the record changes; None without a rotation."""
        return self._signer(NEXT_FILE) if (self._folder / NEXT_FILE).exists() else None

    def both(self) -> list[LogSigner]:
        """Return the current key and the next one, if there is one."""
        following = self.next()
        return [self.current(), *([following] if following else [])]

    def make(self) -> LogSigner:
        """Make the first key, durably; if there is one, return it."""
        return self._made(KEY_FILE)

    def make_next(self) -> LogSigner:
        """Make the key to which the record changes, durably; if there is one, return it."""
        return self._made(NEXT_FILE)

    def past(self) -> list[VerifierKey]:
        """Return the verifier keys of this origin that signed before the current one."""
        path = self._folder / PAST_FILE
        lines = path.read_text().splitlines() if path.exists() else []
        return [key for key in map(parse_key, lines) if key.name == self._origin]

    def promote(self) -> None:
        """Sign with the next key alone from now on; of the old one the public part is kept."""
        keys = dict.fromkeys([*self.past(), self.current().key])
        replace_synced(self._folder / PAST_FILE, "".join(f"{key}\n" for key in keys).encode())
        (self._folder / NEXT_FILE).replace(self._folder / KEY_FILE)
        sync_folder(self._folder)

    def retire(self, name: str) -> None:
        """Put the keys of a record that has ended out of use, under another name."""
        for file in (KEY_FILE, NEXT_FILE):
            if (self._folder / file).exists():
                (self._folder / file).rename(self._folder / f"{name}-{file}")
        sync_folder(self._folder)

    def _made(self, file: str) -> LogSigner:
        kept_text(self._folder / file, lambda: secrets.token_bytes(SEED_BYTES).hex())
        return self._signer(file)

    def _signer(self, file: str) -> LogSigner:
        text = kept_text(self._folder / file, str)
        try:
            return LogSigner(self._origin, bytes.fromhex(text))
        except ValueError as error:
            sentence = f"{self._folder / file} does not hold a key of {self._origin}: {error}."
            raise RecordRefused(KEY_LOST, sentence) from None
