"""The voters of sources that are asked to vote."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from signals.generation.regime import Regime
from signals.generation.sources.protocol import Source
from signals.generation.votes import SourceVote, Vote
from signals.market.bars import Bars

logger = logging.getLogger(__name__)


class InvalidVote(TypeError):
    """A source answered with something else than a `Vote` or None."""


class BadSource(ValueError):
    """A source that cannot be loaded; the message says why."""


@dataclass(frozen=True, slots=True)
class Voter:
    """A source, what it is called, and its weight, which may differ by regime."""

    name: str
    source: Source
    weight: float
    weight_in: Mapping[Regime, float] = field(default_factory=dict)

    def weight_at(self, regime: Regime) -> float:
        """The weight that it has in this regime."""
        return self.weight_in.get(regime, self.weight)


@dataclass(frozen=True, slots=True)
class Voters:
    """Asks every source, each isolated from another's failure.

    A source that raises, or answers with what is no vote, abstains. The first time for a symbol and
    a kind of error it is named at ERROR: in a replay it would fail on thousands of bars.
    """

    members: Sequence[Voter]
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def votes(self, bars: Bars, regime: Regime) -> tuple[SourceVote, ...]:
        """One for each source, in order, abstentions included."""
        return tuple(
            SourceVote(voter.name, voter.weight_at(regime), self._vote(voter, bars))
            for voter in self.members
        )

    def _vote(self, voter: Voter, bars: Bars) -> Vote | None:
        try:
            vote = voter.source(bars)
        except Exception as error:  # noqa: BLE001  # a user's own code; it is told below
            self._tell(voter, bars, error)
            return None
        if vote is None or isinstance(vote, Vote):
            return vote
        self._tell(voter, bars, InvalidVote(f"it answered {vote!r}"))
        return None

    def _tell(self, voter: Voter, bars: Bars, error: Exception) -> None:
        key = (voter.name, bars.symbol, type(error).__name__)
        if key not in self._told:
            self._told.add(key)
            logger.error(
                "The source %s abstains on %s at %s: %r",
                voter.name, bars.symbol, bars.time_at(-1), error, exc_info=error,
            )  # fmt: skip


def load_source(path: str) -> Source:
    """The function `vote` of the module at a dotted path. Raises `BadSource`."""
    try:
        vote: Source = import_module(path).vote
        if not callable(vote):
            raise TypeError(f"its `vote` is {vote!r}")
    except (Exception, SystemExit) as error:  # a user's own module may fail in any way
        raise BadSource(
            f"{path!r} is no source ({error!r}): it takes a module with a function `vote`"
        ) from error
    return vote
