"""Orders fill as at an exchange, and never better than the bars prove."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.brokers.fill_model import Costs, Ended, Prices, ended, fillable
from execution.types import ExitReason, Side

D = Decimal
OPEN = datetime(2008, 1, 2, 14, 30, tzinfo=UTC)
CLOSE = datetime(2008, 1, 2, 21, tzinfo=UTC)
STOP, TARGET = D(97), D(105)
LEVELS = st.integers(80, 120).map(Decimal)


def bar(open: int, high: int, low: int, close: int) -> Prices:
    return Prices(OPEN, CLOSE, D(open), D(high), D(low), D(close), D(1000))


@pytest.mark.parametrize("price", ["0.0000000012", "0.0000012", "0.012345678", "123.456789"])
def test_fault_61_a_fill_is_exact_however_small_the_price_is(price: str) -> None:
    costs = Costs(spread=D("0.02"), slippage=D("0.02"), fee=D("0.1"))
    bought, sold = (costs.market_price(side, D(price)) for side in (Side.BUY, Side.SELL))
    off = min(D("5e-9"), D(price) * D("1e-6"))
    assert abs(bought - D(price) * D("1.0003")) <= off
    assert abs(sold - D(price) * D("0.9997")) <= off
    assert costs.fee_of(D(1), D(price)) > 0


def test_the_price_and_fee_of_nothing_are_0() -> None:
    assert Costs(fee=D("0.1")).fee_of(D(0), D(100)) == 0


def mirrored(prices: Prices) -> Prices:
    """Return the same market as a short position sees it."""
    high, low = 200 - prices.low, 200 - prices.high
    return prices._replace(open=200 - prices.open, high=high, low=low, close=200 - prices.close)


@pytest.mark.parametrize(
    ("prices", "wanted"),
    [
        (bar(100, 104, 98, 101), None),
        (bar(100, 104, 97, 101), Ended(D(97), ExitReason.STOP)),
        (bar(100, 105, 98, 101), Ended(D(105), ExitReason.TARGET)),
        (bar(100, 110, 90, 101), Ended(D(97), ExitReason.STOP)),  # both: the worse one
        (bar(95, 110, 90, 101), Ended(D(95), ExitReason.STOP)),  # a gap through the stop
        (bar(97, 100, 96, 99), Ended(D(97), ExitReason.STOP)),
        (bar(108, 110, 90, 101), Ended(D(108), ExitReason.TARGET)),  # a gap past the target
    ],
)
def test_a_bar_ends_a_trade_at_stop_target_or_its_open(
    prices: Prices, wanted: Ended | None
) -> None:
    assert ended(Side.BUY, STOP, TARGET, prices) == wanted
    short = ended(Side.SELL, 200 - STOP, 200 - TARGET, mirrored(prices))
    assert short == (wanted and wanted._replace(price=200 - wanted.price))


@given(st.lists(LEVELS, min_size=4, max_size=4))
def test_an_exit_price_is_within_its_bar(levels: list[Decimal]) -> None:
    low, *middle, high = sorted(levels)
    prices = Prices(OPEN, CLOSE, middle[0], high, low, middle[1], D(1))
    for side, stop, target in ((Side.BUY, STOP, TARGET), (Side.SELL, TARGET, STOP)):
        end = ended(side, stop, target, prices)
        if end is None:
            assert STOP < low <= high < TARGET
        else:
            assert low <= end.price <= high


def test_a_market_order_costs_half_the_spread_and_the_slippage() -> None:
    costs = Costs(spread=D("0.1"), slippage=D("0.05"), fee=D("0.2"))
    assert costs.market_price(Side.BUY, D(100)) == D("100.1")
    assert costs.market_price(Side.SELL, D(100)) == D("99.9")
    assert costs.fee_of(D(3), D(100)) == D("0.6")


def test_a_bar_fills_no_more_than_its_share_of_the_volume_in_whole_steps() -> None:
    assert fillable(D(50), D(1000), None, D(1)) == 50
    assert fillable(D(50), None, D(10), D(1)) == 50
    assert fillable(D(50), D(1000), D(10), D(1)) == 50
    assert fillable(D(500), D(1009), D(10), D(1)) == 100
    assert fillable(D(500), D(0), D(10), D(1)) == 0


def test_only_the_close_of_a_bar_that_had_begun_is_known() -> None:
    prices = bar(100, 104, 98, 101)
    assert prices.known_after(OPEN) == prices
    late = prices.known_after(OPEN + timedelta(seconds=1))
    assert (late.began, late.time) == (CLOSE, CLOSE)
    assert {late.open, late.high, late.low, late.close} == {D(101)}
