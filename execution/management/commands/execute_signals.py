"""`manage.py execute_signals`: decide on what waits, halt trading, or let it go on."""

from typing import Any

from django.core.management.base import CommandParser

from execution import halts
from execution.deciding import execute_due
from execution.decisions import ask_for
from execution.reconciling import reconcile
from execution.sending import send_due
from execution.status import as_text, status
from execution.wiring import desk
from signals.clock import utc_now
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Decide on every signal that waits for it, and send the orders. With AUTO_EXECUTE off each "
        "is skipped, but for those that --signal asks for: by the same rules."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--signal", help="ask for this one, by its id")
        what.add_argument("--status", action="store_true", help="say how execution stands")
        what.add_argument(
            "--halt", metavar="WHY", help="stop all new trades until a person lifts it"
        )
        what.add_argument("--resume", metavar="WHY", help="lift every halt of the account")
        parser.add_argument("--by", default="command line", help="who halts, resumes or asks")

    def run(self, options: dict[str, Any]) -> None:
        account, who, now = desk().account, options["by"], utc_now()
        if options["halt"]:
            halts.latch(account, halts.BY_HAND, options["halt"], now, by=who)
            self.answer(options, {"account": account, "halted": True}, f"{account} is halted.")
        elif options["resume"]:
            lifted = halts.lift(account, by=who, why=options["resume"], now=now)
            self.answer(options, {"account": account, "lifted": lifted}, f"{lifted} halts lifted.")
        elif options["status"]:
            self.answer(options, standing := status(now), as_text(standing))
        else:
            self._execute(options, who)

    def _execute(self, options: dict[str, Any], who: str) -> None:
        at = desk()
        if options["signal"]:
            ask_for(options["signal"], who, at.clock())
        reconcile(at)
        send_due(at)
        tally = execute_due(at)
        text = f"{tally.executed} executed, {tally.skipped} skipped, {tally.postponed} postponed."
        self.answer(options, vars(tally), text)
