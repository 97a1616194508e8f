"""`manage.py verify_signals`: check that nothing was altered, lost or inserted."""

import os
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from signals.config import journal
from signals.ledger.dead_letters import unresolved
from signals.management.command import ArgoCommand, progress
from signals.models import Signal
from signals.verification import Verification, verify


class Command(ArgoCommand):
    help = (
        "Check every stored hash, and compare database and journal, both ways. Name each signal "
        "that was altered, is missing, or is unknown to the journal; then exit with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--processes", type=int, choices=range(1, 65), metavar="N", default=os.cpu_count() or 1,
            help="processes that check rows (default: the number of cores)",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        with progress(2 * Signal.objects.count(), "line") as bar:
            result = verify(journal(), progress=bar.update, processes=options["processes"])
        dead = unresolved()
        self.answer(options, _as_dict(result) | {"dead_letters": dead}, _as_text(result))
        if result.findings:
            named = {finding.signal_id for finding in result.findings}
            self.fail(f"{len(named)} signals failed the check: see above")
        if result.sums:
            self.fail("Sums differ from the signals: make them anew with rebuild_signals --sums")
        if dead:
            self.fail(f"{dead} dead letters are not resolved: see the admin site")


def _as_dict(result: Verification) -> dict[str, Any]:
    return asdict(result) | {"findings": [finding._asdict() for finding in result.findings]}


def _as_text(result: Verification) -> str:
    lines = [f"{kind:<8} {signal_id:<18} {detail}" for kind, signal_id, detail in result.findings]
    lines += [f"sums     {sentence}" for sentence in result.sums]
    lines.append(f"{result.rows} rows and {result.lines} journal lines checked")
    if result.pending:
        lines.append(f"{result.pending} lines are not in the database yet")
    if result.elsewhere:
        lines.append(f"{result.elsewhere} rows came from other journals: only hashes checked")
    return "\n".join(lines)
