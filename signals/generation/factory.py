"""Builds the pipeline and the service from the settings; only this module reads them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings

from argo.errors import ArgoError
from signals.calibration.calibration import Calibration
from signals.calibration.maps import from_json
from signals.calibration.versions import usable
from signals.config import watched_market
from signals.generation.consensus import WeightedConsensus
from signals.generation.levels import Distance, Levels
from signals.generation.pipeline import SignalPipeline
from signals.generation.regime import Regime
from signals.generation.service import SignalGenerationService
from signals.generation.validation import Thresholds, Validation
from signals.generation.voters import Voter, Voters, load_source
from signals.instruments import instrument
from signals.market.hours import exchange_hours
from signals.tracker import SignalTracker

DECIDING = (
    "SIGNAL_SOURCES", "SIGNAL_WEIGHTS", "SIGNAL_REGIME_FACTORS", "SIGNAL_MIN_SOURCES",
    "SIGNAL_TARGET", "SIGNAL_STOP", "SIGNAL_MIN_STOP", "SIGNAL_MAX_STOP", "SIGNAL_MAX_JUMP",
    "SIGNAL_COOLDOWN", "MIN_CONFIDENCE", "MIN_CONFIDENCE_BY_REGIME", "MIN_CONFIDENCE_BY_STRATEGY",
    "PROP_FIRM_MIN_CONFIDENCE", "MARKET_EXCHANGE",
)  # fmt: skip
"""The settings that decide which signals are made."""


class BadSettings(ArgoError):
    """The settings of generation are invalid; the message names what to correct."""

    exit_code = 2


def pipeline(min_confidence: float | None = None, *, calibrated: bool = True) -> SignalPipeline:
    """Return the pipeline of the settings; `min_confidence` replaces MIN_CONFIDENCE.

    Unless it is `calibrated`, the confidence stays raw whatever CALIBRATION says. Raises
    `BadSettings` if a setting is invalid or a source cannot be loaded, and `Unusable` if the
    calibration may not be used.
    """
    try:
        made = _pipeline(settings.MIN_CONFIDENCE if min_confidence is None else min_confidence)
    except ValueError as error:
        raise BadSettings(str(error)) from error
    if not (calibrated and settings.CALIBRATION):
        return made
    return replace(made, calibration=_calibration(made.consensus.name))


def parameters(min_confidence: float | None = None) -> dict[str, Any]:
    """Return every setting that decides which signals the pipeline makes, as plain values."""
    values = {name: getattr(settings, name) for name in DECIDING}
    return values if min_confidence is None else values | {"MIN_CONFIDENCE": min_confidence}


def service() -> SignalGenerationService:
    """Return a service on the market of the settings.

    Raises `FeedError` if the market's settings are invalid, and what `pipeline` raises.
    """
    source = watched_market()
    return SignalGenerationService(
        source,
        pipeline(),
        SignalTracker(origin="generator", clock=source.now),
        threads=settings.MARKET_THREADS,
        seconds=settings.MARKET_TIMEOUT,
    )


def _calibration(strategy: str) -> Calibration:
    record = usable(settings.CALIBRATION, strategy)
    return Calibration(record.version, from_json(record.map), record.known_until)


def _check_exchange() -> None:
    try:
        exchange_hours(settings.MARKET_EXCHANGE)
    except ValueError as error:
        raise ValueError(f"MARKET_EXCHANGE: {error}") from None


def _distance(name: str) -> Distance:
    try:
        return Distance.parse(getattr(settings, name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _pipeline(min_confidence: float) -> SignalPipeline:
    _check_exchange()
    return SignalPipeline(
        Voters(_members()),
        WeightedConsensus(settings.SIGNAL_MIN_SOURCES, _by_regime(settings.SIGNAL_REGIME_FACTORS)),
        Levels(_distance("SIGNAL_TARGET"), _distance("SIGNAL_STOP")),
        _validation(min_confidence),
        settings.MARKET_EXCHANGE,
        instrument,
    )


def _members() -> list[Voter]:
    weights = {Regime(name): each for name, each in settings.SIGNAL_WEIGHTS.items()}
    members = []
    for path, weight in settings.SIGNAL_SOURCES.items():
        name = path.rpartition(".")[2]
        by_regime = {regime: each[name] for regime, each in weights.items() if name in each}
        members.append(Voter(name, load_source(path), weight, by_regime))
    _check_names(members, {name for each in weights.values() for name in each})
    return members


def _check_names(members: list[Voter], weighted: set[str]) -> None:
    names = [voter.name for voter in members]
    if len(set(names)) < len(names):
        raise ValueError(f"SIGNAL_SOURCES: two sources have the same name: {', '.join(names)}")
    if sum(voter.weight > 0 for voter in members) < settings.SIGNAL_MIN_SOURCES:
        raise ValueError("SIGNAL_MIN_SOURCES: fewer sources than that have a weight")
    if unknown := sorted(weighted - set(names)):
        raise ValueError(
            f"SIGNAL_WEIGHTS_...: {', '.join(unknown)} is not one of the sources {', '.join(names)}"
        )


def _validation(min_confidence: float) -> Validation:
    return Validation(
        Thresholds(
            min_confidence,
            settings.PROP_FIRM_MIN_CONFIDENCE,
            _by_regime(settings.MIN_CONFIDENCE_BY_REGIME),
            settings.MIN_CONFIDENCE_BY_STRATEGY,
        ),
        timedelta(seconds=settings.MARKET_PRICE_MAX_AGE),
        timedelta(seconds=settings.MARKET_AFTER_CLOSE),
        (settings.SIGNAL_MIN_STOP / 100, settings.SIGNAL_MAX_STOP / 100),
        max_jump=settings.SIGNAL_MAX_JUMP,
        cooldown=settings.SIGNAL_COOLDOWN,
    )


def _by_regime(values: dict[str, float]) -> dict[Regime, float]:
    return {Regime(name): value for name, value in values.items()}
