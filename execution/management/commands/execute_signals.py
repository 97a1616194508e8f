"""`manage.py execute_signals`: decide on pending signals, halt trading, or resume it."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from execution.accounts import halts
from execution.accounts.rows import account_of
from execution.decisions.engine import send_and_decide
from execution.factory import trading_context
from execution.manual import execute
from execution.monitoring.reconcile import reconcile
from execution.status import status
from execution.status_text import as_text
from execution.types import HaltCode
from signals.clock import utc_now
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Decide on every pending signal, and send the orders. With AUTO_EXECUTE off every signal "
        "is skipped, except one that --signal asks for; the same rules apply to it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--signal", help="decide on the signal with this id")
        what.add_argument("--status", action="store_true", help="show the state of execution")
        what.add_argument(
            "--halt", metavar="WHY", help="stop all new trades until a person lifts it"
        )
        what.add_argument("--resume", metavar="WHY", help="lift every halt of the account")
        parser.add_argument("--by", default="command line", help="who halts, resumes or asks")
        parser.add_argument("--why", help="the reason of --signal, for the log of acts")
        parser.add_argument(
            "--account",
            metavar="NAME",
            help="the account of --halt, --resume or --status, such as replay; by default the one "
            "in the settings",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401  # as Django has it
        """Skip the checks of the settings for commands that only stop trading or look at it."""
        if _needs_no_broker(options):
            options["skip_checks"] = True
        return super().execute(*args, **options)

    def run(self, options: dict[str, Any]) -> None:
        account = options["account"]
        if options["why"] is not None and options["signal"] is None:
            raise InvalidInput([FieldError("--why", "needs --signal")])
        if _needs_no_broker(options):
            self._stand(
                options, settings.TRADING_ACCOUNT if account is None else account_of(account)
            )
        elif account is None and options["signal"] is not None:
            self._execute_one(options)
        elif account is None:
            self._execute(options)
        else:
            needs = "needs --halt, --resume or --status; trades use the account in the settings"
            raise InvalidInput([FieldError("--account", needs)])

    def _stand(self, options: dict[str, Any], account: str) -> None:
        who, now = options["by"], utc_now()
        if options["halt"] is not None:
            halt = halts.latch(account, HaltCode.BY_HAND, options["halt"], now, by=who)
            text = f"{account} is halted by {halt.latched_by}: {halt.reason}"
            self.answer(options, {"account": account, "halted": True}, text)
        elif options["resume"] is not None:
            lifted = halts.lift(account, by=who, why=options["resume"], now=now)
            self.answer(options, {"account": account, "lifted": lifted}, f"Halts lifted: {lifted}.")
        else:
            self.answer(options, standing := status(now, account), as_text(standing))

    def _execute_one(self, options: dict[str, Any]) -> None:
        why = (options["why"] or "").strip()
        decision = execute(trading_context(), options["signal"], options["by"], why)
        reasons = [f"- {reason['code']}: {reason['text']}" for reason in decision.reasons]
        answer = {"signal_id": options["signal"], "status": decision.status,
                  "order_id": decision.order_id, "reasons": decision.reasons}  # fmt: skip
        self.answer(options, answer, "\n".join([f"{decision.status}.", *reasons]))

    def _execute(self, options: dict[str, Any]) -> None:
        context = trading_context()
        reconcile(context)
        counts = send_and_decide(context)
        text = (
            f"{counts.executed} executed, {counts.skipped} skipped, {counts.postponed} postponed."
        )
        numbers = {name: getattr(counts, name) for name in ("executed", "skipped", "postponed")}
        self.answer(options, numbers, text)


def _needs_no_broker(options: dict[str, Any]) -> bool:
    return options["status"] or options["halt"] is not None or options["resume"] is not None
