"""Leaves one source out at a time: the signals that the pipeline would make of past bars.

The votes of all sources, which take nearly all of the time, are cast once for each bar. All that
follows runs as in a replay, once with all sources and once without each of them: consensus, levels,
and validation with its cooldown.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.analysis.sources import NUMBERS
from signals.generation.candidate import Candidate
from signals.generation.pipeline import Opinion, SignalPipeline
from signals.generation.replay import Period
from signals.generation.symbol_state import SymbolState
from signals.generation.votes import Vote
from signals.market.bars import Bars

ALL = ""
"""The name of the signals that are made with all sources."""


class Walked(NamedTuple):
    """The signals by the source that was left out, `ALL` with all sources; and the votes on each
    bar as `NUMBERS` counts them, a column for each source; NaN for an abstention."""

    made: Mapping[str, Sequence[Candidate]]
    votes: NDArray[np.float64]


def leave_each_out(
    histories: Sequence[Bars],
    period: Period,
    pipeline: SignalPipeline,
    on_bars: Callable[[int], object] = lambda count: None,
) -> Walked:
    """Walk through the bars of the period, with all sources and without each of them.

    The signals of `ALL` are those that a replay of the same bars stores in an empty ledger.
    `on_bars` gets the number of bars done.
    """
    names = [ALL, *(voter.name for voter in pipeline.voters.members)]
    made: dict[str, list[Candidate]] = {name: [] for name in names}
    votes: list[list[float]] = []
    for bars in histories:  # no rule compares the signals of two symbols
        states = {name: SymbolState.before(pipeline, bars) for name in names}
        for window in period.windows(bars):
            opinion = pipeline.opinion(window)
            votes.append([_number(each.vote) for each in opinion.votes])
            for name, state in states.items():
                made[name] += _signals(pipeline, state, _without(name, opinion, pipeline), window)
            on_bars(1)
    return Walked(made, np.reshape(votes, (-1, len(names) - 1)))


def _number(vote: Vote | None) -> float:
    return np.nan if vote is None else NUMBERS[vote.direction]


def _without(name: str, opinion: Opinion, pipeline: SignalPipeline) -> Opinion:
    """Return the opinion that there would be without this source."""
    if name == ALL:
        return opinion
    votes = tuple(vote for vote in opinion.votes if vote.source != name)
    return Opinion(opinion.regime, votes, pipeline.consensus(votes, opinion.regime))


def _signals(
    pipeline: SignalPipeline, state: SymbolState, opinion: Opinion, bars: Bars
) -> list[Candidate]:
    """Return the signal that the opinion gives at the last bar, if it gives one."""
    judged = state.judged(pipeline, opinion, bars)
    if judged is None or judged.reasons:
        return []
    state.made(judged.candidate)
    return [judged.candidate]
