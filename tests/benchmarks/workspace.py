"""Where a benchmark runs: an Argo of its own in a fresh, migrated data folder."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """`folder` is this process's ARGO_DATA_DIR; `quick` asks for smaller sizes."""

    folder: Path
    quick: bool = False

    def size(self, full: int, quick: int) -> int:
        """Whichever of the two fits."""
        return quick if self.quick else full


def say(text: str) -> None:
    """Tell the person who waits; standard output is the table's."""
    print(text, file=sys.stderr, flush=True)
