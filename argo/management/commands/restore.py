"""`manage.py restore`: put a backup into an empty data folder and an empty database."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from argo.restore import Restored, restore
from signals.management.command import progress
from signals.management.verifying import VerifyingCommand


class Command(VerifyingCommand):
    help = (
        "Restore a backup into an empty data folder (ARGO_DATA_DIR) and an empty database "
        "(DATABASE_URL), after checking each file of it, and verify the signals. Argo must not run."
    )
    requires_system_checks = ()  # one of them refuses to run while a restore is not finished

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("dir", type=Path, metavar="DIR", help="the folder of the backup")

    def run(self, options: dict[str, Any]) -> None:
        with progress(None, "B") as bar:
            restored = restore(options["dir"], bar.update)
        result = {
            "backup": restored.manifest.model_dump(mode="json"),
            "flushed": asdict(restored.flushed),
            "halted": restored.halted,
            "folder": str(settings.DATA_DIR),
        }
        self.answer_verified(options, result, _as_text(restored))


def _as_text(restored: Restored) -> str:
    manifest, flushed = restored.manifest, restored.flushed
    what = f"{len(manifest.files)} files, {manifest.bytes} bytes"
    lines = [f"Restored the backup of {manifest.made_at} into {settings.DATA_DIR}: {what}"]
    if flushed.lines:
        lines.append(f"After its snapshot of the database the journal had: {flushed}")
    lines += [
        f"Trading on {account} is halted: compare with the broker (monitor_positions --reconcile), "
        "then resume (execute_signals --resume)."
        for account in restored.halted
    ]
    return "\n".join(lines)
