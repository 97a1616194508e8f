"""`manage.py backtest_signals`: trade stored or exported signals on past bars."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from argo.version import version
from execution.analysis.backtest import text as account_text
from execution.analysis.selection import DecidedSelection
from execution.factory import account_rules, traded_on_account
from signals.analysis.backtest.rules import Entry, Rules
from signals.backtests.finer import FinerFolder
from signals.backtests.listing import as_table, listed
from signals.backtests.results import keep, kept_backtests
from signals.backtests.run import Backtest, run, standard_rules
from signals.backtests.selection import Selection
from signals.backtests.text import as_text
from signals.backtests.trials import Tried, record, tried_of
from signals.clock import utc_now
from signals.config import folder_market, market
from signals.management.command import ArgoCommand, progress
from signals.management.filters import add_filters, filter_of
from signals.market.bars import as_times
from signals.market.protocol import MarketData
from signals.models import Trial

FILTERS = [name for name in DecidedSelection.model_fields if name != "account"]
"""Here `--account` trades on one account; elsewhere it selects the decisions of one."""
COSTS = {"spread": "PAPER_SPREAD", "slippage": "PAPER_SLIPPAGE", "fee": "PAPER_FEE"}


class Command(ArgoCommand):
    help = (
        "Trade stored signals, or those of a file, on past bars, each signal by itself, and print "
        "the result after its assumptions. With --account, also trade them on one account. The "
        "result is also kept in data/backtests/."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_filters(parser, DecidedSelection, FILTERS)
        parser.add_argument(
            "--file", type=Path, help="trade the signals of an exported file, not the stored ones"
        )
        parser.add_argument(
            "--bars", type=Path, help="a folder of daily bars (default: the market in MARKET_DATA)"
        )
        parser.add_argument(
            "--finer", type=Path, help="a folder of bars shorter than a day: they show if stop or "
            "target came first, if a bar reaches both",
        )  # fmt: skip
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
        parser.add_argument(
            "--list", action="store_true", help="show the stored results, and trade nothing"
        )
        for name, setting in COSTS.items():
            parser.add_argument(
                f"--{name}", type=float, help=f"in percent of the price (default: {setting})"
            )

    def run(self, options: dict[str, Any]) -> None:
        if options["list"]:
            found = kept_backtests(settings.DATA_DIR)
            self.answer(options, {"backtests": list(map(listed, found))}, as_table(found))
            return
        wanted = Selection(
            filter_of(options | {"account": None}, DecidedSelection), options["file"]
        )
        rules, source = _rules(options), _market(options["bars"])
        account, finer = options["account"], _finer(options["finer"])
        with progress(None, "symbol") as bar:
            made = run(
                wanted, source, rules, version(), bar.update, on_one_clock=account, finer=finer
            )
        result, text, tried = _on_account(made) if account else _by_itself(made)
        now = utc_now()
        path = keep(settings.DATA_DIR, result, now)
        record(Trial.Kind.BACKTEST, result["parameters"], result["data_sha256"], tried, now)
        self.answer(options, result | {"path": str(path)}, f"{text}\n\n{path}")
        if refused := made.chosen.refused.count:
            self.fail(f"{refused} lines of {options['file']} hold no signal")


Made = tuple[dict[str, Any], str, Tried]
"""The whole result for programs and for people, and what the list of trials needs of it."""


def _by_itself(made: Backtest) -> Made:
    return made.as_dict(), as_text(made), tried_of(made)


def _on_account(made: Backtest) -> Made:
    """Trade it on one account, too."""
    rules = account_rules()
    found = traded_on_account(made, rules)
    result = made.as_dict({"account": rules.as_dict()})
    result["assumptions"] += account_text.ASSUMPTIONS
    text = f"{as_text(made)}\n\n{account_text.as_text(rules, found)}"
    ended = as_times(each.at for each in found.trades)
    profits = np.array([float(each.profit) for each in found.trades])
    tried = tried_of(made)._replace(ended=ended, results=profits)
    return result | {"account": found.as_dict()}, text, tried


def _market(folder: Path | None) -> MarketData:
    return market() if folder is None else folder_market(_existing("--bars", folder))


def _finer(folder: Path | None) -> FinerFolder | None:
    return None if folder is None else FinerFolder.of(_existing("--finer", folder))


def _existing(option: str, folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidInput([FieldError(option, f"{folder} is not a folder")])
    return folder


def _rules(options: dict[str, Any]) -> Rules:
    """Return the rules that the options describe. Raises `InvalidInput`, with every fault."""
    usual = standard_rules()
    costs = {
        name: getattr(usual, name) if options[name] is None else options[name] for name in COSTS
    }
    expiry = _expiry(options, usual)
    try:
        return Rules(Entry(options["entry"]), options["delay"], expiry, **costs)
    except InvalidInput as error:
        unit = "days" if options["expiry_bars"] is None else "bars"
        names = {"expiry": f"expiry-{unit}"}
        faults = [
            FieldError(f"--{names.get(each.field, each.field)}", each.message)
            for each in error.errors
        ]
        raise InvalidInput(faults) from None


def _expiry(options: dict[str, Any], usual: Rules) -> int | timedelta:
    if options["expiry_bars"] is not None:
        bars: int = options["expiry_bars"]
        return bars
    days = options["expiry_days"]
    try:
        return usual.expiry if days is None else timedelta(days=days)
    except (ValueError, OverflowError):
        fault = FieldError("--expiry-days", f"{days} is not a number of days")
        raise InvalidInput([fault]) from None
