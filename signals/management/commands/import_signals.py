"""`manage.py import_signals`: import the signals of another store."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from signals.management.command import progress
from signals.management.intake import IntakeCommand, IntakeReport, numbered_batches
from signals.tracker import SignalTracker
from signals.transfer.importing import ORIGIN, ORIGIN_SYNCED, encode_imported
from signals.transfer.reading import count_signals, read_signals


class Command(IntakeCommand):
    help = (
        "Import signals from an older SQLite database, JSON lines or CSV, with their ids, hashes "
        "and outcomes, even if a hash is wrong (verify_signals names those signals). They are "
        "never traded. If it is interrupted, start it again: it continues."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="the file; its format is recognised")
        parser.add_argument("--sync", action="store_true", help="also send them to Alpine")

    def run(self, options: dict[str, Any]) -> None:
        path, report = options["path"], IntakeReport()
        items = read_signals(path)
        origin = ORIGIN_SYNCED if options["sync"] else ORIGIN
        with (
            closing(SignalTracker(origin, encode=encode_imported)) as tracker,
            progress(count_signals(path), "signal") as bar,
        ):
            for numbers, batch in numbered_batches(items):
                report.add(numbers, tracker.log_each(batch))
                bar.update(len(batch))
        self.report(options, report)
