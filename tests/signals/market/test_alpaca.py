"""Alpaca's bars and quotes, over a real HTTP connection."""

import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest

from signals.market.alpaca import AlpacaMarket
from signals.market.bars import BadBars
from signals.market.protocol import FeedError, Quote, UnknownSymbol
from tests.signals.market.alpaca_server import KEY, NOW, SECRET, Alpaca, bars, in_json, quote, row
from tests.signals.market.conftest import LONG_AFTER
from tests.sync.alpine_server import Behave

CLOSE = datetime(2024, 1, 5, 21, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
WEEK = [row(f"2024-01-0{day}", float(day) + 10) for day in (2, 3, 4, 5)]


def closes(
    market: AlpacaMarket, upto: datetime = NOW, since: datetime | None = None
) -> list[float]:
    found: list[float] = market.bars("AAPL", upto, since).close.tolist()
    return found


def test_bars_come_from_alpaca(alpaca: Alpaca, market: AlpacaMarket) -> None:
    rows = [row("2024-01-04", o=10, h=12.5, l=9, c=11, v=100), row("2024-01-05", o=11, v=0)]
    alpaca.always(bars(*rows))
    found = market.bars("AAPL", NOW)
    assert found.symbol == "AAPL"
    assert (found.open.tolist(), found.high.tolist()) == ([10.0, 11.0], [12.5, 11.0])
    assert (found.low.tolist(), found.close.tolist()) == ([9.0, 9.0], [11.0, 10.0])
    assert found.volume.tolist() == [100.0, 0.0]
    assert found.time_at(0) == datetime(2024, 1, 4, 21, tzinfo=UTC)
    assert found.time_at(1) == CLOSE


def test_stocks_are_requested_as_documented(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(bars(*WEEK))
    market.bars("AAPL", NOW)
    assert alpaca.asked.path == "/v2/stocks/bars"
    wanted = {
        "symbols": "AAPL",
        "timeframe": "1Day",
        "adjustment": "all",
        "feed": "iex",
        "end": "2024-01-05T22:00:00+00:00",
    }
    assert wanted.items() <= alpaca.asked.parameters.items()


def test_crypto_is_requested_as_documented(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(bars(row("2024-01-03"), symbol="BTC/USD"))
    assert market.bars("BTC-USD", NOW).symbol == "BTC-USD"
    assert alpaca.asked.path == "/v1beta3/crypto/us/bars"
    assert alpaca.asked.parameters["symbols"] == "BTC/USD"
    assert alpaca.asked.parameters["timeframe"] == "1Day"
    assert alpaca.asked.parameters["end"] == "2024-01-05T22:00:00+00:00"


def test_the_keys_are_sent_as_headers_and_nowhere_else(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(bars(*WEEK))
    market.bars("AAPL", NOW)
    alpaca.always(quote("BTC/USD"))
    market.quote("BTC-USD")
    for asked in alpaca.requests:
        assert asked.headers["APCA-API-KEY-ID"] == KEY
        assert asked.headers["APCA-API-SECRET-KEY"] == SECRET
        assert not {KEY, SECRET} & set(asked.parameters.values())


def test_an_address_may_end_in_a_slash(alpaca: Alpaca) -> None:
    alpaca.always(bars(*WEEK))
    AlpacaMarket(KEY, SECRET, f"{alpaca.url}/").bars("AAPL", NOW)
    assert alpaca.asked.path == "/v2/stocks/bars"


def test_the_feed_is_the_one_that_is_set(alpaca: Alpaca) -> None:
    market = AlpacaMarket(KEY, SECRET, alpaca.url, feed="sip")
    alpaca.in_turn(bars(*WEEK), quote())
    market.bars("AAPL", NOW)
    market.quote("AAPL")
    assert [asked.parameters["feed"] for asked in alpaca.requests] == ["sip", "sip"]


def start(alpaca: Alpaca) -> datetime:
    return datetime.fromisoformat(alpaca.asked.parameters["start"])


def test_without_a_start_600_days_are_requested(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(bars(*WEEK))
    market.bars("AAPL", NOW)
    assert timedelta(days=600) <= NOW - start(alpaca) <= timedelta(days=602)


def test_the_bar_that_closes_at_an_early_start_is_requested_too(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(bars(*WEEK))
    since = datetime(2020, 1, 2, 21, tzinfo=UTC)
    market.bars("AAPL", NOW, since)
    assert start(alpaca) <= datetime(2020, 1, 2, 5, tzinfo=UTC)


def test_a_moment_may_be_in_any_time_zone(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(bars(*WEEK))
    market.bars("AAPL", NOW.astimezone(timezone(timedelta(hours=9))))
    assert datetime.fromisoformat(alpaca.asked.parameters["end"]) == NOW


def test_bars_start_with_the_one_that_closes_at_the_given_moment(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(bars(*WEEK))
    third = datetime(2024, 1, 3, 21, tzinfo=UTC)
    assert closes(market, NOW, third) == [13.0, 14.0, 15.0]
    assert closes(market, NOW, third + INSTANT) == [14.0, 15.0]


def test_between_two_sessions_a_known_symbol_has_no_bars(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(bars(*WEEK))
    saturday = datetime(2024, 1, 6, 12, tzinfo=UTC)
    assert closes(market, saturday + timedelta(days=1), saturday) == []
    assert NOW - start(alpaca) > timedelta(days=590), "otherwise a known symbol might look unknown"


def test_all_pages_are_fetched(alpaca: Alpaca, market: AlpacaMarket) -> None:
    first, second, *rest = WEEK
    alpaca.in_turn(bars(first, token="b"), bars(second, token="c"), bars(*rest))
    assert closes(market) == [12.0, 13.0, 14.0, 15.0]
    tokens = [asked.parameters.get("page_token") for asked in alpaca.requests]
    assert tokens == [None, "b", "c"]
    assert {asked.parameters["symbols"] for asked in alpaca.requests} == {"AAPL"}


def test_the_bar_of_a_session_is_shown_once_it_has_closed(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(bars(*WEEK))
    assert closes(market, CLOSE - INSTANT) == [12.0, 13.0, 14.0]
    assert closes(market, CLOSE) == [12.0, 13.0, 14.0, 15.0]


@pytest.mark.parametrize(
    ("began", "close"),
    [
        ("2024-07-03T04:00:00Z", datetime(2024, 7, 3, 17, tzinfo=UTC)),  # at 13:00 in New York
        ("2024-11-29T05:00:00Z", datetime(2024, 11, 29, 18, tzinfo=UTC)),
        ("2024-07-05T04:00:00Z", datetime(2024, 7, 5, 20, tzinfo=UTC)),
    ],
)
def test_a_bar_closes_with_its_session_early_closes_and_summer_time_included(
    alpaca: Alpaca, market: AlpacaMarket, began: str, close: datetime
) -> None:
    alpaca.always(bars(row(began)))
    assert market.bars("AAPL", close).time_at(-1) == close
    assert len(market.bars("AAPL", close - INSTANT)) == 0


@pytest.mark.parametrize(
    ("began", "end"),
    [
        ("2024-07-06T05:00:00Z", datetime(2024, 7, 7, 5, tzinfo=UTC)),  # a Saturday
        ("2024-01-06T06:00:00Z", datetime(2024, 1, 7, 6, tzinfo=UTC)),
        ("2024-11-03T05:00:00Z", datetime(2024, 11, 4, 6, tzinfo=UTC)),  # a day of 25 hours
        ("2024-11-03T00:00:00Z", datetime(2024, 11, 4, 1, tzinfo=UTC)),
    ],
)
def test_a_day_of_crypto_ends_at_the_next_midnight_of_chicago(
    alpaca: Alpaca, market: AlpacaMarket, began: str, end: datetime
) -> None:
    alpaca.always(bars(row(began), symbol="BTC/USD"))
    assert market.bars("BTC-USD", end).time_at(-1) == end
    assert len(market.bars("BTC-USD", end - INSTANT)) == 0


@pytest.mark.parametrize("hour", ["05", "06", "00"])
def test_no_day_of_crypto_is_shown_before_24_hours_are_over(
    alpaca: Alpaca, market: AlpacaMarket, hour: str
) -> None:
    began = f"2024-03-10T{hour}:00:00Z"  # summer time begins: a day of 23 hours in Chicago
    alpaca.always(bars(row(began), symbol="BTC/USD"))
    end = datetime.fromisoformat(began) + timedelta(days=1)
    assert len(market.bars("BTC-USD", end - INSTANT)) == 0
    assert len(market.bars("BTC-USD", end)) == 1


def test_crypto_days_have_no_gap_when_summer_time_ends(
    alpaca: Alpaca, market: AlpacaMarket, caplog: pytest.LogCaptureFixture
) -> None:
    began = ("2024-11-02T05:00:00Z", "2024-11-03T05:00:00Z", "2024-11-04T06:00:00Z")
    alpaca.always(bars(*map(row, began), symbol="BTC/USD"))
    found = market.bars("BTC-USD", datetime(2024, 11, 6, tzinfo=UTC))
    assert [found.time_at(at).isoformat() for at in range(3)] == [
        "2024-11-03T05:00:00+00:00",
        "2024-11-04T06:00:00+00:00",
        "2024-11-05T06:00:00+00:00",
    ]
    assert not caplog.records


def test_irregular_rows_are_logged(
    alpaca: Alpaca, market: AlpacaMarket, caplog: pytest.LogCaptureFixture
) -> None:
    alpaca.always(bars(row("2024-01-03"), row("2024-01-05"), row("2024-01-06")))
    assert len(market.bars("AAPL", NOW)) == 2
    (logged,) = caplog.records
    assert (logged.levelno, logged.name) == (logging.WARNING, "signals.market.daily")
    assert logged.getMessage().startswith("AAPL: 1 sessions have no bar (2024-01-04); 1 bars were")


@pytest.mark.parametrize("hour", ["00", "05", "06"])
def test_a_day_of_crypto_without_a_bar_is_logged_with_its_date(
    alpaca: Alpaca, market: AlpacaMarket, caplog: pytest.LogCaptureFixture, hour: str
) -> None:
    began = (f"2024-01-{day}T{hour}:00:00Z" for day in ("02", "04"))
    alpaca.always(bars(*map(row, began), symbol="BTC/USD"))
    market.bars("BTC-USD", NOW)
    assert caplog.messages == ["BTC-USD: 1 sessions have no bar (2024-01-03)"]


@pytest.mark.parametrize("content", [{}, {"bars": {}}, {"bars": {"MSFT": WEEK}}])
def test_a_symbol_without_any_bars_is_unknown(
    alpaca: Alpaca, market: AlpacaMarket, content: dict[str, object]
) -> None:
    alpaca.always(in_json({"bars": {}, "next_page_token": None} | content))
    with pytest.raises(UnknownSymbol, match="no bars of 'NONE'"):
        market.bars("NONE", NOW)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"c": -1.0}, "close is not a number above 0"),
        ({"h": 1.0}, "high is below open or close"),
        ({"l": float("nan")}, "low is 'nan', not a number"),
        ({"v": -1}, "volume is"),
    ],
)
def test_an_invalid_bar_is_refused_with_its_date(
    alpaca: Alpaca, market: AlpacaMarket, changes: dict[str, object], why: str
) -> None:
    alpaca.always(bars(row("2024-01-04"), row("2024-01-05", **changes)))
    with pytest.raises(BadBars, match=rf"AAPL 2024-01-05.*{why}"):
        market.bars("AAPL", NOW)


def test_the_price_is_the_middle_of_bid_and_ask_at_the_quotes_time(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(quote())
    time = datetime(2024, 1, 5, 15, 30, 0, 123456, tzinfo=UTC)
    found = market.quote("AAPL")
    assert found == Quote(10.25, time)
    assert found.time.tzinfo is UTC
    assert alpaca.asked.path == "/v2/stocks/quotes/latest"
    assert alpaca.asked.parameters == {"symbols": "AAPL", "feed": "iex"}


def test_the_price_of_crypto_is_requested_as_documented(
    alpaca: Alpaca, market: AlpacaMarket
) -> None:
    alpaca.always(quote("BTC/USD", t="2024-01-06T20:00:00-05:00"))
    assert market.quote("BTC-USD") == Quote(10.25, datetime(2024, 1, 7, 1, tzinfo=UTC))
    assert alpaca.asked.path == "/v1beta3/crypto/us/latest/quotes"
    assert alpaca.asked.parameters == {"symbols": "BTC/USD"}


@pytest.mark.parametrize(("ask", "price"), [(10.199, 10.0995), (10.203, None), (9.0, None)])
def test_a_bid_and_ask_far_apart_give_no_price(
    alpaca: Alpaca, market: AlpacaMarket, ask: float, price: float | None
) -> None:
    alpaca.always(quote(bp=10.0, ap=ask))
    found = market.quote("AAPL")
    assert (found and found.price) == (price and pytest.approx(price))


@pytest.mark.parametrize(("minutes", "count"), [(0, 1), (15, 1), (16, 2)])
def test_a_bar_is_shown_once_the_feed_has_had_time_to_complete_it(
    alpaca: Alpaca, minutes: int, count: int
) -> None:
    alpaca.always(bars(row("2024-01-04"), row("2024-01-05")))
    now = datetime(2024, 1, 5, 21, minutes, tzinfo=UTC)
    market = AlpacaMarket(KEY, SECRET, alpaca.url, clock=lambda: now)
    assert len(market.bars("AAPL", now)) == count


@pytest.mark.parametrize("name", ["bp", "ap"])
@pytest.mark.parametrize("price", [0, -1.0, float("nan"), float("-inf")])
def test_without_bid_or_ask_there_is_no_price(
    alpaca: Alpaca, market: AlpacaMarket, name: str, price: float
) -> None:
    alpaca.always(quote(**{name: price}))
    assert market.quote("AAPL") is None


@pytest.mark.parametrize(
    "behave", [in_json({"quotes": {}}), in_json({"quotes": {"AAPL": None}}), quote("MSFT")]
)
def test_without_a_quote_there_is_no_price(
    alpaca: Alpaca, market: AlpacaMarket, behave: Behave
) -> None:
    alpaca.always(behave)
    assert market.quote("AAPL") is None


def test_an_infinite_price_is_refused(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(quote(ap=float("inf")))
    with pytest.raises(FeedError, match="a price of inf is not valid"):
        market.quote("AAPL")


def test_its_time_is_the_clocks_and_it_lists_no_symbols(market: AlpacaMarket) -> None:
    assert market.now() == LONG_AFTER
    assert market.symbols == ()
