"""`manage.py prove_record`: make the bundle of a period of the public record."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.config import journal
from signals.files import replace_synced
from signals.management.command import ArgoCommand
from signals.management.journals import journal_in
from signals.record.formats.notes import MOST_NOTE_BYTES
from signals.record.proving.period import Made, Maker
from signals.record.proving.revealing import NOTHING, shows
from signals.timestamps import parse_utc


class Command(ArgoCommand):
    help = (
        "Write a bundle that proves all entries of a period: complete, in order, unaltered. Others "
        "check it with verify_record or with the one-file verifier. It runs on the machine where "
        "RECORD_ORIGIN is set."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add = parser.add_argument
        add("--since", required=True, metavar="TIME", help="the first moment: 2026-01-01T00:00:00Z")
        add("--until", required=True, metavar="TIME", help="the moment at which the period ends")
        add("--output", required=True, type=Path, metavar="FILE", help="where to write the bundle")
        add("--reveal", default=NOTHING, metavar="FILTER", help=(
            "which lines to show: all, nothing (the default), or signals with their outcomes by a "
            "filter such as strategy=trend,symbol=AAPL"
        ))  # fmt: skip
        add("--known", action="append", type=Path, default=[], metavar="FILE",
            help="a checkpoint that a reader has kept, which the bundle continues")  # fmt: skip
        add("--journal", action="append", type=Path, default=[], metavar="FOLDER",
            help="the data folder of another machine, whose lines are shown too")  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        since, until = _time(options, "since"), _time(options, "until")
        known = [_read(path) for path in options["known"]]
        maker = Maker([journal(), *map(journal_in, options["journal"])])
        data, made = maker.make(since, until, shows(options["reveal"]), known)
        _write(options["output"], data)
        result = made._asdict() | {"output": str(options["output"])}
        self.answer(options, result, _text(made, options["output"]))


def _text(made: Made, output: Path) -> str:
    names = ", ".join(made.witnesses) or "no witness: nothing proves when it was made"
    text = (
        f"{output}: entries {made.first} to {made.last} of {made.size}, {made.shown} lines shown, "
        f"{made.bytes} bytes. The checkpoint was signed by: {names}."
    )
    if made.newer:
        text += f"\n{made.newer} entries of this period are newer than this checkpoint."
    return text


def _time(options: dict[str, Any], name: str) -> datetime:
    try:
        return parse_utc(options[name])
    except ValueError as error:
        raise InvalidInput([FieldError(f"--{name}", str(error))]) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_NOTE_BYTES)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise InvalidInput([FieldError("--known", message)]) from None


def _write(path: Path, content: bytes) -> None:
    try:
        replace_synced(path, content)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise InvalidInput([FieldError("--output", message)]) from None
