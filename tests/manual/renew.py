"""Writes the outputs that README.md and the manual show anew, where they differ.

Run as `python -m tests.manual.renew`, or with the names of some pages. A block with "…" in it is
only reported: a person has to say what may vary. Read the changes before you commit them.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.manual.pages import RUN, Shown, copied, fresh, run
from tests.manual.shell import LOG_LINE, agrees, warm


def main(names: list[str]) -> None:
    """Run the pages and renew their outputs."""
    with TemporaryDirectory() as folder, warm(Path(folder)) as process:
        original = fresh(Path(folder) / "fresh", process)
        for name in names or RUN:
            with copied(original, Path(folder) / name, process) as clone:
                for each in run(name, clone):
                    if not agrees(each.block.text, each.printed):
                        _renew(RUN[name], each)


def _renew(path: Path, shown: Shown) -> None:
    printed = LOG_LINE.sub("", shown.printed).strip("\n") + "\n"
    print(f"{path}:{shown.block.line}\n{printed}")
    if "…" not in shown.block.text:
        fence = f"```{shown.block.word}\n"
        before = fence + shown.block.text
        text = path.read_text(encoding="utf-8").replace(before, fence + printed)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
