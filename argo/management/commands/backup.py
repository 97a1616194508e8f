"""`manage.py backup`: copy everything into a folder, while Argo runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from argo.version import version
from signals.alerts.log import alerts_journal
from signals.backup import Installation, back_up, database
from signals.config import journal
from signals.management.command import ArgoCommand, progress


class Command(ArgoCommand):
    help = (
        "Back up the database, the journal, the alerts and the keys into a new folder. Argo may "
        "run meanwhile. The backup holds secrets: only its owner can read it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("dir", type=Path, metavar="DIR", help="a folder that is new or empty")

    def run(self, options: dict[str, Any]) -> None:
        folder = options["dir"].absolute()
        source = Installation(database(), journal(), (alerts_journal(),))
        with progress(source.size() or None, "B") as bar:
            manifest = back_up(folder, source, version(), bar.update)
        text = f"{len(manifest.files)} files, {manifest.bytes} bytes, in {options['dir']}"
        result = manifest.model_dump(mode="json") | {"folder": str(folder)}
        self.answer(options, result, text)
