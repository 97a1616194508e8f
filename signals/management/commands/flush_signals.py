"""`manage.py flush_signals`: store what is pending in the journal."""

from dataclasses import asdict
from typing import Any

from signals.alerts import rows
from signals.config import flusher
from signals.ledger.flush import FlushResult
from signals.management.command import ArgoCommand, progress


class Command(ArgoCommand):
    help = (
        "Store what is pending in the journal and in the file of alerts in the database. The "
        "worker does this anyway; to do it here too does no harm."
    )

    def run(self, options: dict[str, Any]) -> None:
        result = FlushResult()
        with progress(None, "line") as bar:
            for batch in flusher().batches():
                result += batch
                bar.update(batch.lines)
        rows.drain()
        self.answer(options, asdict(result), str(result))
        if result.dead:
            self.fail(f"{result.dead} lines became dead letters: see the admin site")
