"""Compares closed trades with the backtest of their signals, on the market of the settings."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.conf import settings

from argo.errors import ArgoError
from argo.reports.explain.prices import BUSY, waiting
from execution.analysis.divergence.causes import Divergence, divergence_of
from execution.analysis.divergence.model import OPEN, model_trades
from execution.analysis.divergence.reading import ClosedTrade, closed_trades
from execution.analysis.divergence.trades import ModelTrade, SignalPrices
from execution.types import Side
from signals.analysis.backtest.columns import SignalTable
from signals.backtests.histories import Histories, gather, read
from signals.backtests.run import standard_rules
from signals.config import market
from signals.market.timed import Deadline, Late

logger = logging.getLogger(__name__)

MOST_SECONDS = 10.0
"""All that a report waits for the bars of the market."""
NO_TRADE = "no trade of these signals has closed"
BEFORE = timedelta(days=10)
"""The bars before the first signal that show the scale of its prices."""


class OwnSignal(NamedTuple):
    """A signal as the comparison needs it; `symbol` is its instrument, `time` is in UTC."""

    signal_id: str
    symbol: str
    time: datetime
    side: Side
    price: float
    stop: float
    target: float


class Compared(NamedTuple):
    """A signal with its trade in each world."""

    signal: OwnSignal
    closed: ClosedTrade
    model: ModelTrade
    divergence: Divergence


@dataclass(frozen=True)
class Comparison:
    """The signals that could be compared, and how many could not, by the reason.

    `problem` says why none could.
    """

    rows: Sequence[Compared] = ()
    others: Counter[str] = field(default_factory=Counter)
    problem: str | None = None


def compare(
    signals: Sequence[OwnSignal], as_of: datetime | None = None, seconds: float = MOST_SECONDS
) -> Comparison:
    """Compare those of the signals whose trade has closed; the others are not counted.

    The market's data takes `seconds` at most.
    """
    closed = closed_trades([each.signal_id for each in signals], as_of)
    chosen = [each for each in signals if each.signal_id in closed]
    if not chosen:
        return Comparison(problem=NO_TRADE)
    table = _table(chosen)
    histories, problem = _histories(table, seconds)
    if histories is None:
        return Comparison(problem=problem)
    models = model_trades(table, histories.by_symbol, standard_rules(), histories.last)
    rows, others = list[Compared](), Counter[str]()
    for own, model in zip(chosen, models, strict=True):
        if isinstance(model, str):
            others[model] += 1
        elif as_of is not None and model.exit.closed > as_of:
            others[OPEN] += 1
        else:
            trade = closed[own.signal_id]
            prices = SignalPrices(own.side, own.price, own.stop, own.target)
            found = divergence_of(prices, model, trade.trade)
            rows.append(Compared(own, trade, model, found))
    return Comparison(rows, others, None if rows else "a backtest has none of these trades")


def _table(signals: Sequence[OwnSignal]) -> SignalTable:
    symbols = sorted({each.symbol for each in signals})
    number = {symbol: place for place, symbol in enumerate(symbols)}
    prices = [np.array(each, float) for each in zip(*(each[4:] for each in signals), strict=True)]
    return SignalTable(
        symbols,
        np.array([number[each.symbol] for each in signals], np.int64),
        np.array([each.time.replace(tzinfo=None) for each in signals], "datetime64[us]"),
        np.array([1 if each.side is Side.BUY else -1 for each in signals], np.int8),
        *prices,
    )


def _histories(table: SignalTable, seconds: float) -> tuple[Histories | None, str]:
    """Return the bars of the signals on one clock, as an account has it; or None, and why.

    The calls run on a thread of their own, so that a slow market ends a report in time.
    """

    def wanted() -> Histories:
        return gather(read(market(), table, settings.MARKET_EXCHANGE, BEFORE)).on_one_clock()

    if not waiting().acquire(blocking=False):
        return None, BUSY
    try:
        return Deadline(seconds).call(wanted), ""
    except Late:
        return None, f"the market's data took longer than {seconds:g} s: try again"
    except ArgoError as error:
        return None, str(error)
    except Exception:
        logger.exception("The market data failed; a report has no divergence")
        return None, "the market data failed; the log has the reason"
    finally:
        waiting().release()
