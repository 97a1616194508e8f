"""The trend as two moving averages see it."""

import math
from dataclasses import dataclass

from signals.generation.votes import Direction, Vote
from signals.market.bars import Bars, Column

NAME = "trend"


@dataclass(frozen=True, slots=True)
class Trend:
    """BUY while the fast average of the closes is above the slow one by more than the band.

    The variable-length moving average rule of W. Brock, J. Lakonishok and B. LeBaron, "Simple
    Technical Trading Rules and the Stochastic Properties of Stock Returns", Journal of Finance
    47(5), 1992, pp. 1731-1764; the defaults are their rule (1, 50, 0.01). `fast` and `slow` count
    bars, `band` is a fraction of the slow average. Below the band the vote is SELL, within it
    NEUTRAL with confidence 0. Fewer bars than `slow`: the source abstains.

    The confidence is the probability, in percent, that a random walk without drift and with the
    volatility v of these bars would have kept its averages closer together:

        100 erf(z / sqrt 2),   z = |fast / slow - 1| / (v noise_gain)

    with v the root mean square of the `slow - 1` one-bar returns. So it measures how far the trend
    stands out from chance, not the chance that a trade on it wins.

    Raises `ValueError` unless 1 <= fast < slow and 0 <= band < 1.
    """

    fast: int = 1
    slow: int = 50
    band: float = 0.01

    def __post_init__(self) -> None:
        if not 1 <= self.fast < self.slow:
            raise ValueError(f"fast={self.fast}, slow={self.slow}: it takes 1 <= fast < slow")
        if not 0 <= self.band < 1:
            raise ValueError(f"band={self.band}: it takes 0 <= band < 1")

    def __call__(self, bars: Bars, /) -> Vote | None:
        if len(bars) < self.slow:
            return None
        closes = bars.close[-self.slow :]
        fast, slow = _mean(closes[-self.fast :]), _mean(closes)
        spread, volatility = fast / slow - 1, _volatility(closes)
        figures = {"fast": fast, "slow": slow, "spread": spread, "volatility": volatility}
        direction = self._direction(spread)
        return Vote(NAME, direction, self._confidence(direction, spread, volatility), figures)

    def _direction(self, spread: float) -> Direction:
        if abs(spread) <= self.band:
            return Direction.NEUTRAL
        return Direction.BUY if spread > 0 else Direction.SELL

    def _confidence(self, direction: Direction, spread: float, volatility: float) -> float:
        # Without any volatility all closes are equal, and what spread there is, is float noise.
        if direction is Direction.NEUTRAL or volatility == 0:
            return 0.0
        z = abs(spread) / (volatility * noise_gain(self.fast, self.slow))
        # C libraries differ in the last bits of erf; those bits would change a signal's id.
        return round(100 * math.erf(z / math.sqrt(2)), 6)


def noise_gain(fast: int, slow: int) -> float:
    """The standard deviation of (fast / slow - 1) for returns that are white noise of deviation 1.

    To first order the spread is a weighted sum of the last returns. The k-th last (k = 1, 2, ...)
    has the weight k (1/fast - 1/slow) where k < fast and 1 - k/slow from there on; this is the
    root of the sum of their squares.
    """
    near = _sum_of_squares(fast - 1) * (1 / fast - 1 / slow) ** 2
    far = _sum_of_squares(slow - fast) / slow**2
    return math.sqrt(near + far)


def _sum_of_squares(n: int) -> int:
    return n * (n + 1) * (2 * n + 1) // 6


def _mean(values: Column) -> float:
    return float(values.sum()) / len(values)


def _volatility(closes: Column) -> float:
    returns = closes[1:] / closes[:-1] - 1
    return math.sqrt(_mean(returns * returns))
