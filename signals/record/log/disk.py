"""The record on disk: the folder that is published, and the last checkpoint that was signed.

The last signed checkpoint is synced in a file of its own before the folder shows it. So after any
crash the larger of the two is the last one that anybody can have seen.
"""

from pathlib import Path
from typing import NamedTuple

from signals.files import make_folder, replace_synced, sync_folder
from signals.record.folder import CHECKPOINT, TileFolder
from signals.record.formats.checkpoints import Checkpoint, parse_checkpoint
from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import Note, parse_note
from signals.record.log.refusals import DAMAGED, RecordRefused

FOLDER, SIGNED_FILE = "record", "record.signed"


class Signed(NamedTuple):
    """A signed checkpoint with its note."""

    checkpoint: Checkpoint
    note: Note

    @property
    def size(self) -> int:
        """Return how many entries it holds."""
        return self.checkpoint.size


class Disk:
    """The files of the record in a data folder."""

    def __init__(self, data_folder: Path) -> None:
        self._data = data_folder
        self.folder = TileFolder(data_folder / FOLDER)

    def last(self) -> Signed | None:
        """Return the largest checkpoint that is there; None without any. Raises RecordRefused."""
        found = [each for each in (self.published(), self.signed()) if each is not None]
        return max(found, key=lambda each: each.size, default=None)

    def published(self) -> Signed | None:
        """Return the checkpoint that the folder shows."""
        return _parsed(self.folder.path / CHECKPOINT)

    def signed(self) -> Signed | None:
        """Return the last checkpoint that was signed here."""
        return _parsed(self._data / SIGNED_FILE)

    def keep_signed(self, note: Note) -> None:
        """Keep the checkpoint as the last one that was signed, before anybody sees it."""
        make_folder(self._data)
        replace_synced(self._data / SIGNED_FILE, note.encoded())

    def has_ended(self, name: str) -> bool:
        """Return whether a record was put away under this name."""
        return (self._data / name).exists()

    def put_away(self, name: str) -> None:
        """Put the folder of a record that has ended under another name."""
        if self.folder.path.exists():
            self.folder.path.rename(self._data / name)
        (self._data / SIGNED_FILE).unlink(missing_ok=True)
        sync_folder(self._data)


def _parsed(path: Path) -> Signed | None:
    try:
        note = parse_note(path.read_bytes())
        return Signed(parse_checkpoint(note.text), note)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (BadRecord, OSError) as error:
        raise RecordRefused(DAMAGED, f"{path} cannot be read: {error}.") from None
