"""`manage.py export_signals`: write stored signals to a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.ledger.queries import SignalFilter, batches
from signals.management.command import ArgoCommand, progress
from signals.management.filters import add_filters, filter_of
from signals.transfer.writing import WRITERS, counted


class Command(ArgoCommand):
    help = "Write stored signals to a file, oldest row first: JSON lines, CSV or Parquet."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", help="the file, or - for standard output")
        parser.add_argument(
            "--format", choices=tuple(WRITERS), help="default: by the file's ending, or jsonl"
        )
        add_filters(parser, SignalFilter.model_fields, "export only these signals")

    def run(self, options: dict[str, Any]) -> None:
        wanted, path = filter_of(options), options["path"]
        ending = Path(path).suffix.lstrip(".")
        write = WRITERS[options["format"] or (ending if ending in WRITERS else "jsonl")]
        total = wanted.count()
        with _opened(path) as file, progress(total, "signal") as bar:
            write(counted(batches(wanted), bar.update), file)
        if path != "-":
            self.answer(options, {"exported": total, "path": path}, f"{total} signals in {path}")


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
