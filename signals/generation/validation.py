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


class Gate(NamedTuple):
    """What a rule compared: its code, the value that it found, and its limit.

    `rejects` says why it rejects the candidate; None if the candidate passes.
    """

    code: str
    value: str
    limit: str
    rejects: str | None


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
        gates = self.gates(situation)
        return [Reason(gate.code, gate.rejects) for gate in gates if gate.rejects is not None]

    def gates(self, situation: Situation) -> list[Gate]:
        """Return what each rule compared, with the numbers on both sides."""
        return [rule(self, situation) for rule in RULES]


def low_confidence(limits: Validation, situation: Situation) -> Gate:
    """Reject if the final confidence is below the strictest threshold that applies."""
    wanted, what_for = limits.thresholds.strictest(situation.candidate)
    has = situation.candidate.confidence
    why = None if has >= wanted else f"confidence {has:.6g} is below {wanted:g} ({what_for})"
    return Gate("confidence", f"{has:.6g}", f"at least {wanted:g} ({what_for})", why)


def no_fresh_price(limits: Validation, situation: Situation) -> Gate:
    """Reject without a fresh price."""
    quote, now = situation.quote, situation.candidate.made_at
    limit = f"at most {limits.max_age} old"
    if quote is None:
        missing = "there is no price; the entry shown is the last close"
        return Gate("price", "no price", limit, missing)
    age = now - quote.time
    if quote.time > now + CLOCK_TOLERANCE:
        future = f"the time of the price, {quote.time}, is in the future"
        return Gate("price", f"{-age} ahead", limit, future)
    why = None if age <= limits.max_age else f"the price is {age} old, from {quote.time}"
    return Gate("price", f"{max(age, timedelta())} old", limit, why)


def market_closed(limits: Validation, situation: Situation) -> Gate:
    """Reject if the market has been closed for longer than `after_close`."""
    now = situation.candidate.made_at
    is_open = situation.hours.is_open(now, grace=limits.after_close)
    why = None if is_open else f"the market is closed at {now}"
    limit = f"open, or closed for at most {limits.after_close}"
    return Gate("session", f"{'open' if is_open else 'closed'} at {now}", limit, why)


def stale_bars(limits: Validation, situation: Situation) -> Gate:
    """Reject if more than one session has closed since the last bar: the bars are outdated."""
    bar_time, missing = situation.candidate.bar_time, _missing_sessions(situation)
    why = None if missing <= 1 else f"the last bar is from {bar_time}, {missing} sessions ago"
    return Gate("stale", f"{missing} sessions closed since the last bar", "at most 1", why)


def _missing_sessions(situation: Situation) -> int:
    candidate, hours = situation.candidate, situation.hours
    if candidate.made_at == candidate.bar_time:
        return 0
    first, last = hours.day_of(candidate.bar_time), hours.day_of(candidate.made_at)
    closes = [close for day in hours.days(first, last) if (close := hours.close_of(day))]
    return sum(candidate.bar_time < close <= candidate.made_at for close in closes)


def invalid_stop(limits: Validation, situation: Situation) -> Gate:
    """Reject if the stop is too near or too far, or a level is on the wrong side."""
    candidate = situation.candidate
    sign = 1 if candidate.action is Direction.BUY else -1
    stop = sign * (candidate.entry - candidate.stop) / candidate.entry
    target = sign * (candidate.target - candidate.entry) / candidate.entry
    least, greatest = limits.stops
    found = f"the stop is {stop:.2%} and the target {target:.2%} from the entry"
    limit = (
        f"the stop must be {least:.2%} to {greatest:.2%} away, both on the right side and above 0"
    )
    is_valid = (
        least <= stop <= greatest and target > 0 and min(candidate.stop, candidate.target) > 0
    )
    return Gate("stop", found, limit, None if is_valid else f"{found}: {limit}")


def price_jump(limits: Validation, situation: Situation) -> Gate:
    """Reject if the bars, or the price after them, jump further than `max_jump`."""
    closes = situation.bars.close[-JUMP_BARS:]
    ratios = closes[1:] / closes[:-1]
    last = situation.candidate.entry / float(closes[-1])
    least, most = float(ratios.min(initial=last)), float(ratios.max(initial=last))
    worst = max(most, 1 / least)
    why = (
        f"the price changes by a factor of {worst:.3g} from one bar to the next: an unadjusted "
        "split or an error"
    )
    limit = f"at most a factor of {limits.max_jump:g}"
    is_small = worst <= limits.max_jump
    return Gate("jump", f"a factor of {worst:.3g}", limit, None if is_small else why)


def cooling_down(limits: Validation, situation: Situation) -> Gate:
    """Reject if the symbol had a signal a few bars ago."""
    newest = max((each.made_at for each in situation.earlier), default=None)
    limit = f"at least {limits.cooldown} bars"
    if newest is None:
        return Gate("cooldown", "no earlier signal", limit, None)
    since = len(situation.bars) - situation.bars.count_through(newest)
    why = f"{since} of {limits.cooldown} bars since the signal of {newest}"
    is_over = since >= limits.cooldown
    found = f"{since} bars since the signal of {newest}"
    return Gate("cooldown", found, limit, None if is_over else why)


def no_new_bar(limits: Validation, situation: Situation) -> Gate:
    """Reject if the symbol already had a signal of this side on this bar."""
    candidate = situation.candidate
    limit = f"a bar after the last {candidate.action}"
    for each in situation.earlier:
        if each.action is candidate.action and candidate.bar_time <= each.made_at:
            why = f"no new bar since the {each.action} of {each.made_at}"
            return Gate("bar", f"the bar of {candidate.bar_time}", limit, why)
    return Gate("bar", f"the bar of {candidate.bar_time}", limit, None)


Rule = Callable[[Validation, Situation], Gate]
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
