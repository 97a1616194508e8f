"""The settings make the pipeline: each one reaches its part."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django import Settings

from signals.config import market
from signals.generation import factory
from signals.generation.factory import BadSettings
from signals.generation.regime import Regime
from signals.generation.validation import Thresholds
from signals.market.files import FolderMarket
from signals.market.protocol import FeedError
from signals.market.sample import SampleMarket

FIVE = ["trend", "momentum", "breakout", "mean_reversion", "volume"]


def test_by_default_five_sources_vote_and_two_must_agree() -> None:
    pipeline = factory.pipeline()
    assert [voter.name for voter in pipeline.voters.members] == FIVE
    assert sum(voter.weight for voter in pipeline.voters.members) == pytest.approx(1.0)
    assert pipeline.consensus.least == 2
    assert pipeline.validation.thresholds == Thresholds(75.0)


def test_weights_may_differ_by_regime(settings: Settings) -> None:
    settings.SIGNAL_WEIGHTS = {"BULL": {"trend": 0.6}, "CRISIS": {"trend": 0.0, "volume": 0.5}}
    trend, *_, volume = factory.pipeline().voters.members
    assert {regime: trend.weight_at(regime) for regime in Regime} == {
        Regime.BULL: 0.6, Regime.BEAR: 0.25, Regime.CHOP: 0.25, Regime.CRISIS: 0.0,
        Regime.UNKNOWN: 0.25,
    }  # fmt: skip
    assert volume.weight_at(Regime.CRISIS) == 0.5


def test_every_limit_reaches_its_rule(settings: Settings) -> None:
    settings.MIN_CONFIDENCE, settings.PROP_FIRM_MIN_CONFIDENCE = 60.0, 70.0
    settings.MIN_CONFIDENCE_BY_REGIME = {"CRISIS": 90.0}
    settings.MIN_CONFIDENCE_BY_STRATEGY = {"weighted_consensus": 65.0}
    settings.MARKET_PRICE_MAX_AGE, settings.MARKET_AFTER_CLOSE = 30.0, 60.0
    settings.SIGNAL_MAX_JUMP, settings.SIGNAL_COOLDOWN = 3.0, 4
    validation = factory.pipeline().validation
    assert validation.thresholds == Thresholds(
        60.0, 70.0, {Regime.CRISIS: 90.0}, {"weighted_consensus": 65.0}
    )
    assert (validation.max_age, validation.after_close) == (
        timedelta(seconds=30), timedelta(minutes=1),
    )  # fmt: skip
    assert (validation.max_jump, validation.cooldown) == (3.0, 4)


def test_consensus_levels_and_ticks_are_as_set(settings: Settings) -> None:
    settings.SIGNAL_MIN_SOURCES, settings.SIGNAL_REGIME_FACTORS = 3, {"CHOP": 0.5}
    settings.SIGNAL_TARGET, settings.SIGNAL_STOP = "3ATR", "1.5%"
    settings.MARKET_TICKS = {"btc/usd": 0.01}
    pipeline = factory.pipeline()
    assert (pipeline.consensus.least, pipeline.consensus.factors) == (3, {Regime.CHOP: 0.5})
    assert (pipeline.levels.target.amount, pipeline.levels.target.unit) == (3.0, "ATR")
    assert (pipeline.levels.stop.amount, pipeline.levels.stop.unit) == (1.5, "%")
    assert pipeline.instrument("BTCUSD").tick == Decimal("0.01")


def test_a_callers_confidence_replaces_the_setting() -> None:
    assert factory.pipeline(33.0).validation.thresholds.overall == 33.0


def test_two_sources_with_the_same_name_are_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trend.py").write_text("def vote(bars):\n    return None\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings.SIGNAL_SOURCES = {"signals.generation.sources.trend": 1.0, "trend": 1.0}
    with pytest.raises(BadSettings, match="two sources have the same name: trend, trend"):
        factory.pipeline()


def test_the_market_is_chosen_by_the_settings(settings: Settings, tmp_path: Path) -> None:
    assert isinstance(market(), SampleMarket)
    settings.MARKET_DATA, settings.MARKET_FOLDER = "files", tmp_path
    assert isinstance(market(), FolderMarket)
    settings.MARKET_DATA = "alpaca"
    with pytest.raises(FeedError, match="ALPACA_API_KEY"):
        market()
    settings.ALPACA_API_KEY = settings.ALPACA_SECRET_KEY = "a-key"
    assert type(market()).__name__ == "AlpacaMarket"


def test_the_strategy_of_any_sender_may_have_a_least_confidence(settings: Settings) -> None:
    settings.MIN_CONFIDENCE_BY_STRATEGY = {"breakout v2": 85.0, "weighted_consensus": 65.0}
    thresholds = factory.pipeline().validation.thresholds
    assert thresholds.by_strategy == settings.MIN_CONFIDENCE_BY_STRATEGY
