"""`manage.py log_signal`: store signals from JSON."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from django.core.management.base import CommandParser
from pydantic_core import from_json

from argo.errors import FieldError, InvalidInput
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
        lines: Iterable[str | bytes] = sys.stdin.buffer
        if options["signal"]:
            lines = [options["signal"]]
        report = IntakeReport()
        with (
            closing(SignalTracker("cli")) as tracker,
            progress(None, "signal") as bar,
        ):
            for numbers, batch in numbered_batches(lines):
                report.add(numbers, tracker.log_each(map(_parsed, batch)))
                bar.update(len(batch))
        self.report(options, report)


def _parsed(line: str | bytes) -> Mapping[str, object] | InvalidInput:
    try:
        return signal_or_error(from_json(line, allow_inf_nan=False))
    except ValueError as error:
        return InvalidInput([FieldError("signal", f"is not JSON: {error}")])
