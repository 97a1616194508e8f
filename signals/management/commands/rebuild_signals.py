"""`manage.py rebuild_signals`: make a new database from the journal, or only the sums anew."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from signals.config import journal
from signals.ledger.rebuild import rebuild, rebuild_into
from signals.ledger.sums.update import restart_sums, update_sums
from signals.management.command import ArgoCommand, progress


class Command(ArgoCommand):
    help = (
        "Rebuild the signals from the journal alone: in a new SQLite file, or in the configured "
        "database if that has none. Nothing is sent or traded again. Or make only the sums anew, "
        "from the signals that the configured database has."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--sums", action="store_true", help="make only the sums anew that statistics read"
        )
        what.add_argument(
            "--into", type=Path, metavar="PATH", help="a new SQLite file (default: DATABASE_URL)"
        )

    def run(self, options: dict[str, Any]) -> None:
        if options["sums"]:
            self._sums(options)
        else:
            self._signals(options)

    def _sums(self, options: dict[str, Any]) -> None:
        restart_sums()
        with progress(None, "signal") as bar:
            count = update_sums(progress=bar.update)
        self.answer(options, {"summed": count}, f"{count} signals and outcome changes are summed.")

    def _signals(self, options: dict[str, Any]) -> None:
        path = options["into"]
        with progress(None, "line") as bar:
            if path:
                result = rebuild_into(path, journal(), bar.update)
            else:
                result = rebuild(journal(), using="default", progress=bar.update)
        where = path or "the configured database"
        text = f"{result.stored} signals and {result.changes} outcome changes are in {where}."
        self.answer(options, asdict(result), text)
        if result.dead:
            self.fail(f"{result.dead} lines became dead letters")
