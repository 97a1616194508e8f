"""A replay as a trial: what its signals made, each by itself, if no account traded them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import numpy as np
from django.conf import settings

from signals.analysis.backtest.columns import Floats, SignalTable
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.history import History
from signals.backtests.histories import history_of
from signals.backtests.run import standard_rules
from signals.backtests.trials import Tried, record, trading_days
from signals.generation.candidate import Candidate
from signals.generation.replay import Period, Traded
from signals.generation.votes import Direction
from signals.market.bars import Bars, Times, as_times
from signals.market.protocol import MarketData
from signals.models import Trial


@dataclass(frozen=True, eq=False)
class Replayed:
    """A replay that has ended: its bars and period, the signals that it made, and how they were
    traded; None if no account traded them."""

    histories: Sequence[Bars]
    period: Period
    market: MarketData
    signals: Sequence[Candidate]
    traded: Traded | None


def record_replay(made: Replayed, recipe: Mapping[str, Any], now: datetime) -> None:
    """Add a replay to the list of trials; `recipe` are the settings that decided on its signals.

    Its period and its symbols are data, not parameters. If the account of replays had already
    traded at a later time, what it made of these signals says nothing: each counts by itself.
    """
    walked = {
        bars.symbol: times
        for bars in made.histories
        if (times := bars.between(made.period.start, made.period.end).time).size
    }
    seen = np.concatenate([*walked.values()])
    traded = made.traded
    is_whole = traded is not None and traded.is_whole
    ended, results = _on_account(traded) if traded and is_whole else _by_itself(made)
    tried = Tried(
        symbols=list(walked), first=seen.min(), last=seen.max(),
        days=trading_days(walked.values(), seen.min()), ended=ended, results=results,
    )  # fmt: skip
    account = None if traded is None else traded.parameters
    parameters = {"recipe": dict(recipe), "account": account}
    record(Trial.Kind.REPLAY, parameters, digest(made.histories), tried, now)


def _by_itself(made: Replayed) -> tuple[Times, Floats]:
    """Return when the trade of each signal ended and what it made, in percent of its entry."""
    by_symbol = {bars.symbol: bars for bars in made.histories}
    last = max(bars.time[-1] for bars in made.histories if len(bars))

    def history(symbol: str) -> History:
        bars = by_symbol[symbol]
        return history_of(made.market, bars, symbol, bars.time_at(0), settings.MARKET_EXCHANGE)

    trades = backtest(_table(made.signals, list(by_symbol)), history, standard_rules(), last)
    has_ended = np.isfinite(trades.profit_pct)
    return trades.exit_time[has_ended], trades.profit_pct[has_ended]


def _on_account(traded: Traded) -> tuple[Times, Floats]:
    """Return the same of the trades of an account, in money."""
    return as_times(traded.ended), np.array(traded.profits, float)


def digest(histories: Sequence[Bars]) -> str:
    """Return the SHA-256 of these bars."""
    total = sha256()
    for bars in sorted(histories, key=lambda each: each.symbol):
        total.update(f"\n{bars.symbol}".encode())
        for column in (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume):
            total.update(np.ascontiguousarray(column).tobytes())
    return total.hexdigest()


def _table(signals: Sequence[Candidate], symbols: Sequence[str]) -> SignalTable:
    number = {symbol: place for place, symbol in enumerate(symbols)}
    return SignalTable(
        symbols,
        np.array([number[each.symbol] for each in signals], np.int64),
        as_times(each.made_at for each in signals),
        np.array([1 if each.action is Direction.BUY else -1 for each in signals], np.int8),
        *(
            np.array([getattr(each, name) for each in signals], np.float64)
            for name in ("entry", "stop", "target")
        ),
    )
