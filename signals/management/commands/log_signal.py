"""`manage.py log_signal`: store signals from JSON."""

import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.core.management.base import CommandParser

from signals.intake import parse_line, parse_lines
from signals.management.command import progress
from signals.management.intake import IntakeCommand, IntakeReport, numbered_batches
from signals.tracker import SignalTracker, signal_or_error


class Command(IntakeCommand):
    help = (
        "Store signals: one JSON object as the argument, or one on each line of standard input. "
        "Returns when their rows are in the database. A signal that is stored already is not "
        "stored again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("signal", nargs="?", help="a signal as JSON (default: standard input)")

    def run(self, options: dict[str, Any]) -> None:
        report = IntakeReport()
        with (
            closing(SignalTracker("cli")) as tracker,
            progress(None, "signal") as bar,
        ):
            for numbers, batch in numbered_batches(_read(options["signal"])):
                report.add(numbers, tracker.log_each(map(signal_or_error, batch)))
                bar.update(len(batch))
        self.report(options, report)


def _read(argument: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the signal of the argument, which may have several lines, or those of each line."""
    if argument:
        yield 1, parse_line(argument.encode(errors="surrogateescape"))
    else:
        yield from parse_lines(sys.stdin.buffer)
