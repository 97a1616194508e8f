"""`manage.py monitor_positions`: one look at what is open, or our books against the broker's."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from execution.accounts.halts import why_halted
from execution.factory import trading_context
from execution.monitoring.monitor import monitor
from execution.monitoring.reconcile import reconcile, settle
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Take the broker's fills, follow every position and write down the outcomes; follow what "
        "was not traded, too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--reconcile", action="store_true", help="compare our books with the broker's"
        )
        what.add_argument(
            "--settle", metavar="WHY", help="close what the broker does not hold, by its word"
        )
        parser.add_argument("--by", default="command line", help="who settles")

    def run(self, options: dict[str, Any]) -> None:
        if options["settle"] is not None:
            self._settle(options)
        elif options["reconcile"]:
            self._reconcile(options)
        else:
            look = asdict(monitor(trading_context()))
            text = ", ".join(f"{count} {what}" for what, count in look.items())
            self.answer(options, look, f"{text}.")

    def _settle(self, options: dict[str, Any]) -> None:
        at = trading_context()
        changed = settle(at, by=options["by"], why=options["settle"])
        lines = changed or ["Nothing to settle."]
        if halted := why_halted(at.account):
            lines = [*lines, f"Trading stays halted until execute_signals --resume: {halted}"]
        self.answer(options, {"changed": changed}, "\n".join(lines))

    def _reconcile(self, options: dict[str, Any]) -> None:
        findings = reconcile(trading_context())
        lines = [finding.text for finding in findings]
        self.answer(options, {"findings": [each._asdict() for each in findings]},
                    "\n".join(lines) or "The broker agrees.")  # fmt: skip
        if findings:
            self.fail("Trading is halted until a person explains it.")
