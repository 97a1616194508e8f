"""Validation: the rules that a candidate must pass to become a signal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from signals.generation.candidate import Candidate
from signals.generation.regime import Regime
from signals.generation.votes import Direction
from signals.market.bars import Bars
from signals.market.hours import TradingHours
from signals.market.protocol import Quote

JUMP_BARS = 200
"""The number of bars that the sources and the regime use at most."""
CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far the exchange's clock may be ahead of ours."""


class Reason(NamedTuple):
    """The reason why a candidate is rejected: a machine-readable code and a message for people."""

    code: str
    text: str


class EarlierSignal(NamedTuple):
    """An earlier signal of the symbol: its side, and when it was made (UTC)."""

    action: Direction
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """The input of the rules.

    It has the candidate, its bars, the latest price, its market's trading hours, and the symbol's
    newest signal of each side.
    """

    candidate: Candidate
    bars: Bars
    quote: Quote | None
    hours: TradingHours
    earlier: Sequence[EarlierSignal] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The minimum final confidence, 0 to 100; if several apply, the strictest is used.

    Raises `ValueError` if a threshold is not within 0 to 100.
    """

    overall: float = 75.0
    prop_firm: float = 0.0
    by_regime: Mapping[Regime, float] = field(default_factory=dict)
    by_strategy: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = [self.overall, self.prop_firm, *self.by_regime.values(), *self.by_strategy.values()]
        for value in every:
            if not 0 <= value <= 100:
                raise ValueError(f"a confidence of {value} is not within 0 to 100")

    def strictest(self, candidate: Candidate) -> tuple[float, str]:
        """Return the highest threshold that applies, and its name."""
        return max(
            (self.overall, "overall"),
            (self.prop_firm, "prop firm"),
            (self.by_regime.get(candidate.regime, 0.0), candidate.regime),
            (self.by_strategy.get(candidate.strategy, 0.0), candidate.strategy),
        )


@dataclass(frozen=True, slots=True)
class Validation:
    """The limits of the rules.

    - `max_age`: the maximum age of a price.
    - `after_close`: how long after a session's end a signal may still be made on its last bar.
    - `stops`: the smallest and largest distance of a stop, as fractions of the entry.
    - `max_jump`: the largest factor by which a price may change from one bar to the next. A
      larger change is an unadjusted split or an error; a real one-day move of 1.8 happens a few
      times in a decade.
    - `cooldown`: the number of bars after a signal of the symbol during which it gets no other.
      Ten bars is how long the fixed-length rule of Brock, Lakonishok and LeBaron (1992) ignores
      further signals.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    max_age: timedelta = timedelta(minutes=15)
    after_close: timedelta = timedelta(hours=1)
    stops: tuple[float, float] = (0.002, 0.2)
    max_jump: float = 1.8
    cooldown: int = 10

    def reasons(self, situation: Situation) -> list[Reason]:
        """Return every reason to reject the candidate; empty if it becomes a signal."""
        found = (rule(self, situation) for rule in RULES)
        return [reason for reason in found if reason is not None]


def low_confidence(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if the final confidence is below the strictest threshold that applies."""
    wanted, what_for = limits.thresholds.strictest(situation.candidate)
    has = situation.candidate.confidence
    if has >= wanted:
        return None
    return Reason("confidence", f"confidence {has:.6g} is below {wanted:g} ({what_for})")


def no_fresh_price(limits: Validation, situation: Situation) -> Reason | None:
    """Reject without a fresh price."""
    quote, now = situation.quote, situation.candidate.made_at
    if quote is None:
        return Reason("price", "there is no price; the entry shown is the last close")
    if quote.time > now + CLOCK_TOLERANCE:
        return Reason("price", f"the time of the price, {quote.time}, is in the future")
    if now - quote.time <= limits.max_age:
        return None
    return Reason("price", f"the price is {now - quote.time} old, from {quote.time}")


def market_closed(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if the market has been closed for longer than `after_close`."""
    now = situation.candidate.made_at
    if situation.hours.is_open(now, grace=limits.after_close):
        return None
    return Reason("session", f"the market is closed at {now}")


def stale_bars(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if more than one session has closed since the last bar: the bars are outdated."""
    candidate, hours = situation.candidate, situation.hours
    if candidate.made_at == candidate.bar_time:
        return None
    first, last = hours.day_of(candidate.bar_time), hours.day_of(candidate.made_at)
    closes = [close for day in hours.days(first, last) if (close := hours.close_of(day))]
    missing = sum(candidate.bar_time < close <= candidate.made_at for close in closes)
    if missing <= 1:
        return None
    return Reason("stale", f"the last bar is from {candidate.bar_time}, {missing} sessions ago")


def invalid_stop(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if the stop is too near or too far, or a level is on the wrong side."""
    candidate = situation.candidate
    sign = 1 if candidate.action is Direction.BUY else -1
    stop = sign * (candidate.entry - candidate.stop) / candidate.entry
    target = sign * (candidate.target - candidate.entry) / candidate.entry
    least, greatest = limits.stops
    if least <= stop <= greatest and target > 0 and min(candidate.stop, candidate.target) > 0:
        return None
    return Reason(
        "stop",
        f"the stop is {stop:.2%} and the target {target:.2%} from the entry: the stop must be "
        f"{least:.2%} to {greatest:.2%} away, both on the right side and above 0",
    )


def price_jump(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if the bars, or the price after them, jump further than `max_jump`."""
    closes = situation.bars.close[-JUMP_BARS:]
    ratios = closes[1:] / closes[:-1]
    last = situation.candidate.entry / float(closes[-1])
    least, most = float(ratios.min(initial=last)), float(ratios.max(initial=last))
    worst = max(most, 1 / least)
    if worst <= limits.max_jump:
        return None
    return Reason(
        "jump",
        f"the price changes by a factor of {worst:.3g} from one bar to the next: an unadjusted "
        "split or an error",
    )


def cooling_down(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if the symbol had a signal a few bars ago."""
    newest = max((each.made_at for each in situation.earlier), default=None)
    if newest is None:
        return None
    since = len(situation.bars) - situation.bars.count_through(newest)
    if since >= limits.cooldown:
        return None
    return Reason("cooldown", f"{since} of {limits.cooldown} bars since the signal of {newest}")


def no_new_bar(limits: Validation, situation: Situation) -> Reason | None:
    """Reject if the symbol already had a signal of this side on this bar."""
    candidate = situation.candidate
    for each in situation.earlier:
        if each.action is candidate.action and candidate.bar_time <= each.made_at:
            return Reason("bar", f"no new bar since the {each.action} of {each.made_at}")
    return None


Rule = Callable[[Validation, Situation], Reason | None]
RULES: tuple[Rule, ...] = (
    low_confidence,
    no_fresh_price,
    market_closed,
    stale_bars,
    invalid_stop,
    price_jump,
    cooling_down,
    no_new_bar,
)
