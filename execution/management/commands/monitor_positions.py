"""`manage.py monitor_positions`: look once at everything open, or compare with the broker."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from execution.accounts.halts import halt_reason
from execution.factory import trading_context
from execution.monitoring.monitor import monitor
from execution.monitoring.reconcile import reconcile, settle
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Take the broker's fills, follow every position and record the outcomes. Also follow the "
        "signals that were not traded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--reconcile", action="store_true", help="compare our records with the broker's"
        )
        what.add_argument(
            "--settle",
            metavar="WHY",
            help="accept the broker's records: close the positions that it does not hold",
        )
        parser.add_argument(
            "--by", default="command line", help="the name of the person who settles"
        )

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
        context = trading_context()
        changed = settle(context, by=options["by"], why=options["settle"])
        lines = changed or ["Nothing to settle."]
        if halted := halt_reason(context.account):
            lines = [
                *lines,
                f"Trading stays halted until you run execute_signals --resume: {halted}",
            ]
        self.answer(options, {"changed": changed}, "\n".join(lines))

    def _reconcile(self, options: dict[str, Any]) -> None:
        found = reconcile(trading_context())
        lines = [each.text for each in found]
        self.answer(options, {"findings": [each._asdict() for each in found]},
                    "\n".join(lines) or "The broker's records match ours.")  # fmt: skip
        if found:
            self.fail("Trading is halted until a person explains the differences and resumes it.")
