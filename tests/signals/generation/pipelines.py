"""Pipelines whose sources vote as the test says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from signals.calibration.calibration import Calibration
from signals.calibration.maps import Isotonic
from signals.generation.consensus import WeightedConsensus
from signals.generation.levels import Distance, Levels
from signals.generation.pipeline import SignalPipeline
from signals.generation.sources.protocol import Source
from signals.generation.validation import Thresholds, Validation
from signals.generation.voters import Voter, Voters
from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars
from tests.signals.market.builders import FIRST_CLOSE


def pipeline_of(
    *sources: Source, cooldown: int = 5, min_confidence: float = 75.0
) -> SignalPipeline:
    """Return a pipeline of these sources; one vote is enough, at any time of day."""
    names = [getattr(source, "__name__", "source") for source in sources]
    return SignalPipeline(
        Voters([Voter(name, source, 1.0) for name, source in zip(names, sources, strict=True)]),
        WeightedConsensus(least=1),
        Levels(Distance.parse("5%"), Distance.parse("3%")),
        Validation(
            Thresholds(min_confidence),
            after_close=timedelta(days=7),
            cooldown=cooldown,
        ),
    )


def halved(pipeline: SignalPipeline, known_until: datetime = FIRST_CLOSE) -> SignalPipeline:
    """Return the pipeline with calibration 3, which halves each confidence."""
    return replace(
        pipeline, calibration=Calibration(3, Isotonic((0.0, 1.0), (0.0, 0.5)), known_until)
    )


def says(directions: Sequence[Direction | None], cooldown: int = 5) -> SignalPipeline:
    """Return a pipeline that votes these directions, bar by bar."""

    def script(bars: Bars) -> Vote | None:
        direction = directions[len(bars) - 1]
        return None if direction is None else Vote(direction, 90.0, {"bars": len(bars)})

    return pipeline_of(script, cooldown=cooldown)


def always(direction: Direction, cooldown: int = 5) -> SignalPipeline:
    """Return a pipeline that votes this direction on every bar."""

    def script(bars: Bars) -> Vote:
        return Vote(direction, 90.0, {"bars": len(bars)})

    return pipeline_of(script, cooldown=cooldown)
