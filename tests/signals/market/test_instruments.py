"""One name for each instrument, its kind and hours, and prices at its ticks."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from signals.market.instruments import (
    ALPACA,
    ALWAYS,
    FOREX,
    HOME,
    METAL_HOURS,
    NOT_KNOWN,
    Instrument,
    Instruments,
    Kind,
    catalog,
    instrument,
    spelled_at,
    spellings,
)

ALIASES = {
    "AAPL": "AAPL aapl NASDAQ:AAPL AAPL.US AAPL:US AAPL.O AAPL.OQ AAPL.NASDAQ AAPL_US_EQ $AAPL",
    "IBM": "IBM NYSE:IBM IBM.N IBM-US XNYS:IBM IBM.XNYS",
    "BRK.B": "BRK.B BRK-B BRK/B BRK_B BRKB NYSE:BRK.B BRK-B.US brk.b",
    "BAC.PRB": "BAC.PRB BAC-PB BAC-PRB BAC/PB",
    "XYZ.WS": "XYZ.WS XYZ-WT XYZ/WS",
    "VOD.L": "VOD.L LSE:VOD LON:VOD VOD.XLON",
    "BTC-USD": "BTC/USD BTC-USD BTCUSD btcusd BTC_USD XBTUSD XBT/USD XXBTZUSD COINBASE:BTCUSD "
    "X:BTCUSD BTC-USD.CC",
    "BNB-USDT": "BNBUSDT BNB/USDT BINANCE:BNBUSDT BNBUSDT.BINANCE",
    "SHIB-USD": "SHIBUSD SHIB/USD",
    "1INCH-USD": "1INCH/USD 1inch-usd",
    "ETH-BTC": "ETHBTC ETH/BTC",
    "BTC-USDT-PERP": "BTCUSDT.P BINANCE:BTCUSDT.P BTC-USDT-SWAP BTC/USDT:USDT BTCUSDT-PERP.BINANCE",
    "BTC-USD-PERP": "BTC-PERP BTC-PERPETUAL BTCUSD_PERP PF_XBTUSD",
    "EUR-USD": "EUR/USD EURUSD EUR_USD EUR.USD EURUSD=X FX:EURUSD OANDA:EURUSD C:EURUSD EURUSD.PRO "
    "EURUSDm SOMEBROKER:EURUSD",
    "USD-JPY": "USDJPY USD/JPY JPY=X",
    "XAU-USD": "XAUUSD XAU/USD OANDA:XAUUSD",
    "ES=F": "ES=F /ES CME_MINI:ES1! ES1!",
    "ESZ4": "ESZ4 ESZ24 ESZ2024 /ESZ24 ESZ24.CME",
    "^SPX": "^SPX ^GSPC SPX SP:SPX I:SPX .SPX US500 SPX500_USD GSPC.INDX",
}
"""Spellings of one instrument, by its name."""


@pytest.mark.parametrize(
    ("spelling", "name"),
    [(each, name) for name, spellings in ALIASES.items() for each in spellings.split()],
)
def test_fault_58_every_spelling_of_an_instrument_gives_its_one_name(
    spelling: str, name: str
) -> None:
    assert instrument(f" {spelling} ") == instrument(name)
    assert instrument(spelling).symbol == name


@pytest.mark.parametrize(
    ("spelling", "asset_type", "kind", "hours"),
    [
        ("AAPL", "", Kind.STOCK, HOME),
        ("SPY", "", Kind.ETF, HOME),
        ("BTC", "", Kind.STOCK, HOME),
        ("MUSD", "", Kind.STOCK, HOME),
        ("RELIANCE", "", Kind.STOCK, HOME),
        ("7203.T", "", Kind.STOCK, "XTKS"),
        ("BNBUSDT", "crypto", Kind.CRYPTO_SPOT, ALWAYS),
        ("BNBUSDT", "", Kind.CRYPTO_SPOT, ALWAYS),
        ("NEWCOINUSDT", "", Kind.CRYPTO_SPOT, ALWAYS),
        ("BTCUSDT", "perpetual", Kind.CRYPTO_PERPETUAL, ALWAYS),
        ("EURUSD", "", Kind.FOREX, FOREX),
        ("EUR/USD", "crypto", Kind.FOREX, FOREX),
        ("XAGUSD", "commodity", Kind.METAL, METAL_HOURS),
        ("ES", "future", Kind.FUTURE, "CMES"),
        ("DAX", "index", Kind.INDEX, "XETR"),
        ("DAX", "", Kind.STOCK, HOME),
    ],
)
def test_each_kind_is_read_with_its_hours(
    spelling: str, asset_type: str, kind: Kind, hours: str
) -> None:
    found = instrument(spelling, asset_type)
    assert (found.kind, found.hours) == (kind, hours)


@pytest.mark.parametrize(
    ("spelling", "asset_type", "quote"),
    [
        ("AAPL", "", "USD"), ("SPY", "etf", "USD"), ("AAPL.US", "", "USD"), ("OTC:ABC", "", "USD"),
        ("VOD.L", "", "GBX"), ("SAP.DE", "", "EUR"), ("7203.T", "", "JPY"), ("NESN.SW", "", "CHF"),
        ("NPN.JO", "", "ZAC"), ("USDJPY", "", "JPY"), ("BTC", "crypto", "USD"),
        ("ETHBTC", "crypto", "BTC"), ("ES=F", "", "USD"), ("XYZ=F", "", ""), ("^SPX", "", ""),
    ],
)  # fmt: skip
def test_the_currency_of_a_price_is_known_or_said_to_be_not_known(
    spelling: str, asset_type: str, quote: str
) -> None:
    assert instrument(spelling, asset_type).quote == quote


def test_a_share_without_a_suffix_is_quoted_in_the_home_exchanges_currency() -> None:
    assert Instruments("XLON").of("VOD").quote == "GBX"
    assert Instruments("XLON").of("AAPL.US").quote == "USD"
    assert Instruments("XTAE").of("TEVA").quote == "", "no guess"


@pytest.mark.parametrize(
    ("asset_type", "kind", "name"),
    [
        ("", Kind.UNKNOWN, "NEWCOINUSD"),
        ("unknown", Kind.UNKNOWN, "NEWCOINUSD"),
        ("crypto", Kind.CRYPTO_SPOT, "NEWCOIN-USD"),
        ("Crypto-Currency", Kind.UNKNOWN, "NEWCOINUSD"),  # not a word that Argo knows
        ("us_equity", Kind.STOCK, "NEWCOINUSD"),
        ("perp", Kind.CRYPTO_PERPETUAL, "NEWCOIN-USD-PERP"),
    ],
)
def test_the_senders_word_counts_before_a_guess(asset_type: str, kind: Kind, name: str) -> None:
    found = instrument("NEWCOINUSD", asset_type)
    assert (found.kind, found.symbol) == (kind, name)


def test_a_pair_of_two_known_codes_is_no_stock_whatever_the_sender_says() -> None:
    for spelling in ("BTC/USD", "BTCUSDT", "EURUSD", "XAU/USD"):
        assert instrument(spelling, "stock") == instrument(spelling)


def test_a_share_that_is_quoted_in_dollars_is_the_share_if_the_sender_says_so() -> None:
    assert instrument("AAPL/USD", "stock") == instrument("AAPL")


def test_a_bare_coin_is_quoted_in_dollars_if_the_sender_says_that_it_is_one() -> None:
    assert instrument("BTC", "crypto") == instrument("BTC-USD")
    assert instrument("BTC", "etf").symbol == "BTC"


@pytest.mark.parametrize(
    ("spelling", "asset_type"),
    [
        ("PLUSUSD", ""),
        ("AAPL", "option"),
        ("AAPL240119C00190000", ""),
        ("NOWHERE:AAPL", ""),
        ("NOWHERE:AAPL", "stock"),
        ("EURUSD", "future"),
        ("AAPL", "forex"),
        ("A/B/C", ""),
        ("", ""),
    ],
)
def test_what_is_not_known_is_said_to_be_not_known(spelling: str, asset_type: str) -> None:
    found = instrument(spelling, asset_type)
    assert (found.kind, found.hours) == (Kind.UNKNOWN, NOT_KNOWN)
    assert found.why


def test_the_reasons_name_the_senders_word_and_a_word_that_is_not_known() -> None:
    assert "the sender says 'crypto'" in instrument("BTC", "crypto").why
    assert any("'gizmo'" in why for why in instrument("AAPL", "gizmo").why)


def test_another_exchange_than_the_home_exchange_is_part_of_the_name() -> None:
    london = Instruments("XLON")
    assert london.name("LSE:VOD") == london.name("VOD.L") == "VOD"
    assert london.name("NASDAQ:AAPL") == "AAPL.US"
    assert london.of("AAPL.US").hours == "XNYS"


CODES = (
    "A B P F X US BTC USD USDT EUR GOLD AAPL ES Z 4 24 PERP SPX BUSD 1INCH XBT . - / = ^ : _ ! &"
)
VENUES = "NASDAQ BINANCE LSE L O CME =F =X .P"
PARTS = st.sampled_from([*CODES.split(), *VENUES.split()])
WORDS = st.sampled_from(
    ["", "stock", "etf", "forex", "crypto", "perp", "future", "index", "metal", "commodity",
     "option", "unknown", "gizmo"]
)  # fmt: skip


@given(st.lists(PARTS, max_size=5).map("".join), WORDS)
def test_the_name_of_an_instrument_names_it_again(spelling: str, asset_type: str) -> None:
    once = instrument(spelling, asset_type)
    assume(once.kind not in (Kind.UNKNOWN, Kind.STOCK, Kind.ETF) or not asset_type)
    again = instrument(once.symbol)
    assert (again.symbol, again.kind) == (once.symbol, once.kind)


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_text_at_all_is_an_error(spelling: str, asset_type: str) -> None:
    assert instrument(spelling, asset_type).why


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("BRK.B", {"alpaca": "BRK.B", "yahoo": "BRK-B", "ibkr": "BRK B"}),
        ("BAC.PRB", {"yahoo": "BAC-PB", "ibkr": "BAC PRB"}),
        ("BTC-USD", {"alpaca": "BTC/USD", "yahoo": "BTC-USD", "polygon": "X:BTCUSD"}),
        ("BTC-USDT-PERP", {"binance": "BTCUSDT", "ccxt": "BTC/USDT:USDT"}),
        ("EUR-USD", {"yahoo": "EURUSD=X", "oanda": "EUR_USD", "ibkr": "EUR.USD"}),
        ("^SPX", {"yahoo": "^GSPC", "polygon": "I:SPX"}),
    ],
)
def test_each_vendor_gets_its_own_spelling_and_reads_it_back(
    spelling: str, expected: dict[str, str]
) -> None:
    wanted = instrument(spelling)
    found = spellings(wanted)
    assert expected.items() <= found.items()
    for text in expected.values():
        assert instrument(text, wanted.asset_type) == wanted


def test_alpaca_has_no_spelling_of_what_it_does_not_trade() -> None:
    for spelling in ("EURUSD", "XAUUSD", "ES=F", "^GSPC", "VOD.L", "BTCUSDT.P", "PLUSUSD"):
        assert spelled_at(instrument(spelling), ALPACA) is None


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
    known = Instruments(ticks={"BTCUSD": Decimal("0.5"), "NASDAQ:AAPL": Decimal("0.05")})
    assert known.of("btc/usd").rounded(64123.3) == 64123.5
    assert known.of("AAPL").rounded(187.43) == 187.45
    assert known.of("AAPL").rounded(0.43) == 0.45
    assert known.of("MSFT").tick is None


@pytest.mark.parametrize(
    ("spelling", "price", "rounded"),
    [
        ("EURUSD", 1.0834567, 1.08346),
        ("USDJPY", 151.23456, 151.235),
        ("XAUUSD", 2031.12345, 2031.123),
        ("ES=F", 5123.37, 5123.25),
        ("ESZ4", 5123.38, 5123.5),
    ],
)
def test_other_kinds_have_their_own_ticks(spelling: str, price: float, rounded: float) -> None:
    assert instrument(spelling).rounded(price) == rounded


@pytest.mark.parametrize("price", [1.2e-9, 0.00004, 0.0000999])
def test_fault_61_no_price_is_rounded_to_0(price: float) -> None:
    assert instrument("AAPL").rounded(price) == price
    assert Instruments(ticks={"PEPEUSD": Decimal("0.01")}).of("PEPE-USD").rounded(price) == price


def test_the_step_of_a_quantity_is_that_of_its_kind() -> None:
    coins = Decimal("0.001")
    steps = {"BTCUSD": "0.001", "AAPL": "1", "EURUSD": "1", "XAUUSD": "0.01", "ES=F": "1"}
    for spelling, step in steps.items():
        assert instrument(spelling).step_or(coins) == Decimal(step)


def test_a_numpy_price_is_rounded_to_a_python_float() -> None:
    rounded = instrument("AAPL").rounded(np.float64(187.456))
    assert (rounded, type(rounded)) == (187.46, float)


TICKS = st.sampled_from([None, "0.01", "0.05", "0.25", "0.5", "1", "0.03", "0.00000001"])


@given(st.floats(min_value=0.0001, max_value=1e6), TICKS)
def test_a_rounded_price_is_at_a_tick_no_further_than_half_a_tick_and_stays(
    price: float, tick: str | None
) -> None:
    wanted = Instrument("X", Kind.STOCK, tick=Decimal(tick) if tick else None)
    step = wanted.tick_at(price)
    assert step is not None
    assume(price >= step)
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


def test_a_spelling_is_read_once_and_the_memory_for_them_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalog, "MOST_KEPT", 3)
    known = Instruments()
    assert known.of("AAPL") is known.of("AAPL")
    assert known.of("ES", "future") is not known.of("ES")
    for number in range(10):
        known.of(f"S{number}")
    assert len(known._kept) <= 3


def test_two_exchanges_of_one_calendar_stay_apart() -> None:
    toronto = Instruments("XTSE")
    names = [toronto.of(each).symbol for each in ("SHOP.TO", "SHOP.V", "SHOP")]
    assert names == ["SHOP.TO", "SHOP.V", "SHOP"]


@pytest.mark.parametrize("spelling", ["DAX/EUR", "CAC_EUR", "FTSE/GBP", "HSI/HKD"])
def test_an_index_in_a_currency_is_no_coin(spelling: str) -> None:
    assert instrument(spelling).kind is Kind.UNKNOWN
