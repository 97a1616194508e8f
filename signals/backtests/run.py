"""Runs a backtest from end to end: reads signals and bars, trades, and sums up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from signals.analysis.backtest.columns import Trades
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.rules import Rules, assumptions
from signals.analysis.backtest.summary import Summary, summary_of
from signals.backtests.choosing import Chosen, choose
from signals.backtests.finer import FinerFolder
from signals.backtests.histories import Histories, digest, gather, read
from signals.backtests.results import sha256_of
from signals.backtests.selection import Selection
from signals.market.protocol import MarketData


@dataclass(frozen=True, eq=False)
class Backtest:
    """A backtest that was run, and what it was run on. `version` is that of Argo."""

    selection: Selection
    rules: Rules
    market: str
    version: str
    chosen: Chosen
    histories: Histories
    trades: Trades
    finer: FinerFolder | None = None

    @property
    def summary(self) -> Summary:
        """Return the result in numbers."""
        return summary_of(self.trades)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what was asked for, as plain values."""
        found = {
            "signals": self.selection.as_dict(), "market": self.market,
            "rules": self.rules.as_dict(),
        }  # fmt: skip
        return found if self.finer is None else found | {"finer": str(self.finer.source.folder)}

    def as_dict(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return assumptions, parameters, hashes and result as plain values.

        `more` are parameters of what else is computed from it.
        """
        parameters = self.parameters | dict(more or {})
        return {
            "assumptions": assumptions(self.rules),
            "parameters": parameters,
            "parameters_sha256": sha256_of(parameters),
            "data_sha256": digest(self.chosen.table, self.histories, self.chosen.rows),
            "version": self.version,
            "origins": dict(self.chosen.origins),
            "missing_bars": self.histories.missing,
            "dropped_bars": self.histories.dropped,
            "missing_finer_bars": {} if self.finer is None else self.finer.missing,
            "refused": self.chosen.refused.count,
            "refused_lines": [
                {"line": number, "error": error} for number, error in self.chosen.refused.first
            ],
            "result": self.summary.as_dict(),
        }


def standard_rules() -> Rules:
    """Return the rules of a backtest without options: the costs and the expiry of the settings."""
    return Rules(
        expiry=timedelta(days=settings.POSITION_MAX_DAYS),
        spread=settings.PAPER_SPREAD,
        slippage=settings.PAPER_SLIPPAGE,
        fee=settings.PAPER_FEE,
    )


def run(
    selection: Selection,
    market: MarketData,
    rules: Rules,
    version: str,
    on_symbol: Callable[[int], object] = lambda count: None,
    *,
    on_one_clock: bool = False,
    finer: FinerFolder | None = None,
) -> Backtest:
    """Trade the selected signals on the market's bars; `finer` ones show the order within them.

    `on_symbol` is called with 1 for each symbol. `on_one_clock` is for an account: it keeps
    the signals' other fields, and a bar of any symbol shows that a trade has expired.

    Raises `InvalidInput` if the file of signals cannot be read, and `FeedError` if the market's
    data is not available.
    """
    chosen = choose(selection, keeps_rows=on_one_clock)
    histories = gather(read(market, chosen.table, settings.MARKET_EXCHANGE, finer=finer))
    if on_one_clock:
        histories = histories.on_one_clock()
    trades = backtest(
        chosen.table, histories.by_symbol.get, rules, histories.last, lambda count: on_symbol(1)
    )
    name = f"{type(market).__module__}.{type(market).__name__}"
    return Backtest(selection, rules, name, version, chosen, histories, trades, finer)
