"""The files and folders below one folder, by number."""

import os
from collections.abc import Sequence
from pathlib import Path

from tests.power_cuts.disk import Disk
from tests.power_cuts.layout import Contents, contents

AnyPath = str | os.PathLike[str]
_open, _close = os.open, os.close


class Nodes:
    """Gives every file and folder below `root` a number, whatever it is called by now.

    What is in a folder with an `ignored` name is not looked at.
    """

    def __init__(self, root: Path, ignored: Sequence[str] = ()) -> None:
        self.root = root.resolve()
        self._ignored = frozenset(ignored)
        self._numbers: dict[tuple[int, int], int] = {}
        self._held: list[int] = []
        self.number(self.root)
        found = self.contents()
        self._paths = {path: self.number(self.root / path) for path in found}
        self._files = {self._paths[path]: data for path, data in found.items() if data is not None}

    def disk(self) -> Disk:
        """Return the disk as it was in the beginning."""
        return Disk(self._paths, self._files)

    def contents(self) -> Contents:
        """Return what is below the folder now."""
        found = contents(self.root)
        return {path: found[path] for path in found if self.has(self.root / path)}

    def number(self, path: AnyPath) -> int:
        """Return the number of the node; hold a new one, so that no other node gets its inode."""
        key = _key(os.stat(path))
        if key not in self._numbers:
            self._held.append(_open(path, os.O_PATH))
            self._numbers[key] = len(self._numbers)
        return self._numbers[key]

    def number_of_open(self, descriptor: int) -> int:
        """Return the number of a node that is open, whatever its name is."""
        return self.number(f"/proc/self/fd/{descriptor}")

    def known(self, descriptor: int) -> int | None:
        """Return the number of the node that is open, or None if it is none of ours."""
        return self._numbers.get(_key(os.fstat(descriptor)))

    def has(self, file: object) -> bool:
        """Return whether this is a path below the folder, or the descriptor of such a file."""
        if isinstance(file, int):
            try:
                return self.known(file) is not None
            except OSError:
                return False
        return isinstance(file, str | os.PathLike) and self._has_path(os.path.abspath(file))

    def _has_path(self, path: str) -> bool:
        if not f"{path}/".startswith(f"{self.root}/"):
            return False
        return self._ignored.isdisjoint(path[len(str(self.root)) :].split("/"))

    def close(self) -> None:
        """Let the nodes go."""
        while self._held:
            _close(self._held.pop())


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
