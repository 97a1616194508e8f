"""The sources that vote, each with its name and weight."""

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
    """A source returned something other than a `Vote` or None."""


class BadSource(ValueError):
    """A source cannot be loaded; the message says why."""


@dataclass(frozen=True, slots=True)
class Voter:
    """A source, its name, and its weight; `weight_in` has the weights of single regimes."""

    name: str
    source: Source
    weight: float
    weight_in: Mapping[Regime, float] = field(default_factory=dict)

    def weight_at(self, regime: Regime) -> float:
        """Return the weight in this regime."""
        return self.weight_in.get(regime, self.weight)


@dataclass(frozen=True, slots=True)
class Voters:
    """Collects the votes of all sources; the failure of one does not affect the others.

    A source that raises, or returns something other than a vote, abstains. Each kind of error is
    logged at ERROR once per source and symbol: in a replay it may occur on thousands of bars.
    """

    members: Sequence[Voter]
    _logged: set[tuple[str, str, str]] = field(default_factory=set)

    def votes(self, bars: Bars, regime: Regime) -> tuple[SourceVote, ...]:
        """Return one vote for each source, in order, abstentions included."""
        return tuple(
            SourceVote(voter.name, voter.weight_at(regime), self._vote(voter, bars))
            for voter in self.members
        )

    def _vote(self, voter: Voter, bars: Bars) -> Vote | None:
        try:
            vote = voter.source(bars)
        except Exception as error:  # noqa: BLE001  # a user's own code; it is logged below
            self._log(voter, bars, error)
            return None
        if vote is None or isinstance(vote, Vote):
            return vote
        self._log(voter, bars, InvalidVote(f"it returned {vote!r}"))
        return None

    def _log(self, voter: Voter, bars: Bars, error: Exception) -> None:
        key = (voter.name, bars.symbol, type(error).__name__)
        if key not in self._logged:
            self._logged.add(key)
            logger.error(
                "The source %s abstains on %s at %s: %r",
                voter.name, bars.symbol, bars.time_at(-1), error, exc_info=error,
            )  # fmt: skip


def load_source(path: str) -> Source:
    """Return the function `vote` of the module at a dotted path.

    Raises `BadSource` if the module cannot be imported or has no such function.
    """
    try:
        vote: Source = import_module(path).vote
        if not callable(vote):
            raise TypeError(f"its `vote` is {vote!r}")
    except (Exception, SystemExit) as error:  # a user's own module may fail in any way
        raise BadSource(
            f"{path!r} is not a source ({error!r}): it must be a module with a function `vote`"
        ) from error
    return vote
