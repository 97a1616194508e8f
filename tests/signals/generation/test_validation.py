"""Each rule rejects its own cases with a reason; all reasons are reported together."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from signals.generation.candidate import Candidate
from signals.generation.consensus import Verdict
from signals.generation.regime import Regime
from signals.generation.validation import EarlierSignal, Reason, Situation, Thresholds, Validation
from signals.generation.votes import Direction, SourceVote, Vote
from signals.market.bars import Bars
from signals.market.hours import ALWAYS_OPEN, TradingHours, exchange_hours
from signals.market.protocol import Quote
from tests.signals.market.builders import bars_of

BUY, SELL = Direction.BUY, Direction.SELL
FIRST = datetime(2008, 1, 2, 21, tzinfo=UTC)
BARS = bars_of([100.0] * 30, first=FIRST)
NOW = BARS.time_at(-1)
FRESH = Quote(100.0, NOW)
DAY = timedelta(days=1)


def candidate(
    action: Direction = BUY,
    confidence: float = 80.0,
    now: datetime = NOW,
    **changes: Any,  # noqa: ANN401
) -> Candidate:
    levels = (105.0, 97.0) if action is BUY else (95.0, 103.0)
    fields: dict[str, Any] = {
        "symbol": "TEST", "asset_type": "stock", "strategy": "weighted_consensus",
        "bar_time": NOW, "made_at": now, "entry": 100.0, "target": levels[0], "stop": levels[1],
        "regime": Regime.BULL, "verdict": Verdict(action, 1.0, confidence),
        "votes": (SourceVote("a", 1.0, Vote(action, confidence)),),
    }  # fmt: skip
    return Candidate(**fields | changes)


def situation(
    proposed: Candidate | None = None,
    bars: Bars = BARS,
    quote: Quote | None = FRESH,
    earlier: Sequence[EarlierSignal] = (),
    hours: TradingHours = ALWAYS_OPEN,
) -> Situation:
    return Situation(proposed or candidate(), bars, quote, hours, earlier)


def codes(situation: Situation, validation: Validation | None = None) -> list[str]:
    return [reason.code for reason in (validation or Validation()).reasons(situation)]


def test_a_valid_candidate_passes() -> None:
    assert codes(situation()) == []
    assert codes(situation(candidate(SELL))) == []


def test_all_reasons_are_reported_together() -> None:
    found = codes(
        situation(
            candidate(confidence=10.0, stop=99.99, entry=400.0, now=NOW + 2 * DAY),
            quote=None,
            earlier=[EarlierSignal(BUY, NOW)],
            hours=exchange_hours("XNYS"),
        )
    )
    assert found == ["confidence", "price", "session", "stop", "jump", "cooldown", "bar"]


@pytest.mark.parametrize(
    ("thresholds", "wanted", "whose"),
    [
        (Thresholds(90), "90", "overall"),
        (Thresholds(75, prop_firm=85), "85", "prop firm"),
        (Thresholds(75, by_regime={Regime.BULL: 82}), "82", "BULL"),
        (Thresholds(75, by_strategy={"weighted_consensus": 81}), "81", "weighted_consensus"),
        (Thresholds(95, 85, {Regime.BULL: 82}, {"weighted_consensus": 81}), "95", "overall"),
        (Thresholds(75, 85, {Regime.BULL: 99}, {"weighted_consensus": 81}), "99", "BULL"),
    ],
)
def test_the_strictest_threshold_is_used(thresholds: Thresholds, wanted: str, whose: str) -> None:
    assert Validation(thresholds).reasons(situation()) == [
        Reason("confidence", f"confidence 80 is below {wanted} ({whose})")
    ]


def test_a_threshold_of_another_regime_or_strategy_does_not_apply() -> None:
    others = Thresholds(75, by_regime={Regime.BEAR: 99}, by_strategy={"other": 99})
    assert codes(situation(), Validation(others)) == []


def test_a_confidence_at_the_threshold_passes() -> None:
    assert codes(situation(candidate(confidence=75.0))) == []
    assert codes(situation(candidate(confidence=74.999))) == ["confidence"]


@pytest.mark.parametrize("value", [-1.0, 100.5, float("nan")])
def test_an_invalid_threshold_is_refused(value: float) -> None:
    every: list[dict[str, Any]] = [
        {"overall": value},
        {"prop_firm": value},
        {"by_regime": {Regime.BULL: value}},
        {"by_strategy": {"s": value}},
    ]
    for wrong in every:
        with pytest.raises(ValueError, match="is not within 0 to 100"):
            Thresholds(**wrong)


@pytest.mark.parametrize(
    ("age", "passes"),
    [
        (timedelta(0), True),
        (timedelta(minutes=15), True),
        (timedelta(minutes=15, seconds=1), False),
        (timedelta(days=3), False),
        (timedelta(seconds=-5), True),  # the exchange's clock is a little ahead
        (timedelta(seconds=-6), False),
    ],
)
def test_a_price_must_be_fresh(age: timedelta, passes: bool) -> None:
    found = codes(situation(quote=Quote(100.0, NOW - age)))
    assert found == ([] if passes else ["price"])


def test_without_a_price_there_is_no_signal() -> None:
    assert codes(situation(quote=None)) == ["price"]


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        (datetime(2008, 1, 31, 14, 29, tzinfo=UTC), False),
        (datetime(2008, 1, 31, 14, 30, tzinfo=UTC), True),
        (datetime(2008, 1, 31, 21, 0, tzinfo=UTC), True),
        (datetime(2008, 1, 31, 22, 0, tzinfo=UTC), True),  # within the hour after the close
        (datetime(2008, 1, 31, 22, 1, tzinfo=UTC), False),
        (datetime(2008, 2, 2, 16, 0, tzinfo=UTC), False),  # a Saturday
        (datetime(2008, 2, 1, 13, 0, tzinfo=UTC), False),  # before it opens
    ],
)
def test_the_market_must_be_open_or_just_closed(now: datetime, passes: bool) -> None:
    asked = situation(candidate(now=now), quote=Quote(100.0, now), hours=exchange_hours("XNYS"))
    assert codes(asked) == ([] if passes else ["session"])


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        (datetime(2008, 1, 31, 21, 30, tzinfo=UTC), True),
        (datetime(2008, 2, 1, 20, 59, tzinfo=UTC), True),
        (datetime(2008, 2, 1, 21, 30, tzinfo=UTC), True),  # a feed may be a session late
        (datetime(2008, 2, 4, 20, 59, tzinfo=UTC), True),  # after a weekend
        (datetime(2008, 2, 4, 21, 0, tzinfo=UTC), False),
        (datetime(2008, 6, 3, 15, 0, tzinfo=UTC), False),
    ],
)
def test_outdated_bars_make_no_signal_even_with_a_fresh_price(now: datetime, passes: bool) -> None:
    asked = situation(candidate(now=now), quote=Quote(100.0, now), hours=exchange_hours("XNYS"))
    assert codes(asked) == ([] if passes else ["stale"])


@pytest.mark.parametrize(
    ("action", "target", "stop", "passes"),
    [
        (BUY, 105.0, 97.0, True),
        (SELL, 95.0, 103.0, True),
        (BUY, 105.0, 99.9, False),  # 0.1% away
        (BUY, 105.0, 79.0, False),  # 21% away
        (BUY, 105.0, 100.0, False),
        (BUY, 105.0, 103.0, False),  # on the wrong side
        (SELL, 95.0, 97.0, False),
        (BUY, 99.0, 97.0, False),
        (SELL, -5.0, 103.0, False),
        (SELL, 0.0, 103.0, False),
    ],
)
def test_stop_and_target_must_be_valid(
    action: Direction, target: float, stop: float, passes: bool
) -> None:
    found = codes(situation(candidate(action, target=target, stop=stop)))
    assert found == ([] if passes else ["stop"])


@pytest.mark.parametrize(
    ("closes", "entry"),
    [
        ([100.0] * 20 + [1000.0] * 10, 1000.0),  # ten times as much
        ([100.0] * 20 + [50.0] * 10, 50.0),  # an unadjusted split of 2 for 1
        ([100.0] * 15 + [1.0] + [100.0] * 14, 100.0),  # a bad print
        ([100.0] * 30, 1000.0),  # valid bars, but a wrong price
        ([100.0] * 30, 10.0),
    ],
)
def test_a_price_that_jumps_is_rejected(closes: list[float], entry: float) -> None:
    proposed = candidate(entry=entry, target=entry * 1.05, stop=entry * 0.97)
    asked = situation(proposed, bars_of(closes, first=FIRST), Quote(entry, NOW))
    assert codes(asked) == ["jump"]


def test_a_jump_long_ago_is_forgotten() -> None:
    bars = bars_of([10.0] + [100.0] * 200, first=NOW - 200 * DAY)
    assert codes(situation(bars=bars)) == []
    assert codes(situation(bars=bars.upto(200))) == ["jump"]


@pytest.mark.parametrize(("bars_ago", "passes"), [(1, False), (9, False), (10, True), (20, True)])
@pytest.mark.parametrize("action", [BUY, SELL])
def test_a_signal_of_either_side_starts_the_cooldown(
    action: Direction, bars_ago: int, passes: bool
) -> None:
    earlier = [EarlierSignal(action, NOW - bars_ago * DAY)]
    assert codes(situation(earlier=earlier)) == ([] if passes else ["cooldown"])


def test_the_cooldown_is_counted_from_the_newest_signal() -> None:
    earlier = [EarlierSignal(SELL, NOW - 20 * DAY), EarlierSignal(BUY, NOW - 2 * DAY)]
    (reason,) = Validation().reasons(situation(earlier=earlier))
    assert reason.text.startswith("2 of 10 bars since the signal of 2008-01-29")


def test_a_bar_gives_only_one_signal_of_a_side() -> None:
    at_once = Validation(cooldown=1)
    a_moment_later = candidate(now=NOW + timedelta(minutes=1))
    quote = Quote(100.0, NOW)
    same = situation(a_moment_later, quote=quote, earlier=[EarlierSignal(BUY, NOW)])
    assert codes(same, at_once) == ["cooldown", "bar"]
    other = situation(a_moment_later, quote=quote, earlier=[EarlierSignal(SELL, NOW)])
    assert codes(other, at_once) == ["cooldown"]
    older = situation(a_moment_later, quote=quote, earlier=[EarlierSignal(BUY, NOW - DAY)])
    assert codes(older, at_once) == []
