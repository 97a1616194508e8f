"""A trace: the changes of files and folders in their order, and what was promised in between."""

from dataclasses import dataclass

from signals.journal import JournalPosition


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes were written into a file."""

    node: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """A file was cut, or extended with zeros."""

    node: int
    size: int


@dataclass(frozen=True, slots=True)
class Names:
    """Names in a folder changed at once: each now means a node, or nothing."""

    node: int
    names: dict[str, int | None]
    makes_folder: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync of a file or folder returned; it covers the changes before `covers` in the trace."""

    node: int
    covers: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A caller asked for these lines to be written."""

    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """These lines are promised to be on disk."""

    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The caller was told that none of these lines is in the journal."""

    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """These lines were given to whoever stores them in the database, up to this position."""

    lines: tuple[bytes, ...]
    end: JournalPosition


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A process uses the secret or the identity in this file; it must stay as it is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TakenAway:
    """Somebody deleted or moved a file with these lines; only an open descriptor has them."""

    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PutBack:
    """What was taken away is promised again."""


Change = Write | Resize | Names
Event = Sent | Acknowledged | Refused | Given | HandedOut | TakenAway | PutBack
Step = Change | Sync | Event
