"""Sizes never exceed their limit, whatever the step is."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.risk.sizing import NoSize, fixed_fraction, fixed_risk, scale, to_step

D = Decimal
MONEY = st.decimals("0.01", "1e9", places=2)
PRICES = st.decimals("0.0001", "1e6", places=4)
PERCENTS = st.decimals("0.01", "100", places=2)
STEPS = st.sampled_from([D(1), D("0.01"), D("0.00000001"), D(100)])


@pytest.mark.parametrize(
    ("quantity", "step", "sized"),
    [
        ("172.9", "1", "172"),
        ("172.9", "0.1", "172.9"),
        ("0.123456789", "0.00000001", "0.12345678"),
        ("99", "100", "0"),
        ("0.999", "1", "0"),
        ("-5", "1", "0"),
    ],
)
def test_a_quantity_is_rounded_down_to_the_step(quantity: str, step: str, sized: str) -> None:
    assert to_step(D(quantity), D(step)) == D(sized)


def test_fixed_risk_loses_no_more_than_the_percent_at_the_stop() -> None:
    assert fixed_risk(D(100_000), D(50), D("48.5"), D(1), D(1)) == 666
    assert fixed_risk(D(100_000), D(50), D("51.5"), D(1), D(1)) == 666, "a SELL, too"


def test_a_fixed_fraction_costs_no_more_than_the_percent() -> None:
    assert fixed_fraction(D(100_000), D(333), D(10), D(1)) == 30
    assert fixed_fraction(D(100_000), D(333), D(10), D("0.01")) == D("30.03")


@given(equity=MONEY, entry=PRICES, stop=PRICES, percent=PERCENTS, step=STEPS)
def test_rounding_never_exceeds_the_limit(
    equity: Decimal, entry: Decimal, stop: Decimal, percent: Decimal, step: Decimal
) -> None:
    if entry != stop:
        risked = fixed_risk(equity, entry, stop, percent, step)
        assert risked * abs(entry - stop) <= equity * percent / 100 * (1 + D("1e-20"))
        assert risked % step == 0
    spent = fixed_fraction(equity, entry, percent, step)
    assert spent * entry <= equity * percent / 100 * (1 + D("1e-20"))
    assert spent % step == 0


def test_the_scale_grows_with_confidence_and_shrinks_with_volatility() -> None:
    usual = D(2)
    assert scale(D(75), D(75), usual, usual) == D("0.5")
    assert scale(D(100), D(75), usual, usual) == 1
    assert scale(D("87.5"), D(75), usual, usual) == D("0.75")
    assert scale(D(100), D(75), D(4), usual) == D("0.5")
    assert scale(D(100), D(100), usual, usual) == 1


def test_the_scale_has_a_cap_and_is_0_below_the_threshold() -> None:
    assert scale(D(100), D(75), D("0.1"), D(2)) == 1
    assert scale(D(100), D(75), D("0.1"), D(2), cap=D(3)) == 3
    assert scale(D("74.9"), D(75), D(2), D(2)) == 0


@pytest.mark.parametrize("wrong", [D("NaN"), D("Infinity"), D(0), D(-1)])
def test_an_invalid_price_or_step_is_refused_by_name(wrong: Decimal) -> None:
    one = D(1)
    sizes: dict[str, Callable[[], Decimal]] = {
        "entry": lambda: fixed_risk(D(100), wrong, one, one, one),
        "stop": lambda: fixed_risk(D(100), one, wrong, one, one),
        "step": lambda: fixed_fraction(D(100), one, one, wrong),
        "volatility": lambda: scale(D(80), D(75), wrong, one),
    }
    for name, size in sizes.items():
        with pytest.raises(NoSize, match=name):
            size()


def test_a_stop_at_the_entry_and_an_invalid_equity_are_refused() -> None:
    with pytest.raises(NoSize, match="the stop is at the entry"):
        fixed_risk(D(100), D(50), D(50), D(1), D(1))
    with pytest.raises(NoSize, match="equity is NaN"):
        fixed_fraction(D("NaN"), D(50), D(1), D(1))


def test_without_money_nothing_is_bought() -> None:
    assert fixed_risk(D(-500), D(50), D(49), D(1), D(1)) == 0
    assert fixed_fraction(D(0), D(50), D(1), D(1)) == 0
