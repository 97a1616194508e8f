"""`manage.py adopt_journal`: drain the data folder of a lost node into the database."""

import os
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from signals.journal import Journal
from signals.management.command import ArgoCommand, progress
from signals.management.verifying import as_dict, findings_as_text
from signals.nodes import Adoption, adopt
from signals.record.log.service import enterer_of_past


class Command(ArgoCommand):
    help = (
        "Store everything in the journal of another data folder that the database lacks, verify "
        "it, and enter it into the public record as history: for a node that is lost. It may be "
        "repeated. Its node must not be alive."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="the lost data folder")

    def run(self, options: dict[str, Any]) -> None:
        with progress(None, "line") as bar:
            adopted = adopt(options["folder"], bar.update, processes=os.cpu_count() or 1)
        with closing(Journal(options["folder"] / "signals.log")) as journal:
            enterer_of_past(journal).enter()
        result = {"identity": adopted.identity, "flushed": asdict(adopted.flushed)}
        self.answer(options, result | {"verified": as_dict(adopted.verified)}, _as_text(adopted))
        if adopted.verified.findings:
            self.fail("Some signals failed the check: see above")
        if adopted.flushed.dead:
            self.fail(f"{adopted.flushed.dead} lines became dead letters: see the admin site")


def _as_text(adopted: Adoption) -> str:
    name = adopted.identity[:8]
    advice = (
        f"{adopted.verified.lines} journal lines checked. If the node does not come back: "
        f"argo nodes --retire {name} --why WHY. Keep the folder: the database can only be rebuilt "
        "with it."
    )
    stored = f"Adopted the journal of the node {name}: {adopted.flushed}"
    return "\n".join([stored, *findings_as_text(adopted.verified), advice])
