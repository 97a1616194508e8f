"""The firm's rules that the risk rules check before each trade."""

from dataclasses import replace
from decimal import Decimal

from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Limits


def tightened(limits: Limits, rule_set: RuleSet) -> Limits:
    """Return the stricter of both: number of positions, their size, confidence and stop distance.

    Daily loss and drawdown remain the user's own: `execution.prop_firm.measures` measures the
    firm's, and a breach halts trading.
    """
    return replace(
        limits,
        max_positions=_positions(limits.max_positions, rule_set.max_positions),
        max_position=_least(limits.max_position, rule_set.max_position),
        max_stop=_least(limits.max_stop, rule_set.max_stop),
        min_confidence=_confidence(limits.min_confidence, rule_set.min_confidence),
    )


def _positions(own: int | None, firms: int | None) -> int | None:
    return min((each for each in (own, firms) if each is not None), default=None)


def _least(own: Decimal | None, firms: Decimal | None) -> Decimal | None:
    return min((each for each in (own, firms) if each is not None), default=None)


def _confidence(own: float, firms: Decimal | None) -> float:
    """Put the user's own first: a NaN must remain, because the risk rules deny by it."""
    return own if firms is None else max(own, float(firms))
