"""How a backtest enters and ends a trade, case by case; prices are open, high, low and close."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from argo.errors import InvalidInput
from signals.analysis.backtest.columns import Ending, Outcome, Skipped, Trades
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.history import History, Split
from signals.analysis.backtest.rules import Entry, Rules, assumptions
from signals.analysis.backtest.summary import summary_of
from signals.market.bars import BadBars
from tests.signals.analysis.backtest.markets import DAY, FIRST, bar, days, history, table, trade
from tests.signals.analysis.backtest.reference import PlainBar, PlainSignal

MADE = (100.0, 101.0, 99.0, 100.0)
"""The bar on which the signals are made."""
QUIET = (100.0, 101.0, 99.0, 100.0)
NAN = float("nan")
BUY = PlainSignal(bar(0, *MADE).time, True, 100.0, 95.0, 110.0)
SELL = PlainSignal(bar(0, *MADE).time, False, 100.0, 105.0, 90.0)
AT_PRICE = Rules(entry=Entry.PRICE)


def one(signal: PlainSignal, *bars: tuple[float, float, float, float], rules: Rules | None = None,
        splits: tuple[Split, ...] = ()) -> Trades:  # fmt: skip
    """Backtest one signal on the bars after its own; the expiry is three bars by default."""
    return trade([signal], days(MADE, *bars), rules or Rules(expiry=3), splits)


def told(trades: Trades) -> tuple[Ending, float]:
    """Return how the first trade ended, and at which price."""
    return Ending(trades.ending[0]), float(trades.exit[0])


@pytest.mark.parametrize(
    ("signal", "bar_after", "ending", "price"),
    [
        (BUY, (100, 111, 99, 105), Ending.TARGET, 110),
        (BUY, (100, 101, 94, 99), Ending.STOP, 95),
        (SELL, (100, 106, 99, 100), Ending.STOP, 105),
        (SELL, (100, 101, 89, 95), Ending.TARGET, 90),
        (BUY, (100, 110, 95, 100), Ending.STOP, 95),  # both: the stop
        (SELL, (100, 105, 90, 100), Ending.STOP, 105),
        (BUY, (93, 99, 92, 94), Ending.STOP, 93),  # the gap, not the stop
        (BUY, (112, 115, 111, 112), Ending.TARGET, 112),
        (SELL, (107, 108, 106, 107), Ending.STOP, 107),
        (SELL, (88, 89, 87, 88), Ending.TARGET, 88),
        (BUY, (93, 120, 92, 94), Ending.STOP, 93),  # it opened there, whatever came later
    ],
)
def test_a_level_or_a_gap_through_it_ends_a_trade(
    signal: PlainSignal,
    bar_after: tuple[float, float, float, float],
    ending: Ending,
    price: float,
) -> None:
    assert told(one(signal, QUIET, bar_after)) == (ending, price)


def test_a_trade_is_entered_at_the_next_open_and_costs_are_paid() -> None:
    rules = Rules(spread=0.2, slippage=0.1, fee=0.5)
    made = one(BUY, (102, 103, 101, 102), (102, 111, 100, 110), rules=rules)
    assert made.entry[0] == pytest.approx(102 * 1.002)
    assert made.entry_mid[0] == 102
    assert made.exit[0] == 110  # a target pays no spread
    value = 102 * 1.002
    expected = (110 - value - (110 + value) * 0.005) / value * 100
    assert made.profit_pct[0] == pytest.approx(expected)
    assert made.entry_time[0].item() == bar(1, *MADE).began.replace(tzinfo=None)
    assert made.exit_time[0].item() == bar(2, *MADE).time.replace(tzinfo=None)
    assert told(one(BUY, QUIET, (94, 94, 94, 94), rules=rules))[1] == pytest.approx(94 * 0.998)


def test_no_price_before_the_signal_is_used() -> None:
    """A signal within a bar enters at the next open, not at the one that had passed."""
    signal = BUY._replace(time=bar(1, *MADE).began + timedelta(hours=1))
    made = trade([signal], days(MADE, (97, 120, 90, 100), (101, 102, 100, 101)))
    assert made.entry[0] == 101
    assert told(made)[0] is Ending.OPEN


def test_a_delay_leaves_bars_out() -> None:
    made = one(BUY, (100, 120, 80, 100), (103, 104, 102, 103), rules=Rules(delay=1))
    assert (made.entry[0], made.ending[0]) == (103, Ending.OPEN)
    assert one(BUY, QUIET, rules=Rules(delay=1)).skipped[0] == Skipped.NO_BAR_AFTER


def test_an_expired_trade_is_closed_at_the_next_open() -> None:
    bars = [(100, 101, 99, 100)] * 3 + [(102, 120, 80, 100)]
    made = one(BUY, *bars)
    assert told(made) == (Ending.EXPIRED, 102)
    assert made.outcome[0] == Outcome.EXPIRED
    by_days = one(BUY, *bars, rules=Rules(expiry=timedelta(days=2)))
    assert told(by_days) == (Ending.EXPIRED, 102)


def test_the_signal_price_is_met_by_the_next_bar_or_there_is_no_trade() -> None:
    assert one(BUY, (101, 102, 100, 101), rules=AT_PRICE).entry[0] == 100
    above = one(BUY, (103, 104, 101, 102), (101, 102, 99, 100), rules=AT_PRICE)
    assert above.skipped[0] == Skipped.NOT_REACHED
    costly = replace(AT_PRICE, spread=1.0, slippage=1.0)
    assert one(BUY, (101, 102, 100, 101), rules=costly).entry[0] == 100


@pytest.mark.parametrize(
    ("bar_after", "ending", "is_ambiguous"),
    [
        ((102, 102, 94, 96), Ending.STOP, False),  # it came down through the price
        ((98, 101, 94, 99), Ending.STOP, True),  # the low may have come before
        ((98, 111, 97, 105), Ending.TARGET, False),  # it came up through the price
        ((102, 111, 99, 100), Ending.OPEN, True),  # the high may have come before
        ((102, 111, 94, 100), Ending.STOP, True),
        ((100, 111, 99, 105), Ending.TARGET, False),
    ],
)
def test_what_came_before_an_entry_within_a_bar_does_not_help(
    bar_after: tuple[float, float, float, float], ending: Ending, is_ambiguous: bool
) -> None:
    made = one(BUY, bar_after, rules=AT_PRICE)
    assert (Ending(made.ending[0]), bool(made.is_ambiguous[0])) == (ending, is_ambiguous)


@pytest.mark.parametrize(
    ("inner", "ending", "is_ambiguous"),
    [
        ([(100, 111, 99, 105), (105, 106, 94, 95)], Ending.TARGET, False),
        ([(100, 101, 94, 95), (95, 111, 95, 110)], Ending.STOP, False),
        ([(100, 111, 94, 100)], Ending.STOP, True),
        ([(100, 101, 99, 100)], Ending.STOP, True),  # they show neither
        ([(400, 444, 396, 420), (420, 424, 376, 380)], Ending.TARGET, False),  # another scale
        ([(98, 108.78, 97.02, 103), (103, 104, 92.12, 93)], Ending.TARGET, False),
        ([(100, 111, 99, 105), (105, 106, 97, 98)], Ending.STOP, True),  # the low is missing
        ([(100, 111, 99, NAN), (105, 111, 94, 95)], Ending.STOP, True),
        ([(100, 101, 99, 100), (95, 111, 94, 111)], Ending.STOP, False),  # it opens at the stop
        ([(100, 101, 99, 100), (110, 111, 94, 95)], Ending.TARGET, False),
    ],
)
def test_finer_bars_show_what_came_first(
    inner: list[tuple[float, float, float, float]], ending: Ending, is_ambiguous: bool
) -> None:
    bars = days(MADE, (100, 111, 94, 100))
    whole = trade([BUY], bars)
    assert (Ending(whole.ending[0]), bool(whole.is_ambiguous[0])) == (Ending.STOP, True)
    step = (bars[1].time - bars[1].began) / len(inner)
    finer = [
        PlainBar(bars[1].began + number * step, bars[1].began + (number + 1) * step, *prices)
        for number, prices in enumerate(inner)
    ]
    made = trade([BUY], bars, finer=finer)
    assert (Ending(made.ending[0]), bool(made.is_ambiguous[0])) == (ending, is_ambiguous)
    assert bool(made.is_ordered[0]) is not is_ambiguous


def test_finer_bars_after_the_session_or_without_a_level_show_nothing() -> None:
    bars = days(MADE, (100, 110, 94.95, 100))
    half = (bars[1].time - bars[1].began) / 2
    rises = PlainBar(bars[1].began, bars[1].began + half, 100, 110, 99, 105)
    falls = PlainBar(rises.time, bars[1].time, 105, 106, 94.95, 100)
    assert told(trade([BUY], bars, finer=[rises, falls])) == (Ending.TARGET, 110)
    after = falls._replace(began=bars[1].time, time=bars[1].time + half)
    assert told(trade([BUY], bars, finer=[rises, after])) == (Ending.STOP, 95)
    nearly = falls._replace(low=95.01)  # as another vendor has it
    assert told(trade([BUY], bars, finer=[rises, nearly])) == (Ending.STOP, 95)


def test_an_open_trade_is_carried_over_a_split() -> None:
    split = Split(bar(2, *MADE).began, Fraction(2))
    made = one(BUY, QUIET, (50, 51, 49, 50), (51, 56, 50, 55), splits=(split,))
    assert told(made) == (Ending.TARGET, 55)
    assert (made.shares[0], made.profit_pct[0]) == (2, pytest.approx(10))
    short = one(SELL, QUIET, (50, 53, 50, 52), splits=(split,))
    assert told(short) == (Ending.STOP, 52.5)
    assert short.profit_pct[0] == pytest.approx(-5)


def test_an_open_trade_is_carried_over_a_reverse_split_and_one_of_odd_parts() -> None:
    merged = Split(bar(2, *MADE).began, Fraction(1, 10))
    made = one(BUY, QUIET, (1000, 1010, 990, 1000), (1000, 1010, 940, 950), splits=(merged,))
    assert told(made) == (Ending.STOP, 950)
    assert (made.shares[0], made.profit_pct[0]) == (pytest.approx(0.1), pytest.approx(-5))
    odd = Split(bar(2, *MADE).began, Fraction(3, 2))
    made = one(BUY, QUIET, (200 / 3, 67, 66, 200 / 3), (67, 74, 66, 73), splits=(odd,))
    assert told(made) == (Ending.TARGET, round(110 / 1.5, 8))
    assert made.profit_pct[0] == pytest.approx(10)


def test_a_signal_from_before_a_split_is_entered_on_the_new_scale() -> None:
    split = Split(bar(1, *MADE).began, Fraction(1, 10))
    made = one(BUY, (1000, 1010, 940, 950), splits=(split,))
    assert told(made) == (Ending.STOP, 950)
    assert (made.shares[0], bool(made.is_rescaled[0])) == (1, True)


def test_bars_adjusted_for_dividends_take_signals_of_either_scale() -> None:
    """Years of dividends took a third of the price: the stop is far above the adjusted bars."""
    paid = [Split(FIRST + (5 + n) * DAY, Fraction(10, 9), is_rebased=True) for n in range(4)]
    of_then = BUY._replace(price=152.4, stop=144.8, target=167.6)
    made = trade([of_then, BUY], days(MADE, QUIET, (100, 111, 99, 105)), splits=paid)
    assert made.exit.tolist() == [pytest.approx(167.6 * 0.9**4), 110]
    assert made.is_rescaled.tolist() == [True, False]


def test_rebased_bars_take_signals_of_either_scale() -> None:
    """Signals from before a split, some with the prices of that time, some of rebased bars."""
    split = Split(FIRST + 9 * DAY, Fraction(4), is_rebased=True)
    of_then = BUY._replace(price=400.0, stop=380.0, target=440.0)
    made = trade([of_then, BUY], days(MADE, QUIET, (100, 111, 99, 105)), splits=[split])
    assert made.exit.tolist() == [110, 110]
    assert made.is_rescaled.tolist() == [True, False]


def test_a_price_on_an_unknown_scale_is_not_traded() -> None:
    of_then = BUY._replace(price=400.0, stop=380.0, target=440.0)
    halved = SELL._replace(price=50.0, stop=52.5, target=45.0)
    skipped = trade([of_then, halved], days(MADE, QUIET, QUIET)).skipped
    assert skipped.tolist() == [Skipped.SCALE] * 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"price": NAN}, Skipped.FIGURES),
        ({"stop": float("inf")}, Skipped.FIGURES),
        ({"target": 0.0}, Skipped.FIGURES),
        ({"stop": 100.0}, Skipped.LEVELS),
        ({"target": 90.0}, Skipped.LEVELS),
        ({"is_long": False}, Skipped.LEVELS),
        ({"time": FIRST + 9 * DAY}, Skipped.NO_BAR_AFTER),
        ({"time": FIRST - 30 * DAY}, Skipped.LATE),
    ],
)
def test_a_signal_that_cannot_be_traded_says_why(changes: dict[str, Any], why: Skipped) -> None:
    made = one(BUY._replace(**changes), QUIET, QUIET)
    assert Skipped(made.skipped[0]) is why
    assert np.isnan(made.profit_pct[0])
    assert made.outcome[0] == Outcome.NONE


def test_a_missing_time_and_missing_bars_are_said() -> None:
    signals = table([BUY])
    signals.time[0] = np.datetime64("NaT")
    last = np.datetime64("2025-01-01")
    made = backtest(signals, lambda symbol: history(days(MADE, QUIET)), Rules(), last)
    assert made.skipped[0] == Skipped.TIME
    for nothing in (None, history([])):
        made = backtest(table([BUY]), lambda symbol, found=nothing: found, Rules(), last)  # type: ignore[misc]
        assert made.skipped[0] == Skipped.NO_BARS


def test_trades_keep_the_order_of_their_signals_and_each_symbol_is_read_once() -> None:
    signals = table([BUY] * 5)
    mixed = replace(signals, symbols=("UP", "NONE", "DOWN"), symbol=np.array([2, 0, 1, 0, 2]))
    bars = {
        "UP": history(days(MADE, (100, 111, 99, 105))),
        "DOWN": history(days(MADE, (100, 101, 94, 99))),
    }
    asked: list[str] = []

    def history_of(symbol: str) -> History | None:
        asked.append(symbol)
        return bars.get(symbol)

    made = backtest(mixed, history_of, Rules(), bars["UP"].time[-1])
    assert made.exit.tolist()[:2] == [95, 110]
    endings = [Ending.STOP, Ending.TARGET, Ending.NONE, Ending.TARGET, Ending.STOP]
    assert made.ending.tolist() == endings
    assert made.skipped.tolist() == [0, 0, Skipped.NO_BARS, 0, 0]
    assert sorted(asked) == ["DOWN", "NONE", "UP"]


def test_bars_that_are_missing_or_no_numbers_are_passed_over() -> None:
    bars = [bar(0, *MADE), bar(1, *QUIET), bar(2, NAN, 120, 80, 100), bar(6, 90, 91, 89, 90)]
    made = trade([BUY], bars)
    assert told(made) == (Ending.STOP, 90)  # the price that could be had, not the stop
    assert history(bars).dropped == 1


def test_the_times_of_bars_must_rise() -> None:
    with pytest.raises(BadBars, match="do not rise"):
        history([bar(1, *QUIET), bar(0, *QUIET)])


def test_a_delisted_symbol_ends_its_trades_at_the_last_close() -> None:
    bars = days(MADE, QUIET, (97, 98, 96, 97))
    assert told(trade([BUY], bars, ended=30 * DAY)) == (Ending.DELISTED, 97)
    still = trade([BUY], bars, ended=DAY)
    assert told(still)[0] is Ending.OPEN
    assert np.isnan(still.profit_pct[0])


def test_the_result_counts_each_kind_once() -> None:
    signals = [
        BUY, BUY._replace(stop=99.5), BUY._replace(stop=80.0, target=130.0),
        BUY._replace(price=NAN), BUY._replace(stop=80.0, time=bar(3, *MADE).time),
    ]  # fmt: skip
    bars = days(MADE, QUIET, (100, 111, 99, 105), QUIET, QUIET, QUIET)
    found = summary_of(trade(signals, bars, Rules(expiry=4)))
    assert (found.signals, found.entered, found.open, found.closed) == (5, 4, 1, 3)
    assert (found.wins, found.losses, found.expired, found.breakeven) == (1, 1, 1, 0)
    assert found.total_pct == pytest.approx(10 - 0.5 + 0)
    assert found.average_pct == pytest.approx(9.5 / 3)
    assert found.skipped == {"figures": 1}
    assert found.entered + sum(found.skipped.values()) == found.signals


def test_no_signals_give_no_figures() -> None:
    found = summary_of(trade([], days(MADE)))
    assert (found.signals, found.entered) == (0, 0)
    assert (found.average_pct, found.total_pct, found.ambiguous_share) == (None, None, None)


@pytest.mark.parametrize(
    "given",
    [{"delay": -1}, {"expiry": 0}, {"expiry": timedelta(0)}, {"fee": NAN}, {"spread": -1.0},
     {"slippage": 100.0}, {"max_wait": timedelta(0)}],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(given: dict[str, object]) -> None:
    (name,) = given
    with pytest.raises(InvalidInput, match=name):
        Rules(**given)  # type: ignore[arg-type]


def test_the_assumptions_name_every_setting() -> None:
    text = " ".join(assumptions(Rules(AT_PRICE.entry, 3, 17, 0.11, 0.12, 0.13)))
    for wanted in ("signal's price", "3 bars later", "17 bars", "0.11%", "0.12%", "0.13%"):
        assert wanted in text
