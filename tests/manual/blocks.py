"""The fenced blocks of README.md and of the manual's pages.

What a block is for follows from the word behind its fence:

- `bash`: commands that the tests run, one page after the other in a shell of its own.
- `text`, `json`: what the `bash` block before it prints; "…" stands for text that varies.
- `sh`: commands that the tests do not run, since they install, start or need something from
  outside. Argo's commands in them must still take their arguments.
- `python`, `toml`: a file of the name in the first line's comment; Python without one is run.
- `ini`, `nginx`, `dockerfile`: another program's configuration.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from argo.manual.pages import NAMES
from argo.manual.rendering import parser
from tests.installation import ROOT

README = ROOT / "README.md"
FILE_NAME = re.compile(r"^# (\S+\.\w+)$")


class Block(NamedTuple):
    """One fenced block: its word, its text, and the line of its fence."""

    word: str
    text: str
    line: int

    @property
    def file_name(self) -> str | None:
        """Return the name of the file that the block shows, if it shows one."""
        found = FILE_NAME.match(self.text.partition("\n")[0])
        return found[1] if found else None


def documents() -> dict[str, Path]:
    """Return every file that a reader sees, by a short name."""
    pages = ROOT / "templates" / "docs"
    return {"readme": README} | {name: pages / f"{name}.md" for name in NAMES}


def blocks(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a file, in order."""
    for token in parser().parse(path.read_text(encoding="utf-8")):
        if token.type == "fence":
            assert token.map is not None
            yield Block(token.info, token.content, token.map[0] + 1)
