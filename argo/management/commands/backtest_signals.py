"""`manage.py backtest_signals`: trade stored or exported signals on past bars."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from argo.version import version
from execution.analysis.backtest import text as account_text
from execution.factory import account_rules, traded_on_account
from signals.analysis.backtest.rules import Entry, Rules
from signals.backtests.results import keep
from signals.backtests.run import Backtest, run
from signals.backtests.selection import Selection
from signals.backtests.text import as_text
from signals.clock import utc_now
from signals.config import folder_market, market
from signals.management.command import ArgoCommand, progress
from signals.management.filters import add_filters, filter_of
from signals.market.protocol import MarketData
from signals.retrieval.selection import Selection as Wanted

FILTERS = ("symbol", "strategy", "since", "until", "origin")
COSTS = {"spread": "PAPER_SPREAD", "slippage": "PAPER_SLIPPAGE", "fee": "PAPER_FEE"}


class Command(ArgoCommand):
    help = (
        "Trade stored signals, or those of a file, on past bars, each signal by itself, and print "
        "the result after its assumptions. With --account, also trade them on one account. The "
        "result is also kept in data/backtests/."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_filters(parser, Wanted, FILTERS)
        parser.add_argument(
            "--file", type=Path, help="trade the signals of an exported file, not the stored ones"
        )
        parser.add_argument(
            "--bars", type=Path, help="a folder of daily bars (default: the market in MARKET_DATA)"
        )
        parser.add_argument(
            "--entry", choices=[*map(str, Entry)], default=str(Entry.OPEN),
            help="at the next bar's open, or at the signal's price if that bar trades through it "
            "(default: %(default)s)",
        )  # fmt: skip
        parser.add_argument("--delay", type=int, default=0, help="bars left out before the entry")
        expiry = parser.add_mutually_exclusive_group()
        expiry.add_argument("--expiry-bars", type=int, help="close a trade after so many bars")
        expiry.add_argument(
            "--expiry-days", type=float, help="or after so many days (default: POSITION_MAX_DAYS)"
        )
        parser.add_argument(
            "--account", action="store_true",
            help="also trade them on one account, with the sizing and the limits of the settings",
        )  # fmt: skip
        for name, setting in COSTS.items():
            parser.add_argument(
                f"--{name}", type=float, help=f"in percent of the price (default: {setting})"
            )

    def run(self, options: dict[str, Any]) -> None:
        wanted = Selection(filter_of(options, Wanted), options["file"])
        rules, source = _rules(options), _market(options["bars"])
        account = options["account"]
        with progress(None, "symbol") as bar:
            made = run(wanted, source, rules, version(), bar.update, on_one_clock=account)
        result, text = _on_account(made) if account else (made.as_dict(), as_text(made))
        path = keep(settings.DATA_DIR, result, utc_now())
        self.answer(options, result | {"path": str(path)}, f"{text}\n\n{path}")
        if refused := made.chosen.refused.count:
            self.fail(f"{refused} lines of {options['file']} hold no signal")


def _on_account(made: Backtest) -> tuple[dict[str, Any], str]:
    """Trade it on one account, too; return the whole result for programs and for people."""
    rules = account_rules()
    found = traded_on_account(made, rules)
    result = made.as_dict({"account": rules.as_dict()})
    result["assumptions"] += account_text.ASSUMPTIONS
    text = f"{as_text(made)}\n\n{account_text.as_text(rules, found)}"
    return result | {"account": found.as_dict()}, text


def _market(folder: Path | None) -> MarketData:
    if folder is None:
        return market()
    if not folder.is_dir():
        raise InvalidInput([FieldError("--bars", f"{folder} is not a folder")])
    return folder_market(folder)


def _rules(options: dict[str, Any]) -> Rules:
    """Return the rules that the options describe. Raises `InvalidInput`, with every fault."""
    costs = {
        name: getattr(settings, setting) if options[name] is None else options[name]
        for name, setting in COSTS.items()
    }
    try:
        return Rules(Entry(options["entry"]), options["delay"], _expiry(options), **costs)
    except InvalidInput as error:
        unit = "days" if options["expiry_bars"] is None else "bars"
        names = {"expiry": f"expiry-{unit}"}
        faults = [
            FieldError(f"--{names.get(each.field, each.field)}", each.message)
            for each in error.errors
        ]
        raise InvalidInput(faults) from None


def _expiry(options: dict[str, Any]) -> int | timedelta:
    if options["expiry_bars"] is not None:
        bars: int = options["expiry_bars"]
        return bars
    days = options["expiry_days"]
    try:
        return timedelta(days=settings.POSITION_MAX_DAYS if days is None else days)
    except (ValueError, OverflowError):
        fault = FieldError("--expiry-days", f"{days} is not a number of days")
        raise InvalidInput([fault]) from None
