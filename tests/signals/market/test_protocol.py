"""A quote has a valid price; the last close can be used as a quote."""

from datetime import timedelta

import pytest

from signals.market.protocol import FeedError, Quote, UnknownSymbol
from tests.signals.market.builders import FIRST_CLOSE, bars_of


@pytest.mark.parametrize("price", [float("nan"), float("inf"), float("-inf"), 0.0, -0.01])
def test_a_price_that_is_not_above_zero_is_refused(price: float) -> None:
    with pytest.raises(FeedError, match=f"a price of {price} is not valid"):
        Quote(price, FIRST_CLOSE)


@pytest.mark.parametrize("price", [1e-12, 0.0001, 1e9])
def test_any_number_above_zero_is_a_price(price: float) -> None:
    assert Quote(price, FIRST_CLOSE).price == price


def test_the_last_close_has_its_bars_time() -> None:
    quote = Quote.last_close(bars_of([10.0, 11.0]))
    assert quote == Quote(11.0, FIRST_CLOSE + timedelta(days=1))
    assert type(quote.price) is float


def test_without_bars_there_is_no_last_close() -> None:
    assert Quote.last_close(bars_of([])) is None


def test_the_error_of_an_unknown_symbol_lists_the_known_ones() -> None:
    assert str(UnknownSymbol("TSLA", ("AAPL", "FB"))) == (
        "there are no bars of 'TSLA'; there are: AAPL, FB"
    )
    assert str(UnknownSymbol("TSLA")) == "there are no bars of 'TSLA'"
    assert (UnknownSymbol("TSLA").status, UnknownSymbol("TSLA").exit_code) == (404, 2)
