"""What a disk may hold after a power cut.

The model is harsher than any file system that Argo is likely to meet. After a power cut:

- What a file held when it was last synced is there. Each later write is there, or not, or in part:
  any of its bytes may be missing, in the middle too. Its file may have grown for it all the same;
  what was not written reads as zeros. The writes reach the disk in any order. Each later change of
  the size happened, or not.
- The names that a folder had when it was last synced are there. Each later creation, renaming,
  link or removal happened, or not. Only changes of the same name happen in their order, and a
  renaming happens as a whole. The sync of a file does not cover its name, and a folder's own name
  needs a sync of the folder above.
- A sync covers what was done before it began, once it has returned.

Not modelled: a disk that lies about a sync, damage to what was synced, a sync that fails after it
lost pages, permissions and times. The database is not on this disk: what was given to it is
taken as durable at once, which is the hardest case for the journal.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.power_cuts.layout import Contents
from tests.power_cuts.trace import Change, Names, Resize, Step, Sync, Write

ROOT = 0
"""The number of the folder that is the whole disk."""
Part = tuple[int, int]


@dataclass
class Luck:
    """Decides what happened to the changes that were not synced."""

    names: float
    data: float
    grows: float = 0.0
    dice: random.Random = field(default_factory=random.Random)

    @property
    def is_plain(self) -> bool:
        """Return whether no write reaches the disk in parts."""
        return self.data in (0, 1) and not self.grows

    def __str__(self) -> str:
        return f"names {self.names}, data {self.data}, grows {self.grows}"

    def happens(self, chance: float) -> bool:
        return self.dice.random() < chance

    def parts(self, size: int) -> Iterator[Part]:
        """Yield the parts of a write that reached the disk."""
        if self.data in (0.0, 1.0):
            cuts = []
        else:
            cuts = sorted(self.dice.randint(0, size) for _ in range(self.dice.randint(0, 2)))
        for start, end in zip([0, *cuts], [*cuts, size], strict=True):
            if self.happens(self.data):
                yield start, end


NOTHING = Luck(names=0, data=0)
EVERYTHING = Luck(names=1, data=1)
NAMES_ALONE = Luck(names=1, data=0, grows=1)
DATA_ALONE = Luck(names=0, data=1)


def lucks(seed: str, count: int) -> Iterator[Luck]:
    """Yield the extreme cases, and as many random ones."""
    yield from (NOTHING, EVERYTHING, NAMES_ALONE, DATA_ALONE)
    for number in range(count):
        dice = random.Random(f"{seed} {number}")
        names, data, grows = dice.choices((0.2, 0.5, 0.8), k=3)
        yield Luck(names, data, grows, dice)


@dataclass
class File:
    """A file's bytes when it was last synced, and the changes since."""

    synced: bytes = b""
    pending: list[tuple[int, Write | Resize]] = field(default_factory=list)

    def sync(self, covers: int) -> None:
        done = [change for place, change in self.pending if place < covers]
        self.pending = self.pending[len(done) :]
        self.synced = _changed(self.synced, done, EVERYTHING)

    def after(self, luck: Luck) -> bytes:
        return _changed(self.synced, (change for _, change in self.pending), luck)


def _changed(content: bytes, changes: Iterable[Write | Resize], luck: Luck) -> bytes:
    data = None
    for change in changes:
        data = bytearray(content) if data is None else data
        match change:
            case Resize(_, size):
                if luck.happens(luck.data):
                    del data[size:]
                    _grow(data, size)
            case Write(_, offset, written):
                for start, end in luck.parts(len(written)):
                    _grow(data, offset + start)
                    data[offset + start : offset + end] = written[start:end]
                if luck.happens(luck.grows):
                    _grow(data, offset + len(written))
    return content if data is None else bytes(data)


def _grow(data: bytearray, size: int) -> None:
    data.extend(bytes(max(0, size - len(data))))


@dataclass
class Folder:
    """A folder's names when it was last synced, and the changes since."""

    synced: dict[str, int] = field(default_factory=dict)
    pending: list[tuple[int, Names]] = field(default_factory=list)

    def sync(self, covers: int) -> None:
        done = [change for place, change in self.pending if place < covers]
        self.pending = self.pending[len(done) :]
        for change in done:
            _rename(self.synced, change)

    def after(self, luck: Luck) -> dict[str, int]:
        names, missed = dict(self.synced), set[str]()
        for _, change in self.pending:
            if missed.isdisjoint(change.names) and luck.happens(luck.names):
                _rename(names, change)
            else:  # later changes of these names need this one
                missed |= change.names.keys()
        return names


def _rename(names: dict[str, int], change: Names) -> None:
    for name, node in change.names.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """A disk on which changes and syncs happen; `after` says what a power cut may leave of it."""

    def __init__(self, contents: Mapping[str, int], files: Mapping[int, bytes]) -> None:
        """Begin with everything synced: nodes by their path, and the bytes of the files."""
        self._nodes: dict[int, File | Folder] = {ROOT: Folder()}
        for number in contents.values():
            self._nodes[number] = File(files[number]) if number in files else Folder()
        for path, number in contents.items():
            parent, _, name = path.rpartition("/")
            self._folder(contents.get(parent, ROOT)).synced[name] = number

    def take(self, place: int, step: Step) -> None:
        """Let the step happen that is at this place of the trace."""
        match step:
            case Write() | Resize():
                self._file(step.node).pending.append((place, step))
            case Names():
                self._folder(step.node).pending.append((place, step))
                if step.makes_folder:
                    self._nodes.update((node, Folder()) for node in step.names.values() if node)
            case Sync():
                self._nodes.setdefault(step.node, File()).sync(step.covers)

    def after(self, luck: Luck) -> Contents:
        """Return what is on the disk after a power cut now."""
        found: Contents = {}
        files: dict[int, bytes] = {}
        self._walk(ROOT, "", luck, files, found)
        return found

    def _walk(
        self, number: int, path: str, luck: Luck, files: dict[int, bytes], found: Contents
    ) -> None:
        for name, child in self._folder(number).after(luck).items():
            node = self._nodes.setdefault(child, File())
            if isinstance(node, Folder):
                found[f"{path}{name}"] = None
                self._walk(child, f"{path}{name}/", luck, files, found)
            else:
                if child not in files:  # a file with two names is one file
                    files[child] = node.after(luck)
                found[f"{path}{name}"] = files[child]

    def _file(self, number: int) -> File:
        node = self._nodes.setdefault(number, File())
        assert isinstance(node, File)
        return node

    def _folder(self, number: int) -> Folder:
        node = self._nodes[number]
        assert isinstance(node, Folder)
        return node


def is_change(step: Step) -> bool:
    """Return whether the step is made by a system call."""
    return isinstance(step, Change | Sync)
