"""`manage.py export_signals`: write stored signals to a file."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from execution.analysis.selection import DecidedSelection
from execution.analysis.tables import DECIDED_SCHEMA
from signals.management.command import ArgoCommand, progress
from signals.management.filters import add_filters, filter_of
from signals.retrieval.formats import FORMATS
from signals.retrieval.reading import read_batches
from signals.retrieval.selection import Row
from signals.retrieval.tables import to_record_batches
from signals.transfer.writing import WRITERS, counted

TABLES = ("parquet", "arrow")
"""Formats with typed columns; the others can be imported again."""


class Command(ArgoCommand):
    help = (
        "Write stored signals to a file, oldest row first: JSON lines or CSV, which can be "
        "imported again, or a typed table with decisions, as Parquet or as an Arrow stream."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", help="the file, or - for standard output")
        parser.add_argument(
            "--format", choices=(*WRITERS, *TABLES), help="default: by the file's ending, or jsonl"
        )
        add_filters(parser, DecidedSelection)

    def run(self, options: dict[str, Any]) -> None:
        wanted, path = filter_of(options, DecidedSelection), options["path"]
        ending, exported = Path(path).suffix.lstrip("."), 0
        kind = options["format"] or (ending if ending in (*WRITERS, *TABLES) else "jsonl")

        def count(number: int) -> None:
            nonlocal exported
            exported += number
            bar.update(number)

        with _opened(path) as file, progress(wanted.count(), "signal") as bar:
            _writer(kind)(counted(read_batches(wanted), count), file)
        if path != "-":
            result = {"exported": exported, "path": path}
            self.answer(options, result, f"{exported} signals in {path}")


def _writer(kind: str) -> Callable[[Iterator[Sequence[Row]], BinaryIO], None]:
    return WRITERS[kind] if kind in WRITERS else _table_writer(kind)


def _table_writer(kind: str) -> Callable[[Iterator[Sequence[Row]], BinaryIO], None]:
    def write(batches: Iterator[Sequence[Row]], file: BinaryIO) -> None:
        tables = to_record_batches(batches, DECIDED_SCHEMA)
        file.writelines(FORMATS[kind].encode(tables, DECIDED_SCHEMA))

    return write


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Write to a draft, and give it its name once it is complete."""
    if path == "-":
        yield sys.stdout.buffer
        return
    draft = Path(f"{path}.draft")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise InvalidInput([FieldError(path, f"cannot be written: {error.strerror}")]) from error
    finally:
        draft.unlink(missing_ok=True)
