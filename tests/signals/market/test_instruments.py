"""One spelling for each instrument, and prices at its ticks."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.instruments import CRYPTO, STOCK, Instrument, instrument, normalised


@pytest.mark.parametrize(
    ("spellings", "symbol"),
    [
        ("BTC/USD BTC-USD BTCUSD btcusd btc/usd Btc-Usd", "BTC-USD"),
        ("ETHBTC ETH/BTC", "ETH-BTC"),
        ("BTCUSDT BTC/USDT", "BTC-USDT"),
        ("1INCH/USD 1inch-usd", "1INCH-USD"),
    ],
)
def test_a_pair_has_one_spelling_and_is_crypto(spellings: str, symbol: str) -> None:
    for spelling in spellings.split():
        assert instrument(f" {spelling} ") == Instrument(symbol, CRYPTO)


@pytest.mark.parametrize(
    "symbol",
    [
        "AAPL",
        "BRK.B",
        "BRK-B",
        "BTC",
        "LTC",
        "UNI",
        "MUSD",
        "PLUSUSD",
        "BTCUSDX",
        "XBTCUSD",
        "BAC-PB",
        "BTC/JPY",
    ],
)
def test_a_stock_is_never_read_as_crypto(symbol: str) -> None:
    for spelling in (symbol, symbol.lower(), f"{symbol}\n"):
        assert instrument(spelling) == Instrument(symbol, STOCK)


@given(st.text(alphabet="ABTCUSDEH19.-/ abtcusd", max_size=12))
def test_a_symbol_in_argos_spelling_is_not_changed(symbol: str) -> None:
    once = normalised(symbol)
    assert normalised(once) == once
    assert instrument(once).symbol == once


@pytest.mark.parametrize(
    ("price", "tick"),
    [(1000.0, "0.01"), (1.0, "0.01"), (0.9999, "0.0001"), (0.0001, "0.0001")],
)
def test_a_stocks_tick_is_a_cent_and_below_a_dollar_a_hundredth_of_a_cent(
    price: float, tick: str
) -> None:
    assert instrument("AAPL").tick_at(price) == Decimal(tick)


@pytest.mark.parametrize(
    ("price", "rounded"),
    [
        (187.456, 187.46),
        (187.454, 187.45),
        (1.004, 1.0),
        (0.123449, 0.1234),
        (0.12346, 0.1235),
        (0.99996, 1.0),
        (66.99 * 1.03, 69.0),  # 68.9997
        (1.015, 1.02),  # the binary float is slightly less
    ],
)
def test_a_stocks_price_is_rounded_to_the_nearest_tick(price: float, rounded: float) -> None:
    assert instrument("AAPL").rounded(price) == rounded


@pytest.mark.parametrize("price", [64123.123456789, 0.00001234, 1 / 3])
def test_a_price_of_crypto_is_not_rounded_if_no_tick_is_set(price: float) -> None:
    assert instrument("BTC-USD").tick_at(price) is None
    assert instrument("BTC-USD").rounded(price) == price


def test_a_tick_that_is_set_applies_to_any_spelling_and_to_stocks_too() -> None:
    ticks = {"BTC-USD": Decimal("0.5"), "AAPL": Decimal("0.05")}
    assert instrument("btc/usd", ticks).rounded(64123.3) == 64123.5
    assert instrument("AAPL", ticks).rounded(187.43) == 187.45
    assert instrument("AAPL", ticks).rounded(0.43) == 0.45
    assert instrument("MSFT", ticks).tick is None


def test_a_numpy_price_is_rounded_to_a_python_float() -> None:
    rounded = instrument("AAPL").rounded(np.float64(187.456))
    assert (rounded, type(rounded)) == (187.46, float)


TICKS = st.sampled_from([None, "0.01", "0.05", "0.25", "0.5", "1", "0.03", "0.00000001"])


@given(st.floats(min_value=0.0001, max_value=1e6), TICKS)
def test_a_rounded_price_is_at_a_tick_no_further_than_half_a_tick_and_stays(
    price: float, tick: str | None
) -> None:
    wanted = Instrument("X", STOCK, Decimal(tick) if tick else None)
    step = wanted.tick_at(price)
    assert step is not None
    rounded = wanted.rounded(price)
    assert Decimal(repr(rounded)) % step == 0
    assert abs(Decimal(repr(rounded)) - Decimal(repr(price))) <= step / 2
    assert wanted.rounded(rounded) == rounded


@given(st.integers(min_value=100, max_value=10**9))
def test_a_price_in_cents_is_never_changed(cents: int) -> None:
    price = float(Decimal(cents) / 100)
    assert instrument("AAPL").rounded(price) == price


@given(st.integers(min_value=1, max_value=9999))
def test_a_price_below_a_dollar_in_hundredths_of_a_cent_is_never_changed(steps: int) -> None:
    price = float(Decimal(steps) / 10_000)
    assert instrument("AAPL").rounded(price) == price
