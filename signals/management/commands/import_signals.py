"""`manage.py import_signals`: bring in the signals of another store."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from signals.management.command import progress
from signals.management.tally import Tally, TallyingCommand, numbered_batches
from signals.tracker import SignalTracker
from signals.transfer.importing import ORIGIN, ORIGIN_SYNCED, encode_imported
from signals.transfer.reading import count_signals, read_signals


class Command(TallyingCommand):
    help = (
        "Bring in signals from an older SQLite database, JSON lines or CSV, with their ids, "
        "hashes and outcomes, whatever their hash says (verify_signals names those that do not "
        "hold). They are never traded. Broken off, it goes on when started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="the file; its format is recognised")
        parser.add_argument(
            "--sync", action="store_true", help="send them to Alpine too; otherwise they are not"
        )

    def run(self, options: dict[str, Any]) -> None:
        path, tally = options["path"], Tally()
        items = read_signals(path)
        origin = ORIGIN_SYNCED if options["sync"] else ORIGIN
        with (
            closing(SignalTracker(origin, encode=encode_imported)) as tracker,
            progress(count_signals(path), "signal") as bar,
        ):
            for numbers, batch in numbered_batches(items):
                tally.add(numbers, tracker.log_each(batch))
                bar.update(len(batch))
        self.report(options, tally)
