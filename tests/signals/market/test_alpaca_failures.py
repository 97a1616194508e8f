"""Every failure of Alpaca is one kind of error that says what to do, and shows no key."""

from collections.abc import Callable

import pytest

from signals.market.alpaca import AlpacaMarket
from signals.market.protocol import FeedError
from tests.signals.market.alpaca_server import (
    KEY,
    NOW,
    SECRET,
    Alpaca,
    bars,
    in_json,
    quote,
    row,
    running,
)
from tests.sync.alpine_server import Behave, answer, cut_short, reset, silent

GOOD = bars(row("2024-01-05"))


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(FeedError) as raised:
        ask()
    return str(raised.value)


def test_a_request_is_repeated_after_a_rate_limit(alpaca: Alpaca, market: AlpacaMarket) -> None:
    busy = in_json({"message": "too many requests."}, 429)
    alpaca.in_turn(busy, busy, busy, GOOD)
    assert len(market.bars("AAPL", NOW)) == 1


@pytest.mark.parametrize(
    ("status", "times", "advice"),
    [
        (401, 1, "Correct ALPACA_API_KEY and ALPACA_SECRET_KEY"),
        (403, 1, "check ALPACA_FEED and your subscription"),
        (422, 1, "Alpaca does not know the symbol, or the range"),
        (429, 4, r"rate limit: .*MARKET_INTERVAL"),
        (500, 1, "Try again later"),
        (504, 4, "Try again later"),
    ],
)
@pytest.mark.parametrize("symbol", ["AAPL", "BTC-USD"])
def test_a_refusal_says_what_alpaca_said_and_what_to_do(
    alpaca: Alpaca, market: AlpacaMarket, symbol: str, status: int, times: int, advice: str
) -> None:
    alpaca.always(in_json({"message": "not like this"}, status))
    with pytest.raises(FeedError, match=rf"refuses {symbol} with {status}: .*{advice}") as raised:
        market.bars(symbol, NOW)
    assert "not like this" in str(raised.value)
    assert len(alpaca.requests) == times
    with pytest.raises(FeedError, match=rf"refuses {symbol} with {status}: .*{advice}"):
        market.quote(symbol)


def test_a_long_error_text_is_cut_short(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.always(answer(502, b"<html>" + b"x" * 1_000_000))
    assert len(refused(lambda: market.bars("AAPL", NOW))) < 500


NONSENSE = [
    answer(200, b"<html>Welcome</html>"),
    answer(200, b"\xff\xfe\x00"),
    answer(200, b'{"bars": {"AAPL": ['),
    answer(200, b""),
    answer(204, b""),
    *map(in_json, [None, [], 7, {}, {"message": "hello"}, {"bars": {}, "quotes": {}}]),
]
NO_BARS = [
    {"bars": None},
    {"bars": []},
    {"bars": {"AAPL": None}},
    {"bars": {"AAPL": 7}},
    {"bars": {"AAPL": [7]}},
    {"bars": {"AAPL": [{}]}},
    {"bars": {"AAPL": [row("yesterdayT")]}},
    {"bars": {"AAPL": [row("2024-01-05T05:00:00")]}},  # without a time zone
    {"bars": {"AAPL": [row("2024-01-05", c="many")]}},
    {"bars": {"AAPL": [row("2024-01-05", h=None)]}},
]


@pytest.mark.parametrize("behave", [*NONSENSE, *map(in_json, NO_BARS)])
def test_invalid_bars_are_refused(alpaca: Alpaca, market: AlpacaMarket, behave: Behave) -> None:
    alpaca.always(behave)
    message = refused(lambda: market.bars("AAPL", NOW))
    assert message.startswith("Alpaca's answer for AAPL is invalid: ")
    assert len(message) < 500


NO_QUOTES = [
    in_json({"quotes": None}),
    in_json({"quotes": {"AAPL": 7}}),
    in_json({"quotes": {"AAPL": []}}),
    in_json({"quotes": {"AAPL": {"t": "2024-01-05T15:30:00Z"}}}),
    quote(ap="many"),
    quote(bp=None),
    quote(t="noon"),
    quote(t="2024-01-05T15:30:00"),  # without a time zone
]


@pytest.mark.parametrize("behave", [*NONSENSE, *NO_QUOTES])
def test_an_invalid_quote_is_refused(alpaca: Alpaca, market: AlpacaMarket, behave: Behave) -> None:
    alpaca.always(behave)
    message = refused(lambda: market.quote("AAPL"))
    assert message.startswith("Alpaca's answer for AAPL is invalid: ")
    assert len(message) < 500


def test_if_alpaca_cannot_be_reached_the_error_names_the_setting(port: int) -> None:
    market = AlpacaMarket(KEY, SECRET, f"http://127.0.0.1:{port}")
    for ask in (lambda: market.bars("AAPL", NOW), lambda: market.quote("BTC-USD")):
        message = refused(ask)
        assert "cannot be reached for" in message
        assert "refused" in message
        assert "ALPACA_DATA_URL" in message


@pytest.mark.parametrize("behave", [reset, cut_short])
def test_a_broken_connection_is_reported(
    alpaca: Alpaca, market: AlpacaMarket, behave: Behave
) -> None:
    alpaca.always(behave)
    assert "cannot be reached for AAPL" in refused(lambda: market.bars("AAPL", NOW))


@pytest.mark.parametrize("symbol", ["AAPL", "BTC-USD"])
def test_an_alpaca_that_never_answers_meets_the_timeout(alpaca: Alpaca, symbol: str) -> None:
    alpaca.always(silent)
    market = AlpacaMarket(KEY, SECRET, alpaca.url, timeout=0.2)
    assert "timed out" in refused(lambda: market.bars(symbol, NOW))


def test_no_redirect_is_followed(alpaca: Alpaca, market: AlpacaMarket) -> None:
    with running() as other:
        other.always(GOOD)
        alpaca.always(answer(302, b"", Location=f"{other.url}/v2/stocks/bars"))
        assert "it redirects to another address" in refused(lambda: market.bars("AAPL", NOW))
        assert other.requests == []


@pytest.mark.parametrize(("key", "secret"), [("", SECRET), (KEY, ""), ("", "")])
def test_without_keys_the_error_names_the_settings(key: str, secret: str) -> None:
    with pytest.raises(FeedError, match="ALPACA_API_KEY and ALPACA_SECRET_KEY"):
        AlpacaMarket(key, secret, "http://127.0.0.1:1")


@pytest.mark.parametrize("bad", [" hidden", "hidden ", "hid\nden", "hid\x00den", "hid\u2019den"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(bad: str) -> None:
    for keys in ((KEY, bad), (bad, SECRET)):
        with pytest.raises(FeedError, match="has an invalid character") as raised:
            AlpacaMarket(*keys, "http://127.0.0.1:1")
        assert "hid" not in str(raised.value)


@pytest.mark.parametrize(
    "behave",
    [
        *(in_json({"message": "no"}, status) for status in (401, 403, 422, 429, 500)),
        answer(200, b"garbage"),
        in_json([]),
        reset,
        answer(302, b"", Location="http://127.0.0.1:1/"),
    ],
)
def test_no_error_shows_a_key(alpaca: Alpaca, market: AlpacaMarket, behave: Behave) -> None:
    alpaca.always(behave)
    with pytest.raises(FeedError) as raised:
        market.bars("AAPL", NOW)
    error: BaseException | None = raised.value
    while error is not None:
        assert KEY not in f"{error} {error!r}"
        assert SECRET not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def test_a_failure_leaves_the_market_usable(alpaca: Alpaca, market: AlpacaMarket) -> None:
    alpaca.in_turn(reset, in_json({}, 500), GOOD)
    for _ in range(2):
        refused(lambda: market.bars("AAPL", NOW))
    assert len(market.bars("AAPL", NOW)) == 1
