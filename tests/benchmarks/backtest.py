"""Backtests: each signal by itself, beside a plain loop and other engines; and on one account."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial

import numpy as np

from execution.analysis.backtest.plans import Detail, Offers, Terms
from execution.analysis.backtest.walk import AccountRules, walk
from execution.brokers.fill_model import Costs
from execution.prop_firm.days import trading_day
from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from signals.analysis.backtest.columns import Floats, SignalTable, Trades
from signals.analysis.backtest.history import History
from signals.analysis.backtest.rules import Rules
from tests.benchmarks import foreign
from tests.benchmarks.backtest_sample import Lists, Sample
from tests.benchmarks.figures import Figure, at_least, at_most, times_as_fast
from tests.benchmarks.rounds import medians, processor_seconds
from tests.benchmarks.workspace import Workspace

RULES = Rules(expiry=30, spread=0.02, slippage=0.02, fee=0.05)
HOUSE = RuleSet(name="house", source="settings", zone="America/New_York")


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure one core of this machine."""
    count = workspace.size(1_000_000, 100_000)
    sample = Sample.of(count)
    few = sample.signals.rows(np.arange(workspace.size(20_000, 2_000)))
    lists = sample.lists()
    assert np.allclose(_plain(lists, few), _figures(sample.traded(few, RULES)), equal_nan=True)

    def vectorised(number: int) -> float:
        return count / processor_seconds(lambda: sample.traded(sample.signals, RULES))

    def loop(number: int) -> float:
        return len(few) / processor_seconds(lambda: _plain(lists, few))

    found = medians(workspace.size(5, 3), {"columns": vectorised, "loop": loop})
    what = f"{count:,} signals backtested, each by itself, up to 30 bars"
    yield at_most(what, count / found["columns"], 3, " s")
    yield times_as_fast(
        f"{what}, signals a second", found["columns"], found["loop"], target=8,
        name="a plain loop in Python",
    )  # fmt: skip
    yield at_least(
        "signals backtested on one account, in order of time, a second",
        medians(workspace.size(5, 3), {"account": _account(workspace.size(100_000, 10_000))})[
            "account"
        ],
        20_000,
        "/s",
    )
    yield from foreign.figures(workspace)


def _account(count: int) -> Callable[[int], float]:
    """Return a round that decides on so many signals with the usual limits."""
    sample = Sample.of(count)
    histories = {name: History.of(bars) for name, bars in sample.bars.items()}
    details = [Detail(f"s{number}", 90.0, "sample", "BULL") for number in range(count)]
    terms, costs = Terms("USD", Decimal(1), Decimal(1)), Costs()
    offers = Offers(
        sample.signals,
        sample.traded(sample.signals, RULES),
        details,
        lambda name: terms,
        histories,
        costs,
    )
    rules = AccountRules(Decimal(100_000), Sizing(), Limits(), partial(trading_day, HOUSE))
    return lambda number: count / processor_seconds(lambda: walk(offers, rules))


def _figures(trades: Trades) -> Floats:
    return np.column_stack((trades.entry_row, trades.exit_row, trades.profit_pct))


def _plain(lists: Sequence[Lists], signals: SignalTable) -> Floats:
    """Return the same figures by a loop that a person would write."""
    columns = (signals.symbol, signals.time, signals.side, signals.stop, signals.target)
    rows = zip(*(each.tolist() for each in columns), strict=True)
    return np.array([_trade(lists[symbol], *row) for symbol, *row in rows])


def _trade(columns: list[list[float]], when: float, side: int, stop: float, target: float
) -> tuple[int, int, float]:  # fmt: skip
    times, opens, highs, lows = columns
    first = bisect_left(times, when) + 1
    entry = _filled(opens[first], side)
    for row in range(first, min(first + 30, len(times))):
        opened, worst, best = opens[row], lows[row], highs[row]
        if side < 0:
            worst, best = best, worst
        if side * opened <= side * stop or side * opened >= side * target:
            is_stop = side * opened <= side * stop
            return first, row, _made(entry, _filled(opened, -side) if is_stop else opened, side)
        if side * worst <= side * stop:
            return first, row, _made(entry, _filled(stop, -side), side)
        if side * best >= side * target:
            return first, row, _made(entry, target, side)
    if first + 30 >= len(times):
        return first, -1, float("nan")
    return first, first + 30, _made(entry, _filled(opens[first + 30], -side), side)


def _filled(price: float, side: int) -> float:
    return round(price * (1 + side * RULES.market_cost), 8)


def _made(entry: float, exited: float, side: int) -> float:
    return (side * (exited - entry) - (entry + exited) * RULES.fee / 100) / entry * 100
