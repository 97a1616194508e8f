"""The fast backtest gives the trades of a plain loop over signals and bars, one for one."""

from datetime import timedelta

import numpy as np
import pytest

from signals.analysis.backtest.columns import Ending, Skipped, Trades
from signals.analysis.backtest.rules import Entry, Rules
from tests.signals.analysis.backtest.markets import DAY, FIRST, RandomMarket, trade
from tests.signals.analysis.backtest.reference import PlainTrade, Reference

MARKETS = 6
RULES = {
    "at the open": Rules(expiry=30),
    "with costs": Rules(expiry=8, spread=0.1, slippage=0.05, fee=0.2),
    "short expiry": Rules(expiry=1),
    "delayed": Rules(expiry=5, delay=2, slippage=0.3),
    "by days": Rules(expiry=timedelta(days=6), fee=0.1),
    "at the price": Rules(entry=Entry.PRICE, expiry=10),
    "at the price, with costs": Rules(entry=Entry.PRICE, expiry=timedelta(days=4), spread=1, fee=1),
    "impatient": Rules(max_wait=timedelta(days=1)),
}


def plain(trades: Trades, index: int) -> PlainTrade:
    ending = trades.ending[index] or None
    name = Ending(ending).name if ending else Skipped(trades.skipped[index]).name
    figures = ("entry_row", "exit_row", "entry", "exit", "shares", "profit_pct", "is_ambiguous")
    return PlainTrade(name.lower(), *(getattr(trades, each)[index].item() for each in figures))


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("has_finer", [False, True], ids=["", "finer"])
def test_random_markets(rules: Rules, has_finer: bool) -> None:
    seen: set[str] = set()
    for seed in range(MARKETS):
        market = RandomMarket.of(seed)
        finer, ended = market.finer if has_finer else [], DAY * (30 if seed % 2 else 0)
        finer = market.rescaled_finer(seed) if has_finer and seed % 2 else finer
        made = trade(market.signals, market.with_gaps(seed), rules, market.splits, finer, ended)
        loop = Reference(market.bars, rules, market.splits, finer, bool(ended))
        for index, signal in enumerate(market.signals):
            expected, found = loop.trade(signal), plain(made, index)
            assert found[:3] == expected[:3], (seed, index, signal)
            assert found.is_ambiguous == expected.is_ambiguous, (seed, index, signal)
            np.testing.assert_allclose(found[3:7], expected[3:7], rtol=1e-12, atol=1e-9)
            seen.add(found.ending)
    assert {"stop", "target"} <= seen
    assert seen & {"expired", "delisted"}


def test_finer_bars_decide_nothing_but_the_order_within_a_bar() -> None:
    """Wide bars reach both levels of many trades; a part of their finer bars says which first."""
    rules, ordered, left = Rules(expiry=10), 0, 0
    for seed in range(MARKETS):
        market = RandomMarket.of(seed, inner=24, near=True)
        finer = market.rescaled_finer(seed)
        whole = trade(market.signals, market.bars, rules, market.splits)
        made = trade(market.signals, market.bars, rules, market.splits, finer)
        loop = Reference(market.bars, rules, market.splits, finer)
        found = [plain(made, index)[:3] for index in range(len(made))]
        assert found == [loop.trade(signal)[:3] for signal in market.signals]
        assert (whole.is_ambiguous == (made.is_ambiguous | made.is_ordered)).all()
        same = ~made.is_ordered
        assert (whole.ending[same] == made.ending[same]).all()
        ordered += int((made.is_ordered & (made.ending == Ending.TARGET)).sum())
        left += int(made.is_ambiguous.sum())
    assert ordered > 10
    assert left > 3


def test_on_the_clock_of_other_markets() -> None:
    """A bar of another symbol shows that a trade has expired, also within a bar."""
    rules, late = Rules(expiry=timedelta(days=2, hours=3), slippage=0.1), 0
    for seed in range(MARKETS):
        market = RandomMarket.of(seed)
        clock = [FIRST + number * timedelta(hours=7) for number in range(24 * 40 // 7)]
        made = trade(market.signals, market.bars, rules, market.splits, clock=clock)
        loop = Reference(market.bars, rules, market.splits, clock=clock)
        for index, signal in enumerate(market.signals):
            expected, found = loop.trade(signal), plain(made, index)
            assert found[:3] == expected[:3], (seed, index, signal)
            np.testing.assert_allclose(found[3:7], expected[3:7], rtol=1e-12, atol=1e-9)
            closes = {bar.time.replace(tzinfo=None) for bar in market.bars}
            late += found.ending == "expired" and made.exit_time[index].item() in closes
    assert late
