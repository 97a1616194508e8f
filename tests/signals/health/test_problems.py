"""The problems of journal, ledger and prices, on both databases where the code differs."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from signals import config
from signals.clock import utc_now
from signals.config import flusher
from signals.health import problems as health
from signals.health.prices import oldest_old_price
from signals.market.watched import OldPrice, PriceWatch, WatchedMarket
from signals.problems import Problem
from signals.tracker import SignalTracker
from tests.samples import a_signal
from tests.signs_of_life import alive

pytestmark = pytest.mark.django_db
SATURDAY = datetime(2025, 1, 18, 12, tzinfo=UTC)
IN_SESSION = datetime(2025, 1, 15, 15, 30, tzinfo=UTC)


def journal_codes(now: datetime) -> list[str]:
    return [problem.kind.code for problem in health.journal_problems(now)]


def test_a_line_that_waits_for_too_long_is_a_problem() -> None:
    received = utc_now()
    SignalTracker("test").accept([a_signal()])
    assert journal_codes(received + timedelta(seconds=59)) == []
    (problem,) = health.journal_problems(received + timedelta(seconds=75))
    assert problem.kind.code == "journal.old_line"
    assert "has waited for 7" in problem.sentence
    flusher().flush()
    assert journal_codes(received + timedelta(hours=1)) == []


def test_the_regular_flushes_may_be_rare(settings: Settings) -> None:
    settings.SIGNAL_BATCH_TIMEOUT = 100.0
    received = utc_now()
    SignalTracker("test").accept([a_signal()])
    assert journal_codes(received + timedelta(seconds=299)) == []
    assert journal_codes(received + timedelta(seconds=302)) == ["journal.old_line"]


def test_lines_of_a_replay_carry_another_clock() -> None:
    past = datetime(2008, 1, 2, tzinfo=UTC)
    SignalTracker("replay", lambda: past).accept([a_signal(timestamp=past)])
    assert journal_codes(utc_now()) == []


def test_a_line_that_cannot_be_read_has_no_age() -> None:
    config.journal().append([b"garbage"])
    assert journal_codes(utc_now() + timedelta(days=1)) == []


def price_problems(now: datetime) -> list[Problem]:
    return list(health.price_problems(now))


def test_a_price_that_is_too_old_is_a_problem_while_its_process_lives() -> None:
    now = utc_now()
    alive(old_price_of="AAPL", old_price_at=now - timedelta(seconds=1000))
    alive(old_price_of="MSFT", old_price_at=now - timedelta(seconds=2000))
    alive(old_price_of="IBM", old_price_at=now - timedelta(days=1), ago=120)
    (problem,) = price_problems(now)
    assert "The newest price of MSFT is 2000 s old." in problem.sentence


class Shown:
    """A market of files; that of one symbol has bars of weekends."""

    def __init__(self, always_open: str) -> None:
        self._always_open = always_open

    def is_always_open(self, symbol: str) -> bool:
        return symbol == self._always_open


@pytest.mark.parametrize(
    ("market", "symbol", "now", "age", "is_old"),
    [
        ("alpaca", "AAPL", IN_SESSION, 800, False),
        ("alpaca", "AAPL", IN_SESSION, 1000, True),
        ("alpaca", "AAPL", SATURDAY, 50_000, False),
        ("alpaca", "BTC-USD", SATURDAY, 1000, True),
        ("files", "AAPL", IN_SESSION, 18 * 3600, False),
        ("files", "AAPL", IN_SESSION, 24 * 3600, True),
        ("files", "HYPE", SATURDAY, 12 * 3600, True),
        ("files", "NEWCOINUSD", SATURDAY, 12 * 3600, False),
        ("sample", "AAPL", IN_SESSION, 10**8, False),
    ],
)
def test_when_a_price_should_be_newer(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    market: str,
    symbol: str,
    now: datetime,
    age: int,
    is_old: bool,
) -> None:
    settings.MARKET_DATA, settings.MARKET_IS_LIVE = market, market != "sample"
    watch = PriceWatch()
    watch.priced(symbol, now - timedelta(seconds=age), now)
    monkeypatch.setattr("signals.health.prices.price_watch", lambda: watch)
    monkeypatch.setattr("signals.health.prices.utc_now", lambda: now)
    monkeypatch.setattr("signals.health.prices.watched_market", lambda: Shown("HYPE"))
    expected = OldPrice(symbol, now - timedelta(seconds=age)) if is_old else None
    assert oldest_old_price() == expected


def test_a_symbol_without_any_price_counts_from_the_first_question() -> None:
    watch, asked = PriceWatch(), IN_SESSION
    watch.asked("AAPL", asked)
    watch.asked("AAPL", asked + timedelta(minutes=5))
    always = watch.oldest(asked + timedelta(minutes=6), lambda symbol, time: True)
    assert always == OldPrice("AAPL", asked)


def test_a_symbol_that_nobody_asks_for_is_not_in_use() -> None:
    watch = PriceWatch()
    watch.priced("AAPL", IN_SESSION, IN_SESSION)
    assert watch.oldest(IN_SESSION + timedelta(minutes=11), lambda symbol, time: True) is None


def test_the_age_of_a_markets_prices_is_recorded() -> None:
    watch = PriceWatch()
    market = WatchedMarket(config.market(), watch)
    quote = market.quote("AAPL")
    assert quote is not None
    assert len(market.bars("AAPL", market.now()))
    assert watch.oldest(market.now(), lambda symbol, time: True) == OldPrice("AAPL", quote.time)
    assert market.symbols == config.market().symbols
