"""The workspace of a benchmark: its own Argo in a fresh, migrated data folder."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """A data folder, and the choice of sizes.

    `folder` is this process's ARGO_DATA_DIR; `quick` selects the smaller sizes.
    """

    folder: Path
    quick: bool = False

    def size(self, full: int, quick: int) -> int:
        """Return `quick` in a quick run, otherwise `full`."""
        return quick if self.quick else full


def say(text: str) -> None:
    """Print progress to standard error; standard output is for the table."""
    print(text, file=sys.stderr, flush=True)
