"""A cycle stores what the sources agree on, once; one symbol's failure does not affect others."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from signals.clock import utc_now
from signals.generation import candidates
from signals.generation.pipeline import SignalPipeline
from signals.generation.service import INTERRUPTED_AFTER, CycleFailed, SignalGenerationService
from signals.generation.votes import Direction, Vote
from signals.journal import JournalError
from signals.market.bars import Bars
from signals.market.protocol import Quote
from signals.models import CandidateRecord, Signal
from signals.tracker import SignalTracker
from tests.signals.generation.markets import ScriptedMarket, market_of
from tests.signals.generation.pipelines import always, pipeline_of
from tests.signals.market.builders import bars_of

pytestmark = pytest.mark.django_db(transaction=True)
BUY, SELL = Direction.BUY, Direction.SELL
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class ScriptedService:
    """A service on a scripted market, with a tracker on its clock."""

    def __init__(self, market: ScriptedMarket, pipeline: SignalPipeline, **options: Any) -> None:  # noqa: ANN401
        self.market = market
        self.later = timedelta()
        self.tracker = SignalTracker(origin="generator", clock=market.now)
        self.service = SignalGenerationService(
            market, pipeline, self.tracker, wall_clock=lambda: utc_now() + self.later, **options
        )

    def cycle(self, *symbols: str) -> list[str | None]:
        """Run a cycle over these symbols, or all; return a result for each.

        A result is the error, the signal's id, the reason codes, or None if nothing was proposed.
        """
        results = self.service.run_cycle(symbols or self.market.symbols)
        self.tracker.flush()
        return [
            each.error or each.signal_id or " ".join(why.code for why in each.reasons) or None
            for each in results
        ]


@pytest.fixture
def market() -> ScriptedMarket:
    return market_of("AAPL", "MSFT")


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """Yield an event that is set at the end, so that no thread outlives the test."""
    event = threading.Event()
    yield event
    event.set()


def stored() -> list[tuple[str, str]]:
    return list(Signal.objects.order_by("id").values_list("symbol", "signal_id"))


def test_a_signal_is_stored_with_its_context(market: ScriptedMarket) -> None:
    made = ScriptedService(market, always(BUY)).cycle()
    assert stored() == [("AAPL", made[0]), ("MSFT", made[1])]
    signal = Signal.objects.select_related("context").get(symbol="AAPL")
    assert (signal.entry_price, signal.target_price, signal.stop_price) == (100.0, 105.0, 97.0)
    assert (signal.action, signal.strategy, signal.asset_type) == (
        "BUY", "weighted_consensus", "stock",
    )  # fmt: skip
    assert signal.timestamp == f"{market.time:%Y-%m-%dT%H:%M:%SZ}"
    context = signal.context
    assert (context.regime, context.agreement, context.sources) == ("UNKNOWN", 1.0, 1)
    assert context.origin == "generator"
    assert context.votes == [
        {"source": "script", "direction": "BUY", "confidence": 90.0, "weight": 1.0,
         "figures": {"bars": 30}}
    ]  # fmt: skip


def test_the_entry_is_the_fresh_price_not_the_last_close(market: ScriptedMarket) -> None:
    market.quotes["AAPL"] = Quote(101.25, market.time)
    ScriptedService(market, always(SELL)).cycle("AAPL")
    signal = Signal.objects.get()
    assert (signal.entry_price, signal.target_price, signal.stop_price) == (101.25, 96.19, 104.29)


@pytest.mark.parametrize("age", [None, timedelta(hours=1)])
def test_without_a_fresh_price_nothing_is_stored_but_the_candidate_is_kept(
    market: ScriptedMarket, age: timedelta | None
) -> None:
    market.quotes["AAPL"] = None if age is None else Quote(100.0, market.time - age)
    assert ScriptedService(market, always(BUY)).cycle("AAPL") == ["price"]
    assert not Signal.objects.exists()
    record = CandidateRecord.objects.get()
    assert (record.rejected_for, record.entry_price, record.signal_id) == ("price", 100.0, None)
    assert record.votes[0]["source"] == "script"


def test_the_same_cycle_again_makes_no_second_signal(market: ScriptedMarket) -> None:
    made = ScriptedService(market, always(BUY, cooldown=1))
    first = made.cycle()
    for _ in range(3):
        market.pass_by(MINUTE)
        assert made.cycle() == ["cooldown bar"] * 2
    assert [signal_id for _, signal_id in stored()] == first
    assert CandidateRecord.objects.count() == 4, "looking again makes no new row"


def test_a_changed_price_makes_no_second_signal_of_one_bar(market: ScriptedMarket) -> None:
    made = ScriptedService(market, always(BUY, cooldown=1))
    made.cycle("AAPL")
    market.pass_by(MINUTE)
    market.quotes["AAPL"] = Quote(100.5, market.time)
    assert made.cycle("AAPL") == ["cooldown bar"]


def test_after_a_new_bar_and_the_cooldown_there_is_the_next_one() -> None:
    market = market_of("AAPL", closes=60)
    made = ScriptedService(market, always(BUY, cooldown=5))
    market.time -= 20 * DAY
    found = []
    for _ in range(11):
        found += made.cycle()
        market.pass_by(DAY)
    assert [result == "cooldown" for result in found] == [False, *[True] * 4] * 2 + [False]


def test_a_rebuilt_database_without_candidates_still_makes_no_second_signal(
    market: ScriptedMarket,
) -> None:
    made = ScriptedService(market, always(BUY, cooldown=1))
    made.cycle("AAPL")
    CandidateRecord.objects.all().delete()
    market.pass_by(MINUTE)
    assert made.cycle("AAPL") == ["cooldown bar"]


def test_an_earlier_signal_that_is_not_in_the_database_yet_counts(market: ScriptedMarket) -> None:
    service = ScriptedService(market, always(BUY, cooldown=1)).service
    service.run_cycle(["AAPL"])
    assert not Signal.objects.exists(), "it is only in the journal"
    CandidateRecord.objects.all().delete()
    (result,) = service.run_cycle(["AAPL"])
    assert [why.code for why in result.reasons] == ["cooldown", "bar"]


@pytest.mark.parametrize("time", ["2008-01-31T20:59:59", "2008-01-31 20:59:59", "2008-01-31"])
def test_an_imported_signal_whose_time_has_no_offset_counts_as_utc(
    market: ScriptedMarket, time: str
) -> None:
    _import(time)
    assert ScriptedService(market, always(BUY)).cycle("AAPL") == ["cooldown"]


def test_an_imported_signal_without_a_valid_time_is_ignored(
    market: ScriptedMarket, caplog: pytest.LogCaptureFixture
) -> None:
    _import("2008, in spring")
    (made,) = ScriptedService(market, always(BUY)).cycle("AAPL")
    assert made in [signal_id for _, signal_id in stored()]
    assert any("'2008, in spring'" in message for message in caplog.messages)


def _import(time: str) -> None:
    columns = "signal_id, symbol, action, entry_price, target_price, stop_price, confidence, "
    columns += "strategy, asset_type, timestamp, sha256"
    values: list[str | int] = [
        "old",
        "AAPL",
        "BUY",
        100,
        105,
        97,
        90,
        "weighted_consensus",
        "stock",
        time,
        "x",
    ]
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO signals ({columns}) VALUES ({marks})", values)


def test_signals_of_other_strategies_start_no_cooldown(market: ScriptedMarket) -> None:
    made = ScriptedService(market, always(BUY))
    made.cycle("AAPL")
    foreign = dict(Signal.objects.values(
        "action", "entry_price", "target_price", "stop_price", "confidence", "timestamp"
    ).get())  # fmt: skip
    made.tracker.log_signal({**foreign, "symbol": "MSFT", "strategy": "theirs"})
    assert made.cycle("MSFT") == [
        Signal.objects.get(symbol="MSFT", strategy__startswith="w").signal_id
    ]


def test_any_spelling_names_the_instrument_once() -> None:
    market = market_of("BTC-USD")
    made = ScriptedService(market, always(BUY)).cycle("BTC/USD", "btcusd", "BTC-USD")
    assert stored() == [("BTC-USD", made[0])]
    assert len(made) == 1
    assert Signal.objects.get().asset_type == "crypto"


def test_an_unknown_symbol_fails_alone(
    market: ScriptedMarket, caplog: pytest.LogCaptureFixture
) -> None:
    made = ScriptedService(market, always(BUY)).cycle("AAPL", "NONE", "MSFT")
    assert made[1] == "there are no bars of 'NONE'; there are: AAPL, MSFT"
    assert [symbol for symbol, _ in stored()] == ["AAPL", "MSFT"]
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "NONE" in logged.getMessage()
    assert not logged.exc_info, "not a bug: no traceback"


def test_an_unexpected_error_of_one_symbol_is_logged_with_a_traceback(
    market: ScriptedMarket, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Bars:
        raise ZeroDivisionError("in the feed")

    market.answers = {**market.answers, "BAD": broken}
    made = ScriptedService(market, always(BUY)).cycle("BAD", "AAPL")
    assert made == ["in the feed", stored()[0][1]]
    assert any(record.exc_info for record in caplog.records)


def test_a_feed_that_hangs_delays_no_other_symbol(
    market: ScriptedMarket, hanging: threading.Event
) -> None:
    def hang() -> Bars:
        hanging.wait(60)
        return bars_of([1.0])

    market.answers = {"STUCK": hang, **market.answers}
    made = ScriptedService(market, always(BUY), threads=2, seconds=1.0).cycle()
    assert "MARKET_TIMEOUT" in str(made[0])
    assert [symbol for symbol, _ in stored()] == ["AAPL", "MSFT"]


def test_at_most_as_many_symbols_are_fetched_at_once_as_there_are_threads() -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def slow() -> Bars:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.02)
        with lock:
            at_once -= 1
        return bars_of([100.0] * 30)

    names = [f"S{number}" for number in range(12)]
    market = ScriptedMarket(dict.fromkeys(names, slow), market_of("A").time)
    assert len(ScriptedService(market, always(BUY), threads=3).cycle()) == 12
    assert 1 < most <= 3


def test_a_source_that_raises_abstains_and_the_others_decide(
    market: ScriptedMarket, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(bars: Bars) -> Vote:
        raise ZeroDivisionError("by hand")

    def buys(bars: Bars) -> Vote:
        return Vote(BUY, 90.0)

    ScriptedService(market, pipeline_of(broken, buys)).cycle("AAPL")
    assert len(stored()) == 1
    assert any("broken" in record.getMessage() for record in caplog.records)


def test_a_signal_is_logged_at_info(
    market: ScriptedMarket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "signals.generation")
    (signal_id,) = ScriptedService(market, always(BUY)).cycle("AAPL")
    levels = {
        record.levelno: record.getMessage()
        for record in caplog.records
        if record.name == "signals.generation.service"
    }
    assert signal_id is not None
    assert signal_id in levels[logging.INFO]
    assert "script BUY at 90%" in levels[logging.INFO]
    assert "Alpine" in levels[logging.DEBUG]


def test_a_failed_cycle_names_every_symbol_that_failed(market: ScriptedMarket) -> None:
    results = ScriptedService(market, always(BUY)).service.run_cycle(["NONE", "AAPL", "NADA"])
    failed = CycleFailed.of(results)
    assert failed is not None
    assert "NONE: there are no bars" in str(failed)
    assert "NADA: there are no bars" in str(failed)
    assert CycleFailed.of(results[1:2]) is None


class Engine:
    """A trading engine that keeps the signals that it gets."""

    def __init__(self) -> None:
        self.given: list[tuple[str, bool]] = []

    async def execute(self, signal: dict[str, Any], signal_id: str) -> bool:
        assert signal["signal_id"] == signal_id
        self.given.append((signal_id, signal["action"] == "BUY"))
        return True


@pytest.mark.parametrize("auto_execute", [True, False])
def test_a_trading_engine_gets_the_signals_only_with_auto_execute(
    market: ScriptedMarket, auto_execute: bool
) -> None:
    engine = Engine()
    options = {"auto_execute": auto_execute, "trading_engine": engine}
    made = ScriptedService(market, always(BUY), **options).cycle()
    assert engine.given == ([(signal_id, True) for signal_id in made] if auto_execute else [])


class Interrupted(BaseException):
    """Stands for the death of a process between the claim and the signal."""


@pytest.fixture
def interrupted(market: ScriptedMarket, monkeypatch: pytest.MonkeyPatch) -> ScriptedService:
    """Return a service whose process died after the claim of a candidate."""

    async def die(self: object, signal: object, symbol: str) -> str:
        raise Interrupted

    made = ScriptedService(market, always(BUY))
    with monkeypatch.context() as patch:
        patch.setattr(SignalGenerationService, "_process_and_store_signal", die)
        with pytest.raises(Interrupted):
            made.cycle("AAPL")
    assert not Signal.objects.exists()
    return made


def test_a_later_cycle_stores_the_signal_of_a_process_that_died(
    interrupted: ScriptedService,
) -> None:
    interrupted.later += INTERRUPTED_AFTER + MINUTE
    interrupted.cycle("MSFT")
    record = CandidateRecord.objects.get(symbol="AAPL")
    signal = Signal.objects.get(symbol="AAPL")
    assert signal.signal_id == record.signal_id
    assert signal.timestamp == record.made_at
    assert signal.context.votes == record.votes


def test_a_candidate_that_another_process_may_still_be_storing_is_left_alone(
    interrupted: ScriptedService,
) -> None:
    interrupted.later += MINUTE
    interrupted.cycle("MSFT")
    assert not Signal.objects.filter(symbol="AAPL").exists()


def test_a_candidate_claimed_too_long_ago_is_rejected(interrupted: ScriptedService) -> None:
    interrupted.later += DAY
    interrupted.cycle("MSFT")
    record = CandidateRecord.objects.get(symbol="AAPL")
    assert (record.rejected_for, record.signal_id) == ("interrupted", None)
    assert not Signal.objects.filter(symbol="AAPL").exists()
    (fresh,) = interrupted.cycle("AAPL")
    assert Signal.objects.get(symbol="AAPL").signal_id == fresh, "it does not block a new candidate"


def test_a_candidate_that_became_a_signal_meanwhile_is_not_given_up(
    interrupted: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process finishes it while this one finds it too old."""
    candidate_id = CandidateRecord.objects.get(symbol="AAPL").candidate_id

    def meanwhile(self: object, receipt: object) -> bool:
        candidates.set_signal(candidate_id, "made-by-another")
        return False

    monkeypatch.setattr(SignalTracker, "is_stored", meanwhile)
    interrupted.later += DAY
    interrupted.cycle("MSFT")
    record = CandidateRecord.objects.get(symbol="AAPL")
    assert (record.candidate_id, record.rejected_for) == (candidate_id, "")
    assert record.signal_id == "made-by-another"


def test_an_interrupted_candidate_is_stored_even_if_the_markets_time_stands_still(
    interrupted: ScriptedService,
) -> None:
    assert interrupted.cycle("AAPL") == [None], "the other process may still be running"
    interrupted.later += INTERRUPTED_AFTER + MINUTE
    interrupted.cycle("AAPL")
    assert Signal.objects.get().signal_id == CandidateRecord.objects.get(rejected_for="").signal_id


def test_an_interrupted_candidate_that_is_invalid_blocks_no_other(
    interrupted: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    CandidateRecord.objects.update(reasoning="\0")
    interrupted.later += INTERRUPTED_AFTER + MINUTE
    (made,) = interrupted.cycle("MSFT")
    assert stored() == [("MSFT", made)]
    assert CandidateRecord.objects.get(symbol="AAPL").rejected_for == "refused"
    assert any("is rejected" in message for message in caplog.messages)


def test_a_signal_stored_by_a_process_that_died_is_found_again(
    interrupted: ScriptedService,
) -> None:
    record = CandidateRecord.objects.get()
    interrupted.later += INTERRUPTED_AFTER + MINUTE
    interrupted.cycle("MSFT")
    CandidateRecord.objects.filter(pk=record.pk).update(signal_id=None)  # died a moment later
    interrupted.later += DAY
    interrupted.cycle("MSFT")
    record.refresh_from_db()
    assert record.signal_id == Signal.objects.get(symbol="AAPL").signal_id


def test_a_full_disk_loses_no_candidate(
    market: ScriptedMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ScriptedService(market, always(BUY))

    async def full(line: bytes) -> None:
        raise JournalError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(made.tracker._journal, "append_async", full)
        assert made.cycle("AAPL") == ["the disk is full"]
    made.later += INTERRUPTED_AFTER + MINUTE
    made.cycle("MSFT")
    assert [symbol for symbol, _ in stored()] == ["AAPL", "MSFT"]
