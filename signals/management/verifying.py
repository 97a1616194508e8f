"""Verifies the signals and reports it, for the commands that do so."""

import os
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from signals.config import journal
from signals.ledger.dead_letters import unresolved
from signals.management.command import ArgoCommand, progress
from signals.models import Signal
from signals.record.log.auditing import Audit, audit
from signals.record.log.disk import Disk
from signals.verification import Verification, verify


class VerifyingCommand(ArgoCommand):
    """A command that checks every stored hash, and compares database, journal and public record."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--processes", type=int, choices=range(1, 65), metavar="N", default=os.cpu_count() or 1,
            help="processes that check rows (default: the number of cores)",
        )  # fmt: skip

    def answer_verified(
        self, options: dict[str, Any], result: dict[str, Any] | None = None, text: str = ""
    ) -> int:
        """Verify, and answer with the findings after `text`, and in `result`.

        Return the number of unresolved dead letters. Ends with exit code 1 if a signal, a sum or
        the public record fails the check.
        """
        with progress(2 * Signal.objects.count(), "line") as bar:
            found = verify(journal(), progress=bar.update, processes=options["processes"])
            record = audit(journal(), Disk(settings.DATA_DIR), progress=bar.update)
        dead = unresolved()
        result = (result or {}) | as_dict(found) | {"dead_letters": dead, "record": asdict(record)}
        texts = [text, _as_text(found), _record_as_text(record)]
        self.answer(options, result, "\n".join(filter(None, texts)))
        if found.findings:
            named = {finding.signal_id for finding in found.findings}
            self.fail(f"{len(named)} signals failed the check: see above")
        if found.sums:
            self.fail("Sums differ from the signals: make them anew with rebuild_signals --sums")
        if record.faults:
            self.fail("The public record does not agree with the journal and its checkpoints")
        return dead


def as_dict(result: Verification) -> dict[str, Any]:
    """Return the verification for a program."""
    return asdict(result) | {"findings": [finding._asdict() for finding in result.findings]}


def findings_as_text(result: Verification) -> list[str]:
    """Return a line for each finding."""
    return [f"{kind:<8} {signal_id:<18} {detail}" for kind, signal_id, detail in result.findings]


def _record_as_text(result: Audit) -> str:
    """Return what was found in the public record; nothing without one."""
    lines = [f"record   {sentence}" for sentence in result.faults]
    if result.entries:
        counts = f"{result.entries} entries of the record and {result.lines} of its lines"
        lines.append(f"{counts} checked")
    return "\n".join(lines)


def _as_text(result: Verification) -> str:
    lines = findings_as_text(result)
    lines += [f"sums     {sentence}" for sentence in result.sums]
    lines.append(f"{result.rows} rows and {result.lines} journal lines checked")
    if result.pending:
        lines.append(f"{result.pending} lines are not in the database yet")
    if result.elsewhere:
        lines.append(f"{result.elsewhere} rows came from other journals: only hashes checked")
    return "\n".join(lines)
