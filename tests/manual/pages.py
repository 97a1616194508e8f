"""Runs the pages of the manual, each in an installation of its own."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.legacy import legacy_database, legacy_rows
from tests.manual.blocks import Block, blocks, documents
from tests.manual.shell import Clone, Warm
from tests.samples import a_signal

OUTPUT, RUNS = ("text", "json"), ("bash", "python")
RUN = {
    name: path
    for name, path in documents().items()
    if any(block.word in RUNS for block in blocks(path))
}
"""The documents with something to run, by name."""


class Shown(NamedTuple):
    """A block of output as the page shows it, and what was really printed."""

    block: Block
    printed: str


def fresh(folder: Path, warm: Warm) -> Path:
    """Make a clone with what pages take for granted: an empty database, bars, an older store."""
    clone = Clone(folder, warm)
    clone.prepare()
    (folder / "data/bars").mkdir(parents=True)
    (folder / "old").mkdir()
    legacy_database(folder / "old/signals.db", legacy_rows(12))
    clone.output("migrate", "--verbosity", "0")
    return folder


@contextmanager
def copied(original: Path, folder: Path, warm: Warm) -> Iterator[Clone]:
    """Give a copy of the clone, and end the processes that were made for it."""
    shutil.copytree(original, folder)
    yield Clone(folder, warm)
    warm.forget()


def run(name: str, clone: Clone) -> list[Shown]:
    """Run a page, and return each block of output that it shows, with what was printed.

    Raises AssertionError if a command fails, or if Argo refuses a call that shows no refusal.
    """
    every = list(blocks(RUN[name]))
    for block in every:
        if block.file_name:
            (clone.folder / block.file_name).write_text(block.text)
    clone = BEFORE.get(name, _nothing)(clone)
    printed = clone.run(every, with_server=_calls(every) or name == "sync")
    shown = [(did, block) for did, block in pairwise(every) if _is_output(did, block)]
    expected = {did.line for did, block in shown if '"errors"' in block.text}
    assert clone.refused == expected, f"{RUN[name]}: a call is refused in {clone.refused}"
    return [Shown(block, printed[did.line]) for did, block in shown]


def _is_output(did: Block, block: Block) -> bool:
    return did.word in RUNS and block.word in OUTPUT


def _calls(every: Sequence[Block]) -> bool:
    return any("curl" in block.text for block in every if block.word == "bash")


def _nothing(clone: Clone) -> Clone:
    return clone


def _with_signal(clone: Clone) -> Clone:
    """Let there be something to back up and to rebuild."""
    clone.output("log_signal", json.dumps(a_signal()))
    return clone


def _with_alpine(clone: Clone) -> Clone:
    """Let it be its own Alpine, with a key that may read and write."""
    key = clone.output("api_key", "--create", "alpine").split()[0]
    address = f"http://127.0.0.1:{clone.port}/api/signals"
    return replace(clone, settings={"ALPINE_API_KEY": key, "ALPINE_ENDPOINT": address})


BEFORE = {
    "backup": _with_signal, "operations": _with_signal, "recover": _with_signal,
    "sync": _with_alpine,
}  # fmt: skip
"""What a page takes for granted beyond an empty installation."""
